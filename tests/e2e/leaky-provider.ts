import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { SecretSearch } from './secret-search.ts'

/** How the token endpoint answers. All but `grant` and `hang` repeat every parameter of the request in their error. */
export type Leak = 'grant' | 'oauth_error' | 'invalid_client' | 'html' | 'ok_with_error' | 'json_500' | 'rate_limited' | 'hang'

/** A provider with planted values and bad manners: its errors repeat what it was sent, in every spelling. */
export interface LeakyProvider {
  readonly url: string
  leak: Leak
  /** Requests that hang at this moment. */
  hanging(): number
  close(): Promise<void>
}

const random = () => randomBytes(30).toString('base64')

export async function startLeakyProvider(search: SecretSearch): Promise<LeakyProvider> {
  let held = 0
  const server = createServer((request, response) => {
    readBody(request).then((body) => {
      const sent = new URLSearchParams(body)
      for (const [name, value] of sent) if (['code', 'code_verifier', 'refresh_token', 'client_secret', 'token'].includes(name)) search.plant(name, value)
      if (request.url === '/revoke') return void response.writeHead(503).end(`cannot revoke ${body}`)
      if (request.url?.startsWith('/api') === true) return void response.writeHead(200).end('{"ok":true}')
      if (provider.leak !== 'hang') return answer(response, provider.leak, body, sent, search)
      held += 1
      response.once('close', () => {
        held -= 1
      })
    }, console.error)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const provider: LeakyProvider = {
    url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    leak: 'grant',
    hanging: () => held,
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return provider
}

/** An operator's provider file for it. */
export function leakyRecord(url: string): unknown {
  return {
    id: 'leaky',
    name: 'Leaky',
    authorize: { url: `${url}/authorize`, defaultScopes: ['read'], pkce: 'required' },
    token: { url: `${url}/token`, clientAuth: 'body' },
    reuse: { class: 'P0', evidence: 'made for a test' },
    rotation: 'always',
    revoke: { url: `${url}/revoke` },
    account: [{ from: 'answer', path: 'user', label: 'user' }],
    api: { base: `${url}/api` },
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  let body = ''
  for await (const piece of request.setEncoding('utf8')) body += piece
  return body
}

function answer(response: ServerResponse, leak: Exclude<Leak, 'hang'>, body: string, sent: URLSearchParams, search: SecretSearch): void {
  const values = [...sent.values()]
  const coded = [body, ...values].map((value) => Buffer.from(value).toString('base64'))
  // What stands first is not cut off; each answer begins with another spelling.
  const echo = (leak === 'html' || leak === 'json_500' ? [...coded, ...values, body] : [body, ...values, ...coded]).join(' ')
  const send = (status: number, type: string, text: string, headers: Record<string, string> = {}) =>
    response.writeHead(status, { 'content-type': type, ...headers }).end(text)
  const oauth = (error: string) => JSON.stringify({ error, error_description: `not accepted: ${echo}`, error_uri: `https://leaky.example/?${body}` })
  switch (leak) {
    case 'grant': {
      const tokens = { access_token: search.plant('issued access token', random()), refresh_token: search.plant('issued refresh token', random()) }
      send(
        200,
        'application/json',
        JSON.stringify({ ...tokens, token_type: 'Bearer', expires_in: 3600, scope: 'read', ...(sent.has('code') ? { user: 'ada' } : {}) }),
      )
      return
    }
    case 'oauth_error':
      return void send(400, 'application/json', oauth('invalid_grant'))
    case 'invalid_client':
      return void send(401, 'application/json', oauth('invalid_client'))
    case 'html':
      return void send(502, 'text/html', `<html><body><h1>Bad gateway</h1><pre>${echo}</pre></body></html>`, { 'x-echo': encodeURIComponent(body) })
    case 'ok_with_error':
      return void send(200, 'application/json', oauth('server_error'))
    case 'json_500':
      return void send(500, 'application/json', oauth(echo))
    case 'rate_limited':
      return void send(429, 'application/json', oauth('slow_down'), { 'retry-after': '1' })
  }
}
