import { createVerify, type KeyObject } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'

/** What the provider takes; a test changes it while the server runs. */
interface Accepted {
  /** Client id -> secret. */
  readonly clients: Map<string, string>
  readonly subjects: Set<string>
  readonly installations: Set<string>
  readonly apiKeys: Set<string>
}

export interface IssuingProvider {
  readonly url: string
  readonly accepted: Accepted
  /** One entry for each request that was answered with a token: the grant and for whom. */
  readonly issued: string[]
  close(): Promise<void>
}

/** A token endpoint, a GitHub and an API on loopback that check every proof themselves: client secrets, signatures, keys. */
export async function startIssuingProvider(publicKey: KeyObject): Promise<IssuingProvider> {
  const accepted: Accepted = { clients: new Map(), subjects: new Set(), installations: new Set(), apiKeys: new Set() }
  const issued: string[] = []
  const server = createServer((request, response) => {
    answer(request, { publicKey, accepted, issued }).then(
      ({ status, body }) => send(response, status, body),
      (error: unknown) => send(response, 500, { error: String(error) }),
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the provider has no port')
  const close = async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  }
  return { url: `http://127.0.0.1:${address.port}`, accepted, issued, close }
}

interface Reply {
  readonly status: number
  readonly body: unknown
}

interface State {
  readonly publicKey: KeyObject
  readonly accepted: Accepted
  readonly issued: string[]
}

async function answer(request: IncomingMessage, state: State): Promise<Reply> {
  const body = await text(request)
  const path = request.url ?? ''
  const installation = /^\/app\/installations\/([0-9]+)\/access_tokens$/.exec(path)?.[1]
  if (request.method === 'POST' && path === '/token') return token(request, new URLSearchParams(body), state)
  if (request.method === 'POST' && installation !== undefined) return installationToken(request, installation, state)
  if (path.startsWith('/v1/')) return api(request, state)
  return { status: 404, body: { message: 'Not Found' } }
}

function token(request: IncomingMessage, form: URLSearchParams, { accepted, publicKey, issued }: State): Reply {
  const grant = form.get('grant_type')
  if (grant === 'client_credentials') {
    const [id = '', secret = ''] = basicOf(request).map((part) => decodeURIComponent(part.replaceAll('+', ' ')))
    if (accepted.clients.get(id) !== secret) return { status: 401, body: { error: 'invalid_client', error_description: `no client ${id} with ${secret}` } }
    return granted(issued, `client ${id}`, { scope: form.get('scope') ?? '' })
  }
  if (grant !== 'urn:ietf:params:oauth:grant-type:jwt-bearer') return { status: 400, body: { error: 'unsupported_grant_type' } }
  const claims = verified(form.get('assertion') ?? '', publicKey)
  const subject = String(claims?.['sub'] ?? claims?.['iss'])
  if (claims === null) return { status: 400, body: { error: 'invalid_grant', error_description: 'Invalid JWT Signature.' } }
  if (!accepted.subjects.has(subject)) return { status: 401, body: { error: 'unauthorized_client', error_description: 'not delegated' } }
  return granted(issued, `subject ${subject}`, {})
}

function installationToken(request: IncomingMessage, id: string, { accepted, publicKey, issued }: State): Reply {
  const claims = verified((request.headers.authorization ?? '').replace('Bearer ', ''), publicKey)
  if (claims?.['iss'] !== 'app-1') return { status: 401, body: { message: 'A JSON web token could not be decoded' } }
  if (!accepted.installations.has(id)) return { status: 404, body: { message: 'Not Found' } }
  issued.push(`installation ${id}`)
  const end = new Date(Date.now() + 3_600_000).toISOString()
  return { status: 201, body: { token: `ghs_${issued.length}`, expires_at: end, permissions: { contents: 'read', metadata: 'read' } } }
}

/** Says who called, never with what. */
function api(request: IncomingMessage, { accepted }: State): Reply {
  const authorization = request.headers.authorization ?? ''
  const key = request.headers['x-api-key']
  const who =
    typeof key === 'string' && accepted.apiKeys.has(key)
      ? 'api key'
      : /^Bearer (?:at|ghs)[-_][0-9]+$/.test(authorization)
        ? 'bearer'
        : basicUser(authorization, accepted)
  return who === null ? { status: 401, body: { message: 'Unauthorized' } } : { status: 200, body: { who, path: request.url } }
}

function basicUser(authorization: string, { clients }: Accepted): string | null {
  const [user = '', password] = Buffer.from(authorization.replace('Basic ', ''), 'base64').toString().split(':')
  return authorization.startsWith('Basic ') && clients.get(user) === password ? `user ${user}` : null
}

function granted(issued: string[], whom: string, more: object): Reply {
  issued.push(whom)
  return { status: 200, body: { access_token: `at-${issued.length}`, token_type: 'Bearer', expires_in: 3_600, ...more } }
}

function basicOf(request: IncomingMessage): string[] {
  return Buffer.from((request.headers.authorization ?? '').replace('Basic ', ''), 'base64')
    .toString()
    .split(':')
}

/** The claims of a JWT whose RS256 signature and times hold; null for every other text. */
function verified(jwt: string, key: KeyObject): Record<string, unknown> | null {
  const [header = '', claims = '', signature = ''] = jwt.split('.')
  const holds = createVerify('sha256').update(`${header}.${claims}`).verify(key, signature, 'base64url')
  const said: Record<string, unknown> = holds ? JSON.parse(Buffer.from(claims, 'base64url').toString()) : {}
  const now = Date.now() / 1_000
  return holds && Number(said['iat']) <= now && Number(said['exp']) > now ? said : null
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
