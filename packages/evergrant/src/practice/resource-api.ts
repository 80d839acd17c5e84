import { type Answer, type Call, json } from './answer.ts'
import { accountNumber, apiForbidden, apiUnauthorized } from './answer-shape.ts'
import type { AccessToken } from './grant-book.ts'
import type { Realm } from './realm.ts'

const BEARER = /^Bearer ([A-Za-z0-9\-._~+/|]+=*)$/i

/** The live access token of a call; the call is written into the truth. */
function bearer(realm: Realm, call: Call): AccessToken | undefined {
  const token = BEARER.exec(call.request.headers.authorization ?? '')?.[1]
  return token === undefined ? undefined : realm.book.useAccess(realm.name, token, call.method, call.url.pathname)
}

/** The API of one profile. `path` comes without the profile's prefix. */
export function apiAnswer(realm: Realm, path: string, call: Call): Answer {
  const { shape } = realm.settings()
  const access = bearer(realm, call)
  if (!access) return apiUnauthorized(shape)
  const { grant } = access
  const person = { sub: grant.account, name: grant.account, email: `${grant.account}@practice.example` }
  switch (`${call.method} ${path}`) {
    case 'GET /userinfo':
    case 'POST /userinfo':
      return json(200, person)
    case 'GET /api/me':
      return json(200, { ...person, grant: grant.id, generation: access.generation, scopes: grant.scopes })
    case 'POST /api/echo':
      return json(200, {
        method: call.method,
        content_type: call.request.headers['content-type'] ?? null,
        body: call.body,
        query: Object.fromEntries(call.url.searchParams),
      })
    case 'GET /api/notes':
      return grant.scopes.includes('notes:read') ? json(200, { notes: [{ id: 1, text: 'Practice makes perfect' }] }) : apiForbidden(shape, 'notes:read')
    case 'GET /api/v3/athlete':
      return json(200, { id: accountNumber(grant.account), username: grant.account, resource_state: 3 })
    case 'GET /user/profile':
      return json(200, { user_id: `amzn1.account.${grant.account.toUpperCase()}`, name: grant.account, email: person.email })
    case 'GET /v2/profiles':
      if (!call.request.headers['amazon-advertising-api-clientid']) return apiUnauthorized(shape)
      return json(200, [{ profileId: accountNumber(grant.account), countryCode: 'US', currencyCode: 'USD', timezone: 'America/Los_Angeles' }])
    default:
      return json(404, { error: 'not_found' })
  }
}

const MOST_PIECES = 1000

/** `GET /api/stream?pieces=10&ms=20`: numbered lines, one at a time, as long as the caller reads. */
export async function stream(realm: Realm, call: Call, wait: (ms: number) => Promise<void>): Promise<Answer | undefined> {
  if (!bearer(realm, call)) return apiUnauthorized(realm.settings().shape)
  const pieces = Math.min(MOST_PIECES, Number(call.url.searchParams.get('pieces') ?? 10) || 10)
  const ms = Math.min(10_000, Number(call.url.searchParams.get('ms') ?? 20) || 0)
  call.response.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' })
  for (let piece = 1; piece <= pieces && !call.response.destroyed; piece += 1) {
    call.response.write(`${JSON.stringify({ piece })}\n`)
    await wait(ms)
  }
  call.response.end()
  return undefined
}
