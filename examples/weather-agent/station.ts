// The weather service: somebody else's API. It knows nothing of Evergrant, and takes the access tokens of the practice provider alone.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

export interface WeatherStation {
  readonly url: string
  /** Requests that were answered, and those whose token was refused. */
  readonly counts: { readonly served: number; readonly refused: number }
  readonly stop: () => Promise<void>
}

interface StationOptions {
  /** Whose tokens count. */
  readonly issuer: string
  /** Default 0: any free port. */
  readonly port?: number
}

const SKIES = ['light rain', 'clouds', 'rain', 'a little sun', 'fog']

export async function startStation({ issuer, port = 0 }: StationOptions): Promise<WeatherStation> {
  const counts = { served: 0, refused: 0 }
  const server = createServer((request, response) => void answer(request, response))
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('the weather service has no address')
  return {
    url: `http://127.0.0.1:${address.port}`,
    counts,
    stop: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://station')
    const reader = await readerOf(request.headers.authorization).catch(() => undefined)
    if (reader === undefined) return send(response, 503, { error: 'the provider that signs people in does not answer' })
    if (reader === null) {
      counts.refused += 1
      response.setHeader('www-authenticate', 'Bearer error="invalid_token"')
      return send(response, 401, { error: 'invalid_token' })
    }
    if (request.method !== 'GET' || pathname !== '/v1/weather') return send(response, 404, { error: 'not_found' })
    counts.served += 1
    send(response, 200, weatherOf(searchParams.get('city') ?? 'Bergen', counts.served))
  }

  /** Who reads, as the provider says; null when the token is good no more. */
  async function readerOf(authorization: string | undefined): Promise<string | null> {
    if (authorization === undefined) return null
    const asked = await fetch(`${issuer}/userinfo`, { headers: { authorization } })
    if (asked.status === 401) return null
    if (!asked.ok) throw new Error(`the provider answered ${asked.status}`)
    const { sub } = (await asked.json()) as { readonly sub?: unknown }
    return typeof sub === 'string' ? sub : null
  }
}

/** Weather enough: the same for the same city and hour, a little different with every reading. */
function weatherOf(city: string, reading: number) {
  const base = [...city].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % 14
  return { city, celsius: base + (reading % 7) / 10, sky: SKIES[(base + Math.floor(reading / 5)) % SKIES.length] ?? 'clouds', reading }
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end(JSON.stringify(body))
}
