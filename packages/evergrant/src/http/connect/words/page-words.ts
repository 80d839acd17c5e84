import type { FaultCode } from '../../../core/fault/fault.ts'
import type { LanguageTag } from './causes.ts'

/** What a page says of a failure: what happened, what became of the person's data, the next step. */
export interface Problem {
  readonly title?: string
  readonly text?: string
  readonly next?: string
}

/** Failures that connections do not have, or whose words are others while somebody waits in front of the page. */
type ProblemCode = Extract<
  FaultCode,
  | 'account_mismatch'
  | 'admin_approval_required'
  | 'client_rejected'
  | 'connect_browser_mismatch'
  | 'connect_cancelled'
  | 'connect_code_invalid'
  | 'connect_failed'
  | 'connect_owner_mismatch'
  | 'connect_session_expired'
  | 'connect_session_used'
  | 'connect_state_mismatch'
  | 'connection_disconnected'
  | 'forbidden'
  | 'internal'
  | 'not_found'
  | 'outcome_unknown'
  | 'overloaded'
  | 'provider_rate_limited'
  | 'provider_unavailable'
  | 'rate_limited'
>

/**
 * Everything that the connect pages say in one language, beside the causes that the SDK's components have words for (`causes.ts`). Places: `{P}` provider,
 * `{A}` account, `{B}` the account somebody signed in with, `{App}` application, `{date}` a day, `{n}` the name of a field, `{x}` an example or a list.
 */
export interface PageWords {
  readonly tag: LanguageTag
  /** What the language calls itself. */
  readonly self: string
  /** What stands for names that are not known. */
  readonly provider: string
  readonly account: string
  readonly otherAccount: string
  readonly usedBefore: string
  readonly connectTitle: string
  readonly reconnectTitle: string
  readonly connectLead: string
  readonly reconnectLead: string
  readonly repairLead: string
  readonly nothingDeleted: string
  readonly application: string
  readonly whose: string
  readonly accountAt: string
  readonly mayDo: string
  readonly endsCertainly: string
  readonly endsPerhaps: string
  readonly continueTo: string
  readonly cancel: string
  readonly backTo: string
  readonly ownSite: string
  readonly trust: string
  readonly toStop: string
  readonly validUntil: string
  readonly example: string
  readonly notValid: string
  readonly notChoice: string
  readonly chooseTitle: string
  readonly chooseLead: string
  readonly chooseOther: string
  readonly connected: string
  readonly connectedAgain: string
  readonly connectedAs: string
  readonly reconnectedAs: string
  readonly works: string
  readonly goesOn: string
  readonly missing: string
  readonly closeTab: string
  readonly repaired: string
  readonly repairedAs: string
  readonly waitTitle: string
  readonly waitText: string
  readonly siblingText: string
  readonly siblingOffer: string
  readonly renew: string
  readonly tryAgain: string
  readonly details: string
  readonly reason: string
  readonly providerSaid: string
  readonly inItsWords: string
  readonly requestId: string
  readonly help: string
  readonly privacy: string
  readonly language: string
  readonly keptSafe: string
  readonly ownPage: string
  readonly otherPerson: string
  readonly confirmYou: string
  readonly otherWays: string
  readonly reminderTitle: string
  readonly reminderText: string
  readonly disconnectTitle: string
  readonly disconnectText: string
  readonly disconnectLater: string
  readonly keepIt: string
  readonly disconnected: string
  readonly disconnectedText: string
  readonly laterTitle: string
  readonly laterText: string
  readonly adminLink: string
  readonly adminMail: string
  readonly adminSubject: string
  readonly adminMessage: string
  readonly adminNext: string
  readonly approved: string
  readonly approvedText: string
  readonly notApproved: string
  readonly notApprovedText: string
  readonly problems: Readonly<Record<ProblemCode, Problem>>
  /** Permissions that every provider calls alike. */
  readonly permissions: Readonly<Record<'account' | 'profile' | 'email' | 'offline', string>>
}
