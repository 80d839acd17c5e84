import type { IntegrationId } from '../ids.ts'
import type { Clock, Timers } from '../time.ts'

/** So many exchanges that have ended are remembered for each integration. */
const REMEMBERED = 32
/** While requests are under way the node looks at its own pace this often. */
const PULSE_MS = 500
/** A timer that is later than this was not late by chance: this process stood still. */
const LATE_MS = 100

/** One request's time at the provider: connecting, and from sending to the answer. What this node does in between does not count. */
export interface Visit {
  /** The provider is waited for, again. */
  arrive(): void
  /** It has done its part. */
  leave(): void
  /** `whole`: it was an exchange from beginning to end, and says how long one takes. */
  end(whole: boolean): void
}

interface Exchanges {
  readonly under: Set<() => number>
  readonly ended: number[]
  next: number
}

/**
 * How long the token requests of each integration take at the provider. Time in which this process stood still (a busy
 * event loop, a suspended machine) is no time of the provider's, and is taken off.
 */
export class ExchangeTimes {
  readonly #clock: Pick<Clock, 'mono'>
  readonly #timers: Pick<Timers, 'after'>
  readonly #exchanges = new Map<IntegrationId, Exchanges>()
  #visits = 0
  #stoodStillMs = 0
  #pulsing = false

  constructor(clock: Pick<Clock, 'mono'>, timers: Pick<Timers, 'after'>) {
    this.#clock = clock
    this.#timers = timers
  }

  visit(integration: IntegrationId): Visit {
    const exchanges = this.#of(integration)
    let spent = 0
    let since = this.#lived()
    const age = () => spent + Math.max(0, this.#lived() - since)
    const arrive = () => {
      since = this.#lived()
      exchanges.under.add(age)
    }
    const leave = () => {
      if (exchanges.under.delete(age)) spent = age()
    }
    const end = (whole: boolean) => {
      leave()
      this.#visits -= 1
      if (!whole) return
      exchanges.ended[exchanges.next] = spent
      exchanges.next = (exchanges.next + 1) % REMEMBERED
    }
    this.#visits += 1
    exchanges.under.add(age)
    this.#pulse()
    return { arrive, leave, end }
  }

  /** What one exchange takes, in milliseconds: those that ended, or those at the provider now where they fill half of the `limit` and are slower. */
  typicalMs(integration: IntegrationId, limit: number): number {
    const { under, ended } = this.#of(integration)
    const waiting = under.size * 2 >= limit ? middle([...under].map((age) => age())) : 0
    return Math.max(middle(ended), waiting)
  }

  #of(integration: IntegrationId): Exchanges {
    const known = this.#exchanges.get(integration)
    if (known !== undefined) return known
    const fresh: Exchanges = { under: new Set(), ended: [], next: 0 }
    this.#exchanges.set(integration, fresh)
    return fresh
  }

  #lived(): number {
    return this.#clock.mono() - this.#stoodStillMs
  }

  /** Timers fire before the sockets are read: a pulse that is late says so before the answers that waited with it. */
  #pulse(): void {
    if (this.#pulsing) return
    this.#pulsing = true
    const from = this.#clock.mono()
    this.#timers.after(PULSE_MS, () => {
      const late = this.#clock.mono() - from - PULSE_MS
      if (late > LATE_MS) this.#stoodStillMs += late
      this.#pulsing = false
      if (this.#visits > 0) this.#pulse()
    })
  }
}

function middle(values: readonly number[]): number {
  return [...values].sort((left, right) => left - right)[values.length >> 1] ?? 0
}
