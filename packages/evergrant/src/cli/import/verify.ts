import type { Timers } from '../../core/time.ts'
import type { Api } from '../api.ts'
import { CommandFailure, EXIT } from '../exit-code.ts'
import type { Report } from './report.ts'
import type { Taken } from './run-import.ts'

/** Grants of one run, by what their test showed. */
export interface Verified {
  works: number
  /** The provider refuses the grant, or a scope is missing: its owner is needed. */
  broken: number
  /** The provider did not answer, or asked to slow down: nothing is known. */
  unclear: number
  /** No test is known and a refresh could cost the grant: told at its first use. */
  untested: number
}

type Verdict = keyof Verified

interface Verifying {
  readonly api: Api
  readonly report: Report
  readonly timers: Timers
  /** Between two tests, in milliseconds. */
  readonly pauseMs: number
  reuse(integration: string): string
  /** A call is known that proves a token of this integration. */
  canTest(integration: string): boolean
}

const PAUSE_MAX_MS = 60_000

/** Tests grants one after the other, slowly, and slower when a provider asks for it. */
export class Verifier {
  readonly verified: Verified = { works: 0, broken: 0, unclear: 0, untested: 0 }
  readonly #with: Verifying
  #pauseMs: number

  constructor(verifying: Verifying) {
    this.#with = verifying
    this.#pauseMs = verifying.pauseMs
  }

  async test(taken: readonly Taken[]): Promise<void> {
    for (const one of taken) {
      const verdict = await this.#verdict(one)
      this.verified[verdict] += 1
      if (verdict === 'untested') continue
      this.#pauseMs = verdict === 'unclear' ? Math.min(PAUSE_MAX_MS, Math.max(1_000, this.#pauseMs * 2)) : this.#with.pauseMs
      await this.#with.timers.sleep(this.#pauseMs)
    }
  }

  async #verdict(one: Taken): Promise<Verdict> {
    const found = await this.#call(one)
    if (found !== null) return found
    // Presenting a refresh token is a test that only a reusable one survives for certain.
    return this.#with.reuse(one.integration) === 'P0' ? this.#refresh(one) : 'untested'
  }

  /** Null: nobody knows a call that would tell. */
  async #call(one: Taken): Promise<Verdict | null> {
    // Asked all the same, the server would first renew a token that is over.
    if (!this.#with.canTest(one.integration)) return null
    try {
      const { result } = await this.#with.api.call('POST', `connections/${one.connection}/test`)
      if (result === 'not_known') return null
      if (result === 'rejected' || result === 'scope_missing') return this.#broken(one, String(result), BROKEN[result])
      return result === 'works' ? 'works' : 'unclear'
    } catch (error) {
      if (!(error instanceof CommandFailure) || error.exitCode === EXIT.unreachable) throw error
      return this.#refusal(one, error)
    }
  }

  async #refresh(one: Taken): Promise<Verdict> {
    try {
      await this.#with.api.call('POST', `connections/${one.connection}/refresh`)
      return 'works'
    } catch (error) {
      if (!(error instanceof CommandFailure) || error.exitCode === EXIT.unreachable) throw error
      return this.#refusal(one, error)
    }
  }

  #refusal(one: Taken, { facts, message }: CommandFailure): Verdict {
    // No refresh token: there is nothing to renew, and nothing was learned.
    if (facts['code'] === 'refresh_not_supported') return 'untested'
    if (facts['needs_reauth'] === true || facts['code'] === 'client_rejected') return this.#broken(one, String(facts['code']), message)
    return 'unclear'
  }

  #broken({ line, connection }: Taken, code: string, detail: string): Verdict {
    this.#with.report.problem(line, { field: null, column: null, code, detail: `${connection}: ${detail}` }, 'verify')
    return 'broken'
  }
}

const BROKEN: Readonly<Record<'rejected' | 'scope_missing', string>> = {
  rejected: 'The provider refuses the grant. Send its owner a reconnect link.',
  scope_missing: 'The grant lacks a scope that the test needs. Compare its scopes with those of the integration.',
}
