import type { NewEvent } from '../audit/event.ts'
import type { AgentId, InstallationId, OrganizationId, RecoveryAttemptId, SdkTokenId, UserId } from '../ids.ts'
import type { Instant } from '../time.ts'
import type { Approval } from './approvals.ts'
import type { Installation, InstallationLock, InstallationStatus, RevokeClass } from './installation.ts'
import type { InstallationStanding } from './installation-standing.ts'
import type { AgentSettings, RecoveryMode } from './recovery-settings.ts'
import type { SdkPresentation } from './sdk-presentation.ts'
import type { SdkJudgement } from './sdk-rotation.ts'
import type { SdkToken } from './sdk-token.ts'
import type { Stopper } from './stopper.ts'

export type { InstallationStanding } from './installation-standing.ts'

/**
 * `stranger`: no such installation, or not its key. Both get the same bytes. `known`: whose token it was, for the count of tokens that came without their key.
 * Elsewhere `standing` is the state afterwards.
 */
export type SdkPresented =
  | { readonly kind: 'stranger'; readonly known: Pick<Installation, 'id' | 'organization' | 'agent'> | null }
  | {
      readonly kind: 'known'
      readonly judgement: SdkJudgement
      readonly standing: InstallationStanding
      readonly settings: AgentSettings
      /** What a person is asked, where the judgement is `pending`. */
      readonly approval: Approval | null
    }

/** One attempt to recover, with how it ended: the answer to "why". */
export interface RecoveryAttempt {
  readonly id: RecoveryAttemptId
  readonly organization: OrganizationId
  readonly installation: InstallationId
  readonly at: Instant
  readonly outcome: 'succeeded' | 'denied' | 'pending'
  /** Fault code where it was denied. */
  readonly code: string | null
  /** Against the limit. */
  readonly counted: boolean
  readonly token: SdkTokenId | null
  readonly newToken: SdkTokenId | null
  /** In one sentence, for an operator. */
  readonly reason: string
  readonly keyThumbprint: string
  readonly address: string | null
  readonly userAgent: string | null
  readonly requestId: string
}

export interface InstallationFilter {
  readonly agent?: AgentId
  readonly status?: InstallationStatus
  /** Installations of agents of this person. */
  readonly owner?: UserId
  /** Only those that recovered since. */
  readonly healedSince?: Instant
  readonly limit: number
  readonly after: InstallationId | null
}

/** What an operator does to the newest token of installations. `ticket`: healing from it counts against nothing. */
export interface SdkRevocation {
  readonly class: RevokeClass
  readonly reason: string | null
  readonly by: string
  readonly ticket: boolean
  /** Where the class is a cut-off: the installation is retired, or locked with an incident. */
  readonly status: 'active' | 'retired' | 'locked'
  readonly lock: InstallationLock | null
  /**
   * Left out where its own machine or Evergrant itself ends it: then what somebody locked stays stopped by them. An earlier stop by somebody who looks after the
   * whole organization stays in place.
   */
  readonly stopper?: Stopper
}

export type InstallationTarget =
  | { readonly installation: InstallationId }
  | { readonly agent: AgentId }
  | { readonly owner: UserId }
  | { readonly organization: true }

/** Installations and their tokens. Times are the database's own (decision 0019). */
export interface Installations {
  /** The enrolment that it came by is spent in the same transaction (`enrolments.ts`). */
  get(id: InstallationId): Promise<InstallationStanding | undefined>
  list(organization: OrganizationId, filter: InstallationFilter): Promise<readonly { readonly installation: Installation; readonly head: SdkToken }[]>
  /** Judges and applies in one transaction, under the row's lock: concurrent presentations on any nodes have one lineage. */
  present(presentation: SdkPresentation): Promise<SdkPresented>
  /** First sights of generations, and when the machine was heard of last. */
  markSeen(marks: readonly SeenMark[]): Promise<void>
  /** Ends the newest token of each that is live. Returns those it was done to. One transaction a thousand at most; safe to repeat. */
  revoke(
    organization: OrganizationId,
    target: InstallationTarget,
    revocation: SdkRevocation,
    at: Instant,
    event: NewEvent & { readonly id: NewEvent['id'] },
  ): Promise<readonly InstallationId[]>
  /** Takes the lock away and asks for a new key until `rekeyUntil`. `held`: somebody of the whole organization stopped it, and `whole` is false. */
  unlock(
    organization: OrganizationId,
    id: InstallationId,
    whole: boolean,
    rekeyUntil: Instant,
    event: NewEvent,
  ): Promise<'unlocked' | 'not_locked' | 'held' | 'gone'>
  /**
   * The subject of this installation's workload may enrol again: all that keep it out of the agent do so no longer. `held`: one of them was stopped by somebody
   * of the whole organization, and `whole` is false. What is locked is not lifted.
   */
  lift(organization: OrganizationId, id: InstallationId, whole: boolean, event: NewEvent): Promise<'lifted' | 'not_kept_out' | 'held' | 'gone'>
  /** `held`: `stoppedBy` is null, and somebody of the whole organization has stopped it. */
  update(organization: OrganizationId, id: InstallationId, changes: InstallationChanges, event: NewEvent): Promise<'updated' | 'held' | 'gone'>
  tokensOf(id: InstallationId, limit: number): Promise<readonly SdkToken[]>
  attemptsOf(id: InstallationId, limit: number): Promise<readonly RecoveryAttempt[]>
  /** Counted recoveries in the organization from `since` until now, and how many installations live there: for the breaker. */
  recoveryPressure(organization: OrganizationId, since: Instant): Promise<{ readonly recoveries: number; readonly installations: number }>
  /** Rows of tokens that were replaced before `before`, and that nobody may present with success any more; raises the floor. Returns how many. */
  purge(before: Instant, limit: number): Promise<number>
  /**
   * The database was out of reach: newest tokens that ended meanwhile heal without counting against anything. Returns how many; repeat while it is `limit`.
   */
  excuse(from: Instant, to: Instant, limit: number): Promise<number>
  /**
   * Installations of workloads whose absolute end was before `before`, with all that hangs on them but events: each run of a workload makes one more. Those that a
   * person enrolled stay, and those that keep their workload out. Returns how many.
   */
  forgetEnded(before: Instant, limit: number): Promise<number>
  /** Rows of attempts to recover before `before`. Returns how many. */
  forgetAttempts(before: Instant, limit: number): Promise<number>
}

export interface SeenMark {
  readonly installation: InstallationId
  readonly generation: number
  readonly at: Instant
  readonly address: string | null
}

export interface InstallationChanges {
  readonly name?: string
  readonly recoveryMode?: RecoveryMode | null
  readonly status?: 'active' | 'recovery_blocked'
  /** Null: nobody any more. Whoever does not reach the whole organization leaves a stop by somebody who does in place. */
  readonly stoppedBy?: Stopper | null
  /** Who decides reaches the whole organization. */
  readonly whole?: boolean
}
