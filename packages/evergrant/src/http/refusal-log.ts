import type { FastifyRequest } from 'fastify'
import type { Fault } from '../core/fault/fault.ts'
import type { Log } from '../core/log.ts'
import { addressBucket, RateLimiter } from './rate-limit.ts'
import type { Caller } from './services.ts'

/** Known, and not allowed: what a caller tried that its rights do not cover, or that came from a page of somebody else. */
const REFUSALS: ReadonlySet<string> = new Set(['forbidden', 'role_missing', 'second_factor_missing', 'cross_site_request', 'agent_policy_refused'])
/** Of one caller, so that a loop fills neither the disk nor the page of whoever reads. All are counted by the metric. */
const LINES = { perSecond: 0.2, capacity: 20 }

/** Who asked, as far as it is known. */
type Asking = Pick<Caller, 'organization' | 'actor'>

interface RefusalPorts {
  readonly log: Pick<Log, 'warn'>
  readonly mono: () => number
  /** Every refusal, by code. */
  readonly count: (code: string) => void
}

/** Requests that were refused for a missing right, a line each (ASVS 16.3.2): who, what and from where; never what was sent. */
export class RefusalLog {
  readonly #ports: RefusalPorts
  readonly #lines: RateLimiter

  constructor(ports: RefusalPorts) {
    this.#ports = ports
    this.#lines = new RateLimiter(LINES, ports.mono)
  }

  note(request: Pick<FastifyRequest, 'id' | 'ip' | 'method' | 'routeOptions' | 'caller' | 'turnedAway'>, { code }: Pick<Fault, 'code'>): void {
    if (!REFUSALS.has(code)) return
    this.#ports.count(code)
    const asking: Asking | null = request.caller ?? request.turnedAway
    if (this.#lines.take(asking?.actor.id ?? asking?.actor.kind ?? addressBucket(request.ip)) > 0) return
    this.#ports.log.warn(
      {
        request: request.id,
        code,
        method: request.method,
        route: request.routeOptions.url ?? '(none)',
        actor: asking?.actor.kind ?? null,
        actor_id: asking?.actor.id ?? null,
        organization: asking?.organization ?? null,
        // Whose address it is stands in the events of their sign-in.
        address: asking === null ? request.ip : null,
      },
      'a request was refused for a missing right',
    )
  }
}
