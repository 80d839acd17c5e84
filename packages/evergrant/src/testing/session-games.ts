import { judgePresentation } from '../core/session/rotation.ts'
import type { Session } from '../core/session/session.ts'
import { DAY, type Instant } from '../core/time.ts'

export const START: Instant = Date.UTC(2026, 0, 1)
export const IDLE_MS = 14 * DAY

/** Opened at {@link START}; lives for years. */
export function sessionRow(changes: Partial<Session> = {}): Session {
  return {
    id: 'ses_01980000-0000-7000-8000-000000000001',
    organization: 'org_01980000-0000-7000-8000-000000000001',
    user: 'usr_01980000-0000-7000-8000-000000000001',
    parent: null,
    mode: 'cookie',
    generation: 1,
    previous: null,
    issuedAt: START,
    usedAt: null,
    recent: [{ generation: 1, from: 0, issuedAt: START }],
    createdAt: START,
    idleExpiresAt: START + IDLE_MS,
    expiresAt: START + 4_000 * DAY,
    revokedAt: null,
    end: null,
    methods: ['pwd'],
    authenticatedAt: START,
    keyThumbprint: null,
    userAgent: null,
    address: null,
    issuer: null,
    ...changes,
  }
}

export type Verdict = ReturnType<typeof judgePresentation>['kind']

/** What a store does with the rule, without a store. */
export class SessionRecord {
  row: Session
  /** Every generation that was ever handed out. */
  readonly issued = new Set<number>()

  constructor(row: Session = sessionRow()) {
    this.row = row
    this.issued.add(row.generation)
  }

  /** The generation that the answer carries; null when it is refused. */
  present(generation: number, at: Instant): { readonly verdict: Verdict; readonly given: number | null } {
    const judgement = judgePresentation(this.row, generation, at, { idleMs: IDLE_MS })
    if ('next' in judgement) this.row = judgement.next ?? this.row
    this.issued.add(this.row.generation)
    return { verdict: judgement.kind, given: judgement.kind === 'reuse' || judgement.kind === 'ended' ? null : this.row.generation }
  }

  use(generation: number, at: Instant): void {
    if (this.row.generation === generation && this.row.usedAt === null) this.row = { ...this.row, usedAt: at }
  }
}

/** One refresh of some tab. Times in milliseconds. */
export interface Exchange {
  /** After the one before was sent. */
  readonly gapMs: number
  /** From the look into the jar to the server. */
  readonly requestMs: number
  /** From the server into the jar; null: lost. */
  readonly answerMs: number | null
  /** After the look into the jar, a copy of the request arrives that nobody hears the answer of. */
  readonly copyMs: number | null
  /** After its answer, the tab is seen with the access token of that answer. */
  readonly useMs: number | null
}

interface Happening {
  readonly at: Instant
  readonly order: number
  readonly run: () => void
}

/** Tabs of one browser that share one cookie jar, where the answer that comes last wins. Every verdict is told to `judged`. */
export class Browser {
  readonly #record: SessionRecord
  readonly #judged: (verdict: Verdict, at: Instant) => void
  #jar: number
  #waiting: Happening[] = []
  #order = 0

  constructor(record: SessionRecord, judged: (verdict: Verdict, at: Instant) => void) {
    this.#record = record
    this.#judged = judged
    this.#jar = record.row.generation
  }

  get jar(): number {
    return this.#jar
  }

  /** Runs all of them to their end, starting at `start`. Returns when the last thing happened. */
  run(exchanges: readonly Exchange[], start: Instant): Instant {
    let sentAt = start
    for (const exchange of exchanges) {
      sentAt += exchange.gapMs
      this.#plan(sentAt, (at) => this.#send(exchange, at))
    }
    let last = start
    for (let next = this.#earliest(); next !== undefined; next = this.#earliest()) {
      last = next.at
      next.run()
    }
    return last
  }

  #plan(at: Instant, run: (at: Instant) => void): void {
    this.#waiting.push({ at, order: this.#order++, run: () => run(at) })
  }

  #earliest(): Happening | undefined {
    this.#waiting.sort((left, right) => left.at - right.at || left.order - right.order)
    return this.#waiting.shift()
  }

  #send({ requestMs, answerMs, copyMs, useMs }: Exchange, sentAt: Instant): void {
    const credential = this.#jar
    this.#plan(sentAt + requestMs, (at) => {
      const given = this.#present(credential, at)
      if (given !== null && answerMs !== null) this.#plan(at + answerMs, (landedAt) => this.#land(given, useMs, landedAt))
    })
    if (copyMs !== null) this.#plan(sentAt + copyMs, (at) => void this.#present(credential, at))
  }

  #present(credential: number, at: Instant): number | null {
    const { verdict, given } = this.#record.present(credential, at)
    this.#judged(verdict, at)
    return given
  }

  #land(given: number, useMs: number | null, landedAt: Instant): void {
    this.#jar = given
    if (useMs !== null) this.#plan(landedAt + useMs, (at) => this.#record.use(given, at))
  }
}
