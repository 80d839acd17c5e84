import { NotSent, type OpenLine, type ProviderRequest, type ReuseClass, type TokenEndpoint, type WireOutcome } from '../../../../evergrant/src/engine.ts'
import type { StageTime } from './stage-time.ts'

/** What the next request meets. Without a step it is answered well and at once. */
type Step =
  /** The provider acts; its answer is destroyed. */
  | { readonly kind: 'answer_lost' }
  /** The request never arrives. */
  | { readonly kind: 'request_lost' }
  /** The provider acts at once and answers after `ms`. */
  | { readonly kind: 'answers_after'; readonly ms: number }
  /** The request is on the wire for `ms` before the provider acts. */
  | { readonly kind: 'arrives_after'; readonly ms: number }
  /** A grant without a new refresh token: the old one stays current. */
  | { readonly kind: 'keeps' }
  /** An answer of its own; `acts` says whether the provider rotates first. */
  | { readonly kind: 'says'; readonly status: number; readonly body: string; readonly acts?: boolean; readonly afterMs?: number }
  | { readonly kind: 'unreachable' }

interface Presented {
  readonly family: number
  readonly number: number
  readonly at: number
}

interface Family {
  current: number
  alive: boolean
  readonly used: Map<number, { readonly at: number; readonly successor: number; taken: boolean }>
}

/** A token endpoint that keeps its truth: who presented what, when, and whether the family lives. */
export class StageProvider {
  readonly presented: Presented[] = []
  readonly steps: Step[] = []
  readonly families: Family[] = []
  /** Two requests with the same refresh token were undecided at the same time. */
  overlapped = false
  lifetimeSeconds = 3_600
  opened = 0
  /** Nobody answers the door; `knocks` keeps when somebody came. */
  down = false
  readonly knocks: number[] = []
  readonly #undecided = new Set<string>()
  readonly #reuse: ReuseClass
  readonly #windowMs: number
  readonly #time: StageTime

  constructor(reuse: ReuseClass, windowMs: number, time: StageTime) {
    this.#reuse = reuse
    this.#windowMs = windowMs
    this.#time = time
  }

  /** A new consent. Returns its number and its first tokens. */
  consent(): { readonly family: number; readonly refreshToken: string; readonly accessToken: string } {
    const family = this.families.push({ current: 1, alive: true, used: new Map() }) - 1
    return { family, refreshToken: refreshTokenOf(family, 1), accessToken: accessTokenOf(family, 1) }
  }

  /** Would this refresh token be honoured now? */
  honours(refreshToken: string): boolean {
    const { family, number } = parse(refreshToken)
    const truth = this.families[family]
    return truth?.alive === true && (number === truth.current || this.#replayable(truth, number))
  }

  /** The endpoint as one node sees it. `gate` holds what a paused or dead process does not get to do. */
  endpoint(gate: () => Promise<void>): TokenEndpoint {
    return {
      open: async () => {
        this.knocks.push(this.#time.now)
        if (this.down) throw new NotSent('ECONNREFUSED', 'nobody is there')
        if (this.steps[0]?.kind === 'unreachable') {
          this.steps.shift()
          throw new NotSent('ECONNREFUSED', 'refused')
        }
        this.opened += 1
        return this.#line(gate)
      },
    }
  }

  #line(gate: () => Promise<void>): OpenLine {
    return {
      send: async (request, deadlineMs) => {
        await gate()
        const answer = this.#receive(tokenIn(request))
        const deadline = this.#time.timers.sleep(deadlineMs).then((): WireOutcome => ({ kind: 'no_answer', cause: 'timeout' }))
        const outcome = await Promise.race([answer, deadline])
        await gate()
        return outcome
      },
      close: () => {},
    }
  }

  async #receive(token: string): Promise<WireOutcome> {
    const { family, number } = parse(token)
    this.presented.push({ family, number, at: this.#time.now })
    this.overlapped ||= this.#undecided.has(token)
    this.#undecided.add(token)
    const step = this.steps.shift()
    switch (step?.kind) {
      case 'request_lost':
        return forever()
      case 'answer_lost':
        this.#decide(token)
        return forever()
      case 'answers_after': {
        const answer = this.#decide(token)
        await this.#time.timers.sleep(step.ms)
        return answer
      }
      case 'arrives_after':
        await this.#time.timers.sleep(step.ms)
        return this.#decide(token)
      case 'keeps':
        this.#undecided.delete(token)
        return this.#granted(family, number)
      case 'says':
        if (step.acts === true) this.#decide(token)
        this.#undecided.delete(token)
        await this.#time.timers.sleep(step.afterMs ?? 0)
        return answered(step.status, step.body)
      default:
        return this.#decide(token)
    }
  }

  #decide(token: string): WireOutcome {
    this.#undecided.delete(token)
    const { family, number } = parse(token)
    const truth = this.families[family]
    if (truth === undefined || !truth.alive) return refused()
    if (number === truth.current) return this.#granted(family, this.#rotate(truth))
    if (this.#replayable(truth, number)) return this.#granted(family, truth.used.get(number)?.successor ?? number)
    if (this.#reuse === 'P4' || this.#reuse === 'P1' || this.#reuse === 'PU') truth.alive = false
    return refused()
  }

  #replayable(truth: Family, number: number): boolean {
    const use = truth.used.get(number)
    if (use === undefined) return this.#reuse === 'P0'
    if (this.#reuse === 'P1') return this.#time.now - use.at <= this.#windowMs
    return this.#reuse === 'P0' || (this.#reuse === 'P2' && !use.taken)
  }

  #rotate(truth: Family): number {
    const earlier = truth.used.get(truth.current - 1)
    if (earlier !== undefined) earlier.taken = true
    if (this.#reuse === 'P0') return truth.current
    truth.used.set(truth.current, { at: this.#time.now, successor: truth.current + 1, taken: false })
    truth.current += 1
    return truth.current
  }

  #granted(family: number, number: number): WireOutcome {
    const body = {
      access_token: accessTokenOf(family, number),
      refresh_token: refreshTokenOf(family, number),
      token_type: 'Bearer',
      expires_in: this.lifetimeSeconds,
    }
    return answered(200, JSON.stringify(body))
  }
}

function refreshTokenOf(family: number, number: number): string {
  return `rt-${family}-${number}`
}

export function accessTokenOf(family: number, number: number): string {
  return `at-${family}-${number}`
}

function parse(token: string): { readonly family: number; readonly number: number } {
  const [, family, number] = token.split('-')
  return { family: Number(family), number: Number(number) }
}

function tokenIn(request: ProviderRequest): string {
  return new URLSearchParams(request.body ?? '').get('refresh_token') ?? ''
}

function forever(): Promise<WireOutcome> {
  return new Promise(() => {})
}

function refused(): WireOutcome {
  return answered(400, '{"error":"invalid_grant","error_description":"The refresh token is not valid."}')
}

function answered(status: number, body: string): WireOutcome {
  return { kind: 'answered', answer: { status, headers: { 'content-type': 'application/json' }, body: new TextEncoder().encode(body), text: body } }
}
