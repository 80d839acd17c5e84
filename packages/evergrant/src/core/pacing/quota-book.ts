import type { ConnectionId, IntegrationId } from '../ids.ts'
import type { Log } from '../log.ts'
import { hasOwnHost } from '../provider/api.ts'
import { counts, type QuotaReading, readQuotas, throttles } from '../provider/quota.ts'
import type { QuotaFacts } from '../provider/record-around.ts'
import type { GrantContext } from '../refresh/grant-contexts.ts'
import type { Clock, Instant, Timers } from '../time.ts'
import { SECOND } from '../time.ts'
import { Buckets } from './buckets.ts'
import { Pause } from './pause.ts'
import { QuotaWindow } from './quota-window.ts'
import { isFromAhead, PAUSE, type QuotaState, type Quotas } from './quotas.ts'

/** Who is about to send a request to a provider's API. */
export interface QuotaSubject {
  readonly integration: IntegrationId
  readonly connection: ConnectionId
  readonly quotas: readonly QuotaFacts[]
  /** Part of each limit, 0 to 50, that is left to whoever else uses the same client. */
  readonly reservePercent: number
  /** The connection's API is at a host of its own. */
  readonly ownHost?: boolean
}

export function quotaSubject({ integration, record }: GrantContext, connection: ConnectionId): QuotaSubject {
  const { quotaReserve } = integration.settings
  return { integration: integration.id, connection, quotas: record.limits.api, reservePercent: quotaReserve, ownHost: hasOwnHost(record) }
}

/** A request that may go. One of these is called once when it is over. */
export interface QuotaPass {
  /** Lower-case names. `retryAfterMs`: as the provider asked, where the answer says that we are too fast. */
  readonly answered: (answer: { readonly headers: Readonly<Record<string, string>>; readonly throttled: boolean; readonly retryAfterMs: number | null }) => void
  /** Nothing came back; `sent`: the provider may have counted it. */
  readonly failed: (sent: boolean) => void
}

export type QuotaAdmission = { readonly kind: 'go'; readonly pass: QuotaPass } | { readonly kind: 'wait'; readonly until: Instant; readonly quota: string }

/** Of this node. `held`: how often a request was told to wait. */
export interface QuotaStats {
  readonly usedUp: number
  readonly pauses: number
  readonly held: number
}

interface QuotaPorts {
  readonly clock: Clock
  readonly timers: Pick<Timers, 'after'>
  readonly quotas: Quotas
  readonly log: Log
}

/** Written and told to other nodes at most this often. */
const SHARE_EVERY_MS = SECOND
/** A quota of one connection is worth telling once this part of it is used. */
const WORTH_TELLING = 0.8
/** Beyond this the states of connections that are of no use any more are dropped. */
const MANY = 20_000
const SWEEP_EVERY_MS = 10 * SECOND

interface Place {
  readonly integration: IntegrationId
  readonly connection: ConnectionId | null
}

interface Counting {
  readonly quota: QuotaFacts
  readonly name: string
  readonly window: QuotaWindow
}

interface Sent {
  readonly method: string
  readonly url: string
  readonly at: Instant
}

interface Kept<What> {
  readonly place: Place
  readonly name: string
  readonly what: What
}

/**
 * What is left of providers' quotas, learnt from every answer and shared by all nodes within a second, so that a request
 * that cannot be served is not sent. What is unknown or past holds nobody back; neither does a database that is away.
 */
export class QuotaBook {
  readonly #ports: QuotaPorts
  readonly #windows = new Map<string, Kept<QuotaWindow>>()
  readonly #pauses = new Map<string, Kept<Pause>>()
  readonly #buckets = new Buckets()
  /** Integrations whose stored states were read. */
  readonly #read = new Map<IntegrationId, Promise<void>>()
  readonly #toTell = new Map<string, QuotaState>()
  #toldAt = Number.NEGATIVE_INFINITY
  #telling = false
  #held = 0
  #sweptAt = Number.NEGATIVE_INFINITY

  constructor(ports: QuotaPorts) {
    this.#ports = ports
  }

  /** What other nodes learnt before this one looked. Null when there is nothing to wait for; never rejects. */
  ready(integration: IntegrationId): Promise<void> | null {
    const known = this.#read.get(integration)
    if (known !== undefined) return known === DONE ? null : known
    const reading = this.#ports.quotas
      .of(integration)
      .then((states) => {
        for (const state of states) this.hear(state)
        this.#read.set(integration, DONE)
      })
      .catch((error: unknown) => {
        this.#read.delete(integration)
        this.#ports.log.warn({ integration, error: String(error) }, 'the quotas that other nodes know could not be read; this node goes by its own')
      })
    this.#read.set(integration, reading)
    return reading
  }

  /** After a time without news: what is stored is read again. */
  doubt(): void {
    this.#read.clear()
  }

  /** Another node's word, or our own coming back. */
  hear(state: QuotaState): void {
    const now = this.#ports.clock.wall()
    if (state.resetsAt <= now || isFromAhead(state.observedAt, now)) return
    if (state.name === PAUSE) this.#pause(state).keep(state.resetsAt, now)
    else this.#window(state, state.name).hear(state, now)
  }

  /** Asks every quota that the request counts against. `url` tells buckets apart, where the record has some. */
  enter(subject: QuotaSubject, method: string, url = ''): QuotaAdmission {
    const now = this.#ports.clock.wall()
    const paused = latest(this.#places(subject).map((place) => this.#pauses.get(keyOf(place, PAUSE))?.what.until(now) ?? null))
    if (paused !== null) return this.#hold(paused, PAUSE)
    const counted = subject.quotas.flatMap((quota) => {
      const name = counts(quota, method) ? this.#buckets.nameOf(subject.integration, quota, method, url) : null
      return name === null ? [] : [{ quota, name, window: this.#window(placeOf(subject, quota), name) }]
    })
    let held: { readonly until: Instant; readonly quota: string } | null = null
    for (const { quota, name, window } of counted) {
      const until = window.closedUntil(quota, subject.reservePercent, now)
      if (until !== null && (held === null || until > held.until)) held = { until, quota: name }
    }
    if (held !== null) return this.#hold(held.until, held.quota)
    for (const { window } of counted) window.inFlight += 1
    return { kind: 'go', pass: this.#pass(subject, counted, { method, url, at: now }) }
  }

  #hold(until: Instant, quota: string): QuotaAdmission {
    this.#held += 1
    return { kind: 'wait', until, quota }
  }

  /** Windows and pauses that are not over: everybody's first, then those of connections that have used theirs up. */
  shown(integration: IntegrationId): readonly QuotaState[] {
    const now = this.#ports.clock.wall()
    const states: QuotaState[] = []
    for (const { place, name, what } of this.#windows.values()) {
      const { told } = what
      if (place.integration !== integration || !isOf(told, now)) continue
      if (place.connection === null || told.remaining === 0) states.push({ ...place, name, ...told })
    }
    for (const { place, name, what } of this.#pauses.values()) {
      const until = what.until(now)
      if (place.integration === integration && until !== null) states.push({ ...place, name, limit: null, remaining: 0, resetsAt: until, observedAt: now })
    }
    return states.sort((left, right) => Number(left.connection !== null) - Number(right.connection !== null) || left.resetsAt - right.resetsAt)
  }

  /** For metrics. */
  stats(): QuotaStats {
    const now = this.#ports.clock.wall()
    let usedUp = 0
    for (const { what } of this.#windows.values()) if (isOf(what.told, now) && what.told.remaining === 0) usedUp += 1
    let pauses = 0
    for (const { what } of this.#pauses.values()) if (what.until(now) !== null) pauses += 1
    return { usedUp, pauses, held: this.#held }
  }

  #pass(subject: QuotaSubject, counted: readonly Counting[], sent: Sent): QuotaPass {
    const leave = () => {
      for (const { window } of counted) window.inFlight -= 1
    }
    return {
      answered: ({ headers, throttled, retryAfterMs }) => {
        leave()
        const now = this.#ports.clock.wall()
        const readings = readQuotas(subject.quotas, { headers, at: now })
        for (const reading of readings) this.#learn(subject, reading, this.#buckets.learn(subject.integration, reading.quota, sent, headers), now)
        for (const { quota, window } of counted) if (!readings.some((reading) => reading.quota === quota)) window.passed()
        const explained = readings.some(({ remaining, quota }) => remaining === 0 && counts(quota, sent.method))
        this.#judge(subject, { throttled, retryAfterMs, sentAt: sent.at, now, explained })
      },
      failed: (mayCount) => {
        leave()
        if (mayCount) for (const { window } of counted) window.passed()
      },
    }
  }

  #learn(subject: QuotaSubject, { quota, limit, remaining, resetsAt }: QuotaReading, name: string | null, now: Instant): void {
    if (name === null) return
    const place = placeOf(subject, quota)
    const window = this.#window(place, name)
    const before = window.told
    window.hear({ limit, remaining, resetsAt, observedAt: now }, now)
    const { told } = window
    if (told === null || told === before) return
    if (place.connection === null || told.remaining === 0 || (told.limit !== null && told.remaining <= told.limit * (1 - WORTH_TELLING)))
      this.#tell({ ...place, name, ...told })
  }

  /** A throttled answer whose quota is known to be used up needs no pause of its own. */
  #judge(
    subject: QuotaSubject,
    said: { readonly throttled: boolean; readonly retryAfterMs: number | null; readonly sentAt: Instant; readonly now: Instant; readonly explained: boolean },
  ): void {
    const everybody = subject.ownHost !== true && throttles(subject.quotas) === 'client'
    const place: Place = everybody ? everybodys(subject) : subject
    if (!said.throttled) {
      this.#pauses.get(keyOf(place, PAUSE))?.what.served(said.sentAt)
      return
    }
    if (said.retryAfterMs === null && said.explained) return
    const until = this.#pause(place).throttled(said.retryAfterMs, said.sentAt, said.now)
    const { integration, connection } = place
    this.#tell({ integration, connection, name: PAUSE, limit: null, remaining: 0, resetsAt: until, observedAt: said.now })
  }

  #tell(state: QuotaState): void {
    this.#toTell.set(keyOf(state, state.name), state)
    if (this.#telling) return
    this.#telling = true
    const { clock, timers } = this.#ports
    timers.after(Math.max(0, this.#toldAt + SHARE_EVERY_MS - clock.mono()), () => void this.#share())
  }

  async #share(): Promise<void> {
    const { clock, quotas, log } = this.#ports
    this.#telling = false
    this.#toldAt = clock.mono()
    const states = [...this.#toTell.values()]
    this.#toTell.clear()
    try {
      await quotas.put(states)
    } catch (error) {
      // The next answer tells it again; meanwhile each node goes by what it sees.
      log.warn({ error: String(error), quotas: states.length }, 'quotas could not be told to the other nodes')
    }
  }

  #places(subject: QuotaSubject): readonly Place[] {
    return [everybodys(subject), subject]
  }

  #pause(place: Place): Pause {
    return this.#kept(this.#pauses, place, PAUSE, () => new Pause())
  }

  #window(place: Place, name: string): QuotaWindow {
    return this.#kept(this.#windows, place, name, () => new QuotaWindow())
  }

  #kept<What>(all: Map<string, Kept<What>>, { integration, connection }: Place, name: string, make: () => What): What {
    const key = keyOf({ integration, connection }, name)
    const known = all.get(key)
    if (known !== undefined) return known.what
    if (all.size >= MANY) this.#sweep()
    const what = make()
    all.set(key, { place: { integration, connection }, name, what })
    return what
  }

  #sweep(): void {
    const { clock } = this.#ports
    if (clock.mono() - this.#sweptAt < SWEEP_EVERY_MS) return
    this.#sweptAt = clock.mono()
    const now = clock.wall()
    for (const [key, { what }] of this.#windows) if (what.inFlight === 0 && !isOf(what.told, now)) this.#windows.delete(key)
    for (const [key, { what }] of this.#pauses) if (what.until(now) === null) this.#pauses.delete(key)
  }
}

const DONE = Promise.resolve()

/** It says something about this instant. */
function isOf(told: QuotaWindow['told'], now: Instant): told is NonNullable<QuotaWindow['told']> {
  return told !== null && told.resetsAt > now && !isFromAhead(told.observedAt, now)
}

const everybodys = ({ integration }: Place): Place => ({ integration, connection: null })

function placeOf(subject: QuotaSubject, quota: QuotaFacts): Place {
  const { integration, connection } = subject
  return { integration, connection: quota.per === 'client' ? null : connection }
}

const latest = (instants: readonly (Instant | null)[]): Instant | null =>
  instants.reduce((last, instant) => (instant !== null && (last === null || instant > last) ? instant : last), null)

function keyOf({ integration, connection }: Place, name: string): string {
  return `${integration} ${connection ?? ''} ${name}`
}
