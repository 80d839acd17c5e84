import type { Token } from '../../wire/shapes.ts'
import { isStream } from './body.ts'
import { configurationError } from './client-errors.ts'
import { retryAfterOf } from './exchange.ts'
import type { Platform } from './platform.ts'
import { isSecure } from './server-link.ts'

const PAUSE_MS = 500
const PAUSE_MAX_MS = 30_000
const REDIRECTS_MAX = 5
/** Repeating these changes nothing (RFC 9110 section 9.2.2). */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])

interface ApiFetchParts {
  readonly platform: Platform
  readonly maxRetries: number
  /** `rejected`: the generation that the API refused. */
  readonly token: (rejected: number | null) => Promise<Token>
}

/** One request of the application to a provider's API, with the token of a connection. */
export async function fetchWithToken(parts: ApiFetchParts, address: string | URL, init: RequestInit): Promise<Response> {
  const { platform, maxRetries } = parts
  const url = addressOf(address)
  const method = (init.method ?? 'GET').toUpperCase()
  const twice = !isStream(init.body)
  let token = await parts.token(null)
  let replayed = false
  for (let tries = 0; ; ) {
    const response = await send(platform, url, method, init, token)
    if (response.status === 401 && !twice) {
      // Too late for this request: for the next one, which would bring the same token.
      await parts.token(token.generation).catch(() => {})
      return response
    }
    if (response.status === 401 && !replayed) {
      replayed = true
      const newer = await parts.token(token.generation)
      // Nothing newer: the refusal is not about this token, and is the caller's.
      if (newer.generation === token.generation) return response
      token = newer
      await response.body?.cancel()
      continue
    }
    const pause = tries < maxRetries && twice ? pauseOf(response, method, tries, platform) : null
    if (pause === null) return response
    tries += 1
    await response.body?.cancel()
    await platform.wait(pause, init.signal ?? undefined)
  }
}

function addressOf(address: string | URL): URL {
  const url = URL.canParse(String(address)) ? new URL(address) : null
  if (url === null) throw configurationError(`\`${String(address)}\` is no absolute address. Name the API's host: https://api.example.com/...`)
  if (!isSecure(url)) throw configurationError(`${url.origin} is not https. A token is not sent where everybody on the way reads along.`)
  if (url.username !== '' || url.password !== '') throw configurationError('The address must not hold a name or a password.')
  return url
}

/** 429: it was not done. 503: perhaps it was, so only what can be repeated is; or the API says itself when to come again. */
function pauseOf(response: Response, method: string, tries: number, { now, random }: Platform): number | null {
  const { status, headers } = response
  if (status !== 429 && status !== 503) return null
  const asked = retryAfterOf(headers, now())
  if (status === 503 && asked === null && !IDEMPOTENT.has(method)) return null
  const pause = asked ?? PAUSE_MS * 2 ** tries * (0.5 + random() / 2)
  return pause > PAUSE_MAX_MS ? null : pause
}

/** API keys stand where each provider wants them: only its record knows. */
function authorizationOf({ token_type: type, access_token: token, connection_id: id }: Token): string {
  if (type.toLowerCase() === 'bearer') return `Bearer ${token}`
  if (type === 'ApiKey') throw configurationError(`${id} holds an API key, whose place in a request only the provider's record knows. Use connections.proxy().`)
  return `${type} ${token}`
}

/** Follows redirects inside the origin that the caller named. One that leads elsewhere is the answer: the token does not go there. */
async function send({ fetch }: Platform, first: URL, method: string, init: RequestInit, token: Token): Promise<Response> {
  const headers = new Headers(init.headers)
  headers.set('authorization', authorizationOf(token))
  let url = first
  for (let hops = 0; ; hops += 1) {
    const response = await fetch(url, { ...init, method, headers, redirect: 'manual' })
    const location = response.headers.get('location')
    if (init.redirect === 'manual' || response.status < 300 || response.status > 399 || location === null || hops >= REDIRECTS_MAX) return response
    if (init.redirect === 'error') {
      await response.body?.cancel()
      throw new TypeError(`${url.origin} redirects (status ${response.status}), and \`redirect: 'error'\` was asked for.`)
    }
    const next = new URL(location, url)
    if (next.origin !== first.origin || (method !== 'GET' && method !== 'HEAD')) return response
    await response.body?.cancel()
    url = next
  }
}
