/** npm `oidc-provider` as a program: `node oidc-server.ts '<json options>'`. Prints one JSON line with its issuer. */
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { Provider, type TokenContext } from 'oidc-provider'
import { freePort } from './free-port.ts'

interface Options {
  readonly port?: number
  readonly redirectUris: readonly string[]
  readonly accessSeconds?: number
}

interface GrantRecord {
  readonly id: string
  readonly account: string
  exchanges: number
  refreshes: number
  revokedBy: 'control' | 'server' | null
}

const options = JSON.parse(process.argv[2] ?? '{}') as Options
const port = options.port ?? (await freePort())
const issuer = `http://127.0.0.1:${port}`
const grants = new Map<string, GrantRecord>()
const counts = { tokenRequests: 0, granted: 0, refused: 0 }
const signingKey = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' })

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: 'evergrant-e2e',
      client_secret: 'evergrant-e2e-secret',
      redirect_uris: options.redirectUris,
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'client_secret_basic',
    },
  ],
  jwks: { keys: [{ ...signingKey, use: 'sig', alg: 'RS256', kid: 'lab' }] },
  cookies: { keys: [randomBytes(32).toString('base64url')] },
  scopes: ['openid', 'offline_access', 'email'],
  claims: { openid: ['sub'], email: ['email'] },
  pkce: { required: () => true },
  rotateRefreshToken: true,
  issueRefreshToken: () => Promise.resolve(true),
  expiresWithSession: () => Promise.resolve(false),
  ttl: {
    AccessToken: options.accessSeconds ?? 3600,
    RefreshToken: 86_400,
    Grant: 86_400,
    Session: 86_400,
    Interaction: 3600,
    IdToken: 3600,
    AuthorizationCode: 60,
  },
  features: { devInteractions: { enabled: false }, revocation: { enabled: true }, introspection: { enabled: true } },
  findAccount: (_context: unknown, sub: string) => Promise.resolve({ accountId: sub, claims: () => Promise.resolve({ sub, email: `${sub}@lab.example` }) }),
  interactions: { url: (_context: unknown, interaction: { uid: string }) => `/interaction/${interaction.uid}` },
})

provider.on('grant.success', ({ oidc }: TokenContext) => {
  counts.granted += 1
  const token = oidc.entities['RotatedRefreshToken'] ?? oidc.entities['RefreshToken'] ?? oidc.entities['AccessToken']
  const id = token?.grantId
  if (id === undefined) return
  const record = grants.get(id) ?? { id, account: token?.accountId ?? '', exchanges: 0, refreshes: 0, revokedBy: null }
  if (oidc.params?.['grant_type'] === 'refresh_token') record.refreshes += 1
  else record.exchanges += 1
  grants.set(id, record)
})
provider.on('grant.error', () => {
  counts.refused += 1
})
provider.on('grant.revoked', (_context: unknown, id: string) => {
  const record = grants.get(id)
  if (record) record.revokedBy ??= 'server'
})

async function revoke(id: string): Promise<boolean> {
  const record = grants.get(id)
  const grant = await provider.Grant.find(id)
  if (!record || !grant) return false
  record.revokedBy ??= 'control'
  await Promise.all([provider.RefreshToken.revokeByGrantId(id), provider.AccessToken.revokeByGrantId(id), grant.destroy()])
  return true
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).toString('utf8')
}

const FORM = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Sign in</title>
<form method="post"><label>Account <input name="account" value="ada" required></label>
<button name="decision" value="allow">Sign in and allow</button> <button name="decision" value="deny">Deny</button></form></html>`

/** One form answers both questions that the server may ask: who are you, and do you allow it. */
async function interact(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { params } = await provider.interactionDetails(request, response)
  if (request.method !== 'POST') {
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(FORM)
    return
  }
  const form = new URLSearchParams(await bodyOf(request))
  const accountId = form.get('account') ?? 'ada'
  if (form.get('decision') !== 'allow') {
    const refusal = { error: 'access_denied', error_description: 'the person said no' }
    return await provider.interactionFinished(request, response, refusal, { mergeWithLastSubmission: false })
  }
  const grant = new provider.Grant({ accountId, clientId: params['client_id'] ?? '' })
  grant.addOIDCScope('openid offline_access email')
  const result = { login: { accountId }, consent: { grantId: await grant.save() } }
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false })
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

const serve = provider.callback()
const server = createServer((request, response) => {
  const path = (request.url ?? '/').split('?')[0] ?? '/'
  const handle = async (): Promise<void> => {
    if (path.startsWith('/interaction/')) return await interact(request, response)
    if (path === '/control/state') return reply(response, 200, { ...counts, grants: [...grants.values()] })
    if (path.startsWith('/control/revoke/') && request.method === 'POST') {
      const revoked = await revoke(path.slice('/control/revoke/'.length))
      return reply(response, revoked ? 200 : 404, { revoked })
    }
    if (path === '/token' && request.method === 'POST') counts.tokenRequests += 1
    await serve(request, response)
  }
  handle().catch((error: unknown) => reply(response, 500, { error: error instanceof Error ? error.message : 'unexpected' }))
})
server.listen(port, '127.0.0.1', () => process.stdout.write(`${JSON.stringify({ issuer, pid: process.pid })}\n`))
process.once('SIGTERM', () => process.exit(0))
