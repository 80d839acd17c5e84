/** `grant`: the issuer says it is over. `client`: our registration is wrong. `local`: our own trouble. `request`: the caller's input. */
export type FaultClass = 'grant' | 'client' | 'transient' | 'unknown' | 'local' | 'request'
type Blame = 'end_user' | 'operator' | 'provider' | 'evergrant' | 'caller' | 'nobody'
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

/** Keeps the codes as literal types and checks every row. */
export const defineFaults = <const Rows extends Record<string, FaultDefinition>>(rows: Rows): Rows => rows
