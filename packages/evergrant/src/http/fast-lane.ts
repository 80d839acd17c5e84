import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { ApiKey } from '../core/access/api-key.ts'
import { LOCAL_KEY_HINT } from '../core/access/api-keys-service.ts'
import type { ConnectionId } from '../core/ids.ts'
import { idPattern } from '../core/ids.ts'
import type { TokenAnswer } from '../core/refresh/refresh-engine.ts'
import { allows, bearerOf } from './authentication.ts'
import type { RateLimiter } from './rate-limit.ts'
import type { Services } from './services.ts'
import { tokenView } from './token-view.ts'

type Handler = (request: IncomingMessage, response: ServerResponse) => void

const BEFORE_ID = '/api/v1/connections/'
const AFTER_ID = '/token'
const ID_LENGTH = 'con_'.length + 36
const CONNECTION_ID = new RegExp(idPattern('con'))

const isConnectionId = (text: string): text is ConnectionId => CONNECTION_ID.test(text)

interface SeenHeader {
  readonly header: string
  readonly hash: string
}

/**
 * The one request that is made a thousand times for every other: a plain read of a token that memory has, by a key that
 * memory knows. It is answered before routing. Everything else, every refusal included, is left to the routes, so that
 * there is one place that says no; `routes/tokens.ts` gives the same answer to the same request.
 */
export class FastLane {
  readonly #services: Pick<Services, 'engine' | 'apiKeys' | 'metrics' | 'uses'>
  readonly #limit: RateLimiter
  readonly #headers: readonly string[]
  readonly #nextRequestId: (request: IncomingMessage) => string
  /** Hashing a key costs more than all the rest: a kept-alive connection nearly always sends the same one. */
  readonly #seen = new WeakMap<Socket, SeenHeader>()
  /** Rendered answers, for as long as the engine keeps the answer itself. */
  readonly #rendered = new WeakMap<TokenAnswer, string>()

  constructor(
    services: Pick<Services, 'engine' | 'apiKeys' | 'metrics' | 'uses'>,
    limit: RateLimiter,
    headers: Readonly<Record<string, string>>,
    nextRequestId: (request: IncomingMessage) => string,
  ) {
    this.#services = services
    this.#limit = limit
    this.#headers = ['content-type', 'application/json; charset=utf-8', ...Object.entries(headers).flat()]
    this.#nextRequestId = nextRequestId
  }

  before(next: Handler): Handler {
    return (request, response) => {
      if (request.method !== 'GET' || !this.#answer(request, response)) next(request, response)
    }
  }

  #answer(request: IncomingMessage, response: ServerResponse): boolean {
    const connection = connectionOf(request.url)
    if (connection === undefined) return false
    const key = this.#keyOf(request)
    if (key === undefined || !allows(key, 'tokens:read')) return false
    const known = this.#services.engine.peek({ organization: key.organization, connection, minTtlMs: 0, rejectedGeneration: null })
    // A body, however odd on a GET, is the routes' business; so is a caller over its limit.
    if (known === undefined || request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined) return false
    if (this.#limit.take(key.id) > 0) return false
    this.#services.metrics.tokenRead(true)
    this.#services.uses.count({ organization: key.organization, kind: key.hint === LOCAL_KEY_HINT ? 'cli' : 'api_key', id: key.id }, connection, 'token')
    const json = this.#render(known)
    response.writeHead(200, [...this.#headers, 'request-id', this.#nextRequestId(request), 'content-length', String(Buffer.byteLength(json))])
    response.end(json)
    return true
  }

  #keyOf(request: IncomingMessage): ApiKey | undefined {
    const header = request.headers.authorization
    if (header === undefined) return undefined
    const seen = this.#seen.get(request.socket)
    if (seen?.header === header) return known(this.#services.apiKeys.peek(seen.hash))
    const text = bearerOf(header)
    const hash = text === undefined ? undefined : this.#services.apiKeys.hashOf(text)
    if (hash === undefined) return undefined
    const key = known(this.#services.apiKeys.peek(hash))
    if (key !== undefined) this.#seen.set(request.socket, { header, hash })
    return key
  }

  #render(answer: TokenAnswer): string {
    let json = this.#rendered.get(answer)
    if (json === undefined) {
      json = JSON.stringify(tokenView(answer))
      this.#rendered.set(answer, json)
    }
    return json
  }
}

function connectionOf(url: string | undefined): ConnectionId | undefined {
  if (url === undefined || url.length !== BEFORE_ID.length + ID_LENGTH + AFTER_ID.length) return undefined
  if (!url.startsWith(BEFORE_ID) || !url.endsWith(AFTER_ID)) return undefined
  const id = url.slice(BEFORE_ID.length, BEFORE_ID.length + ID_LENGTH)
  return isConnectionId(id) ? id : undefined
}

function known(key: ApiKey | 'ended' | 'unknown'): ApiKey | undefined {
  return typeof key === 'string' ? undefined : key
}
