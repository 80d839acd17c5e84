import type { ProviderRequest, TokenEndpoint, WireOutcome } from '../core/provider/wire.ts'
import { NotSent } from '../core/provider/wire.ts'
import type { Clock, Timers } from '../core/time.ts'

export type ScriptedClass = 'P0' | 'P1' | 'P3' | 'P4'

/** What the next request meets, instead of being answered well. `lost` and `silent` end in silence: after or before the provider acted. */
type Step =
  | { readonly kind: 'answer'; readonly status: number; readonly body: string; readonly headers?: Readonly<Record<string, string>> }
  | { readonly kind: 'lost' }
  | { readonly kind: 'silent' }
  | { readonly kind: 'unreachable' }
  | { readonly kind: 'late'; readonly ms: number }
  | { readonly kind: 'account'; readonly account: string }
  | { readonly kind: 'same_tokens' }
  | { readonly kind: 'no_refresh_token' }

/**
 * A token endpoint inside the process, on a test's own clock, that knows the truth: which refresh token is current, who
 * presented what, and whether the family lives.
 */
export class ScriptedProvider implements TokenEndpoint {
  readonly presented: string[] = []
  readonly steps: Step[] = []
  lifetimeSeconds = 3_600
  familyAlive = true
  overlapped = false
  current = 1
  opened = 0
  #outstanding = new Set<string>()
  #firstUse = new Map<string, { at: number; successor: number }>()
  readonly #reuse: ScriptedClass
  readonly #windowMs: number
  readonly #time: { readonly clock: Clock; readonly timers: Timers }

  constructor(reuse: ScriptedClass, time: { readonly clock: Clock; readonly timers: Timers }, windowMs = 30_000) {
    this.#reuse = reuse
    this.#time = time
    this.#windowMs = windowMs
  }

  get refreshToken(): string {
    return refreshTokenOf(this.current)
  }

  open(): ReturnType<TokenEndpoint['open']> {
    if (this.steps[0]?.kind === 'unreachable') {
      this.steps.shift()
      return Promise.reject(new NotSent('ECONNREFUSED', 'refused'))
    }
    this.opened += 1
    return Promise.resolve({ send: (request, deadlineMs) => this.#receive(request, deadlineMs), close: () => {} })
  }

  async #receive(request: ProviderRequest, deadlineMs: number): Promise<WireOutcome> {
    const token = new URLSearchParams(request.body ?? '').get('refresh_token') ?? ''
    this.presented.push(token)
    this.overlapped ||= this.#outstanding.has(token)
    this.#outstanding.add(token)
    try {
      return await this.#meet(token, this.steps.shift(), deadlineMs)
    } finally {
      this.#outstanding.delete(token)
    }
  }

  async #meet(token: string, step: Step | undefined, deadlineMs: number): Promise<WireOutcome> {
    switch (step?.kind) {
      case 'answer':
        return answered(step.status, step.body, step.headers)
      case 'silent':
        return this.#silence(deadlineMs)
      case 'lost':
        this.#present(token)
        return this.#silence(deadlineMs)
      case 'late':
        await this.#time.timers.sleep(step.ms)
        return this.#present(token)
      case 'account':
        return this.#present(token, { account: step.account })
      case 'no_refresh_token':
        return answered(200, JSON.stringify({ access_token: `at-of-${token}-again`, token_type: 'Bearer', expires_in: this.lifetimeSeconds }))
      case 'same_tokens':
        return answered(
          200,
          JSON.stringify({ access_token: `at-${this.current}`, refresh_token: token, token_type: 'Bearer', expires_in: this.lifetimeSeconds }),
        )
      default:
        await Promise.resolve()
        return this.#present(token)
    }
  }

  async #silence(deadlineMs: number): Promise<WireOutcome> {
    await this.#time.timers.sleep(deadlineMs)
    return { kind: 'no_answer', cause: 'timeout' }
  }

  #present(token: string, extra: Readonly<Record<string, string>> = {}): WireOutcome {
    const use = this.#firstUse.get(token)
    const replayable = use !== undefined && this.#reuse === 'P1' && this.#time.clock.mono() - use.at < this.#windowMs
    const isCurrent = token === this.refreshToken
    if (this.familyAlive && (isCurrent || replayable || this.#reuse === 'P0')) {
      const successor = replayable && use !== undefined ? use.successor : this.#rotate(token)
      const body = {
        access_token: `at-${successor}`,
        refresh_token: refreshTokenOf(successor),
        token_type: 'Bearer',
        expires_in: this.lifetimeSeconds,
        ...extra,
      }
      return answered(200, JSON.stringify(body))
    }
    if (this.#reuse === 'P4' || this.#reuse === 'P1') this.familyAlive = false
    return answered(400, '{"error":"invalid_grant","error_description":"The refresh token is not valid."}')
  }

  #rotate(token: string): number {
    if (this.#reuse === 'P0') return this.current
    this.current += 1
    this.#firstUse.set(token, { at: this.#time.clock.mono(), successor: this.current })
    return this.current
  }
}

export function refreshTokenOf(generation: number): string {
  return `rt-${generation}`
}

function answered(status: number, body: string, headers: Readonly<Record<string, string>> = {}): WireOutcome {
  return { kind: 'answered', answer: { status, headers: { 'content-type': 'application/json', ...headers }, body: new TextEncoder().encode(body), text: body } }
}
