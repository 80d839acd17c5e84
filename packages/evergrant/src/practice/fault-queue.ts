/** Where a fault strikes. `token.refresh` and `token.exchange` are the two grant types of the token endpoint. */
export type FaultStep = 'token.refresh' | 'token.exchange' | 'api' | 'revoke'

export type FaultKind =
  | 'delay'
  | 'hang'
  | 'reset'
  | 'lost_answer'
  | 'status'
  | 'rate_limited'
  | 'html'
  | 'ok_with_error'
  | 'invalid_grant'
  | 'invalid_client'
  | 'truncated'
  | 'huge'
  | 'drip'

/** A fault on command. Fields that a kind does not use are ignored. */
export interface FaultSpec {
  /** Path prefix of the profile; `*` (default): every profile. */
  readonly profile?: string
  readonly step: FaultStep
  readonly kind: FaultKind
  /** Before or after the provider's own commit. Default: before; after for `lost_answer`, `truncated`, `huge`, `drip`. */
  readonly when?: 'before' | 'after'
  /** How many matching requests it strikes; null: until cleared. Default 1, or null when `forMs` is given. */
  readonly times?: number | null
  /** Ends this many milliseconds after it was set. */
  readonly forMs?: number
  /** `delay`: milliseconds before going on. `drip`: milliseconds between two pieces (default 50). */
  readonly ms?: number
  /** `status`, `html`: the HTTP status (default 503; `html` 200). */
  readonly status?: number
  /** `rate_limited`, `status`: the Retry-After header, seconds or an HTTP date; absent: no header. */
  readonly retryAfter?: number | string
  /** `huge`: size of the padding in bytes (default 1 MiB). */
  readonly bytes?: number
  /** `invalid_grant`: true really ends the grant; false (default) is a lie. */
  readonly revoke?: boolean
  /** `status`, `html`, `ok_with_error`: the body to send. */
  readonly body?: string
}

export interface QueuedFault {
  readonly id: number
  readonly spec: FaultSpec
  readonly when: 'before' | 'after'
  readonly endsAt: number | null
  left: number | null
  struck: number
}

const STEPS: readonly string[] = ['token.refresh', 'token.exchange', 'api', 'revoke']
const KINDS: readonly string[] = [
  'delay',
  'hang',
  'reset',
  'lost_answer',
  'status',
  'rate_limited',
  'html',
  'ok_with_error',
  'invalid_grant',
  'invalid_client',
  'truncated',
  'huge',
  'drip',
]
const AFTER_BY_NATURE: readonly FaultKind[] = ['lost_answer', 'truncated', 'huge', 'drip']

/** Faults wait here in the order they were set; the first that matches a request strikes it. */
export class FaultQueue {
  readonly #now: () => number
  #faults: QueuedFault[] = []
  #nextId = 1

  constructor(now: () => number) {
    this.#now = now
  }

  /** Throws a TypeError that names the bad field. Returns the fault's number. */
  add(spec: FaultSpec): number {
    if (!STEPS.includes(spec.step)) throw new TypeError(`fault field step must be one of ${STEPS.join(', ')}`)
    if (!KINDS.includes(spec.kind)) throw new TypeError(`fault field kind must be one of ${KINDS.join(', ')}`)
    const id = this.#nextId++
    this.#faults.push({
      id,
      spec,
      when: AFTER_BY_NATURE.includes(spec.kind) ? 'after' : (spec.when ?? 'before'),
      endsAt: spec.forMs === undefined ? null : this.#now() + spec.forMs,
      left: spec.times === undefined ? (spec.forMs === undefined ? 1 : null) : spec.times,
      struck: 0,
    })
    return id
  }

  /** The first live fault for this request, counted down. */
  take(profile: string, step: FaultStep): QueuedFault | undefined {
    this.#faults = this.#faults.filter((fault) => this.#live(fault))
    const fault = this.#faults.find(({ spec }) => spec.step === step && (spec.profile === undefined || spec.profile === '*' || spec.profile === profile))
    if (!fault) return undefined
    fault.struck += 1
    if (fault.left !== null) fault.left -= 1
    return fault
  }

  list(): readonly QueuedFault[] {
    return this.#faults.filter((fault) => this.#live(fault))
  }

  /** Clears one fault, those of one profile, or all. */
  clear(which: { readonly id?: number; readonly profile?: string } = {}): void {
    this.#faults = this.#faults.filter(({ id, spec }) => {
      if (which.id !== undefined) return id !== which.id
      return which.profile !== undefined && spec.profile !== which.profile
    })
  }

  #live(fault: QueuedFault): boolean {
    return (fault.left === null || fault.left > 0) && (fault.endsAt === null || fault.endsAt > this.#now())
  }
}
