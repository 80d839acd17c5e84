import type { IncomingMessage, ServerResponse } from 'node:http'
import { Fault } from '../../core/fault/fault.ts'
import { lacksFactor } from '../../core/session/second-factor.ts'
import type { Session } from '../../core/session/session.ts'
import type { ProvenPerson } from '../../core/session/session-guard.ts'
import { bearerOf } from '../authentication.ts'
import type { RateLimiter } from '../rate-limit.ts'
import type { Services } from '../services.ts'
import { validView } from './session-answer.ts'

type Handler = (request: IncomingMessage, response: ServerResponse) => void

const PATH = '/api/v1/auth/validate'

interface Rendered {
  readonly tokenExpiresAt: number
  readonly organization: string
  readonly json: string
}

/**
 * An application may ask about the access token of each of its own requests: that is answered before routing when memory has all of it. Everything
 * else, every refusal and every page of another origin included, is left to the route, which gives the same answer to the same request.
 */
export class ValidateLane {
  readonly #services: Pick<Services, 'guard' | 'sessions'>
  readonly #limit: RateLimiter
  readonly #headers: readonly string[]
  readonly #nextRequestId: (request: IncomingMessage) => string
  /** A session that changed in any way, or whose person did, is another object. */
  readonly #rendered = new WeakMap<Session, Rendered>()

  constructor(
    services: Pick<Services, 'guard' | 'sessions'>,
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
      if (request.url !== PATH || request.method !== 'GET' || !this.#answer(request, response)) next(request, response)
    }
  }

  #answer(request: IncomingMessage, response: ServerResponse): boolean {
    const { authorization, origin, 'content-length': length, 'transfer-encoding': encoding } = request.headers
    if (origin !== undefined || length !== undefined || encoding !== undefined) return false
    const token = bearerOf(authorization)
    const person = token === undefined ? 'unknown' : this.#services.guard.peek(token, 'not_asked')
    if (person === 'unknown' || person instanceof Fault || lacksFactor(person)) return false
    const json = this.#render(person)
    if (json === undefined || this.#limit.take(person.session.id) > 0) return false
    response.writeHead(200, [...this.#headers, 'request-id', this.#nextRequestId(request), 'content-length', String(Buffer.byteLength(json))])
    response.end(json)
    return true
  }

  #render(person: ProvenPerson): string | undefined {
    const organization = this.#services.sessions.peekOrganization(person)
    if (organization === undefined) return undefined
    const known = this.#rendered.get(person.session)
    if (known?.tokenExpiresAt === person.tokenExpiresAt && known.organization === organization.name) return known.json
    const json = JSON.stringify(validView(person, organization))
    this.#rendered.set(person.session, { tokenExpiresAt: person.tokenExpiresAt, organization: organization.name, json })
    return json
  }
}
