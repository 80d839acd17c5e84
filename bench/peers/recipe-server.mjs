// A small application that keeps each token in a PostgreSQL row and renews it with a client library in the way the library's
// documentation shows: look whether it is expired, refresh, store, use. `LOCK=1` adds what a careful author adds by hand:
// one refresh of a token at a time within the process.
import { createServer } from 'node:http'
import pg from 'pg'

const { DATABASE_URL, PORT, ISSUER, LIBRARY, LOCK } = process.env
const pool = new pg.Pool({ connectionString: DATABASE_URL })
pool.on('error', () => {})
await pool.query('create table if not exists token (id text primary key, value json not null)')

const load = async (id) => (await pool.query('select value from token where id = $1', [id])).rows[0].value
const save = (id, value) =>
  pool.query('insert into token (id, value) values ($1, $2) on conflict (id) do update set value = excluded.value', [id, JSON.stringify(value)])

async function simpleOauth2() {
  const { AuthorizationCode } = await import('simple-oauth2')
  const { origin, pathname } = new URL(ISSUER)
  const client = new AuthorizationCode({
    client: { id: 'practice', secret: 'practice-secret' },
    auth: { tokenHost: origin, tokenPath: `${pathname}/token` },
  })
  return async (id, stored) => {
    let token = client.createToken(stored)
    if (token.expired()) {
      token = await token.refresh()
      await save(id, token.token)
    }
    return token.token.access_token
  }
}

async function openidClient() {
  const client = await import('openid-client')
  const config = new client.Configuration(
    { issuer: ISSUER, token_endpoint: `${ISSUER}/token` },
    'practice',
    undefined,
    client.ClientSecretBasic('practice-secret'),
  )
  client.allowInsecureRequests(config)
  return async (id, stored) => {
    if (new Date(stored.expires_at).getTime() > Date.now()) return stored.access_token
    const answer = await client.refreshTokenGrant(config, stored.refresh_token)
    await save(id, {
      access_token: answer.access_token,
      refresh_token: answer.refresh_token ?? stored.refresh_token,
      expires_at: new Date(Date.now() + answer.expires_in * 1000).toISOString(),
    })
    return answer.access_token
  }
}

const current = LIBRARY === 'openid-client' ? await openidClient() : await simpleOauth2()
const inFlight = new Map()

async function token(id) {
  const renewed = async () => current(id, await load(id))
  if (LOCK !== '1') return renewed()
  if (!inFlight.has(id)) {
    const refresh = renewed().finally(() => inFlight.delete(id))
    inFlight.set(id, refresh)
  }
  return inFlight.get(id)
}

async function body(request) {
  const chunks = []
  for await (const chunk of request) chunks.push(chunk)
  return JSON.parse(Buffer.concat(chunks).toString('utf8'))
}

createServer(async (request, response) => {
  try {
    const id = new URL(request.url, ISSUER).searchParams.get('id')
    if (request.method === 'POST') await save(id, await body(request))
    const answer = request.method === 'POST' ? {} : { access_token: await token(id) }
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(answer))
  } catch (error) {
    response.writeHead(502, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ message: String(error.message) }))
  }
}).listen(Number(PORT), '127.0.0.1', 4096, () => console.log(JSON.stringify({ url: `http://127.0.0.1:${PORT}` })))
