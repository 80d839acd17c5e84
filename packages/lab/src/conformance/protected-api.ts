import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { AuthenticationError, type Authenticator, createAuthenticator } from '../../../sdk/src/node/index.ts'

/** A call that reached a handler: authenticated, and therefore not to be sent again. */
interface Executed {
  readonly method: string
  readonly path: string
  readonly subject: string
  readonly idempotencyKey: string | null
  readonly bodyHash: string
  readonly bodyBytes: number
}

/** An application's own API: it checks access tokens offline, with `authenticate()` of the SDK. */
export interface ProtectedApi {
  readonly url: string
  readonly executed: Executed[]
  readonly close: () => Promise<void>
}

export async function startProtectedApi(issuer: string, jwksUrl: string): Promise<ProtectedApi> {
  const authenticator = createAuthenticator({ issuer, jwksUrl })
  const executed: Executed[] = []
  const server = createServer((request, response) => {
    serve(authenticator, executed, request, response).catch((error: unknown) => json(response, 500, { error: String(error) }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('the protected API has no address')
  return {
    url: `http://127.0.0.1:${address.port}`,
    executed,
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

async function serve(authenticator: Authenticator, executed: Executed[], request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = request.url ?? '/'
  const body = await bodyOf(request)
  // A refusal of the application's own, for a reason that has nothing to do with the session: no marker of ours.
  if (path.startsWith('/app/foreign-401')) return json(response, 401, { error: 'bad environment id' })
  const plain = /^\/app\/status\/(\d{3})/.exec(path)
  if (plain !== null) return json(response, Number(plain[1]), { status: Number(plain[1]) })
  if (path.startsWith('/app/redirect')) {
    response.writeHead(307, { location: new URL(path, 'http://api.invalid').searchParams.get('to') ?? '/' })
    response.end()
    return
  }
  const session = await authenticator.authenticate(request).catch((error: unknown) => {
    if (!(error instanceof AuthenticationError)) throw error
    response.writeHead(error.status, error.headers)
    response.end(JSON.stringify(error.problem()))
    return null
  })
  if (session === null) return
  const bodyHash = createHash('sha256').update(body).digest('hex').slice(0, 24)
  const key = request.headers['idempotency-key']
  const idempotencyKey = typeof key === 'string' ? key : null
  const subject = session.user
  executed.push({ method: request.method ?? 'GET', path, subject, idempotencyKey, bodyHash, bodyBytes: body.length })
  if (path.startsWith('/app/stream')) return await stream(response)
  json(response, 200, { subject, generation: session.claims.gen, bodyHash, bodyBytes: body.length, contentType: request.headers['content-type'] ?? null })
}

async function stream(response: ServerResponse): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/plain' })
  for (let line = 1; line <= 5; line += 1) {
    response.write(`line ${line}\n`)
    await new Promise((resolve) => setImmediate(resolve))
  }
  response.end()
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

function json(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(value))
}
