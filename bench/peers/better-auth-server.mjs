// better-auth behind node:http as its documentation shows it, on PostgreSQL, in production mode. Two further routes are the
// bench's own: `POST /bench/account` stores an account through the library's own adapter, as its callback would, and
// `GET /bench/token` calls the library in process, without its session check: its cheapest way to a token.
import { createServer } from 'node:http'
import { betterAuth } from 'better-auth'
import { symmetricEncrypt } from 'better-auth/crypto'
import { getMigrations } from 'better-auth/db/migration'
import { toNodeHandler } from 'better-auth/node'
import { genericOAuth } from 'better-auth/plugins'
import pg from 'pg'

const { DATABASE_URL, PORT, ISSUER, ENCRYPT, COOKIE_CACHE } = process.env
const pool = new pg.Pool({ connectionString: DATABASE_URL })
pool.on('error', () => {})

const options = {
  database: pool,
  baseURL: `http://127.0.0.1:${PORT}`,
  secret: 'bench-secret-of-better-auth-0123456789',
  logger: { level: 'error' },
  telemetry: { enabled: false },
  rateLimit: { enabled: false },
  emailAndPassword: { enabled: true },
  session: COOKIE_CACHE === '1' ? { cookieCache: { enabled: true, maxAge: 3600 } } : {},
  account: { encryptOAuthTokens: ENCRYPT === '1' },
  plugins: [
    genericOAuth({
      config: [
        {
          providerId: 'strict',
          clientId: 'practice',
          clientSecret: 'practice-secret',
          authorizationUrl: `${ISSUER}/authorize`,
          tokenUrl: `${ISSUER}/token`,
          authentication: 'basic',
        },
      ],
    }),
  ],
}

const { runMigrations } = await getMigrations(options)
await runMigrations()
const auth = betterAuth(options)
const context = await auth.$context
const handler = toNodeHandler(auth)

async function body(request) {
  const chunks = []
  for await (const chunk of request) chunks.push(chunk)
  return JSON.parse(Buffer.concat(chunks).toString('utf8'))
}

const sealed = (token) => (ENCRYPT === '1' ? symmetricEncrypt({ key: context.secretConfig, data: token }) : token)

async function storeAccount(tokens) {
  const row = await context.internalAdapter.createAccount({
    userId: tokens.user,
    providerId: 'strict',
    accountId: tokens.account,
    accessToken: await sealed(tokens.access_token),
    refreshToken: await sealed(tokens.refresh_token),
    accessTokenExpiresAt: new Date(tokens.expires_at),
  })
  return { id: row.id }
}

createServer(async (request, response) => {
  if (!request.url.startsWith('/bench/')) return handler(request, response)
  try {
    const answer =
      request.method === 'POST'
        ? await storeAccount(await body(request))
        : await auth.api.getAccessToken({ body: { accountId: request.headers['x-account'], userId: request.headers['x-user'] } })
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(answer))
  } catch (error) {
    response.writeHead(error.statusCode ?? 500, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ message: String(error.message) }))
  }
}).listen(Number(PORT), '127.0.0.1', 4096, () => console.log(JSON.stringify({ url: `http://127.0.0.1:${PORT}` })))
