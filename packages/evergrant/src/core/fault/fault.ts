import type { Instant } from '../time.ts'
import { FAULTS } from './table.ts'

/** Every code that leaves Evergrant. The table in `table.ts` is the only place that defines them. */
export type FaultCode = keyof typeof FAULTS

/** `grant`: the issuer says it is over. `client`: our registration is wrong. `local`: our own trouble. `request`: the caller's input. */
export type FaultClass = 'grant' | 'client' | 'transient' | 'unknown' | 'local' | 'request'
export type Blame = 'end_user' | 'operator' | 'provider' | 'evergrant' | 'caller' | 'nobody'
/** The one next step. */
export type FaultAction = 'retry' | 'wait' | 'reconnect' | 'sign_in' | 'contact_admin' | 'none'

/** One row of the fault table: what it is, who acts, and the words for both readers. */
export interface FaultDefinition {
  readonly class: FaultClass
  readonly blame: Blame
  /** HTTP status when it leaves as an answer. */
  readonly status: number
  readonly action: FaultAction
  readonly title: string
  /** Effect on the connection, in one clause. */
  readonly effect: string
  /** When it is tried again, in one clause. */
  readonly retry: string
  /** For the end user: no jargon. `{P}` provider, `{A}` account, `{T}` time. */
  readonly endUser: string
  /** For the operator: cause and remedy. */
  readonly operator: string
}

export interface FaultDetails {
  /** Says what happened this time and how to mend it; replaces nothing in the table. */
  readonly detail?: string
  /** The offending field, as a JSON pointer or parameter name. */
  readonly field?: string
  readonly retryAt?: Instant
  readonly reconnectUrl?: string
  readonly cause?: unknown
}

/** The one error that crosses layers on purpose. Anything else is a defect and becomes `internal`. */
export class Fault extends Error {
  override readonly name = 'Fault'
  readonly code: FaultCode
  readonly details: FaultDetails

  constructor(code: FaultCode, details: FaultDetails = {}) {
    super(details.detail ?? FAULTS[code].title, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.details = details
  }

  get definition(): FaultDefinition {
    return FAULTS[this.code]
  }
}
