import type { AuditEvent, EventType } from '../audit/event.ts'
import type { AgentId, InstallationId, OrganizationId } from '../ids.ts'
import type { Instant } from '../time.ts'
import type { StoredIncident } from './incident.ts'
import type { KeyCustody } from './installation.ts'
import type { TrustFacts } from './trust/facts.ts'
import type { TrustScore } from './trust/score.ts'
import type { DayCount } from './uses.ts'

/** A score as it was, with all that it was computed from. */
export interface TrustSnapshot {
  readonly agent: AgentId
  readonly at: Instant
  readonly facts: TrustFacts
  readonly result: TrustScore
}

/** One day of all installations of an agent together. */
export type DaySum = Omit<DayCount, 'installation' | 'agent' | 'proofFailures'>

/** What the store knows of an agent's installations, read at one moment. Costs what the agent has; its size does not. */
export interface TrustObservation {
  readonly working: number
  readonly locked: number
  /** Ended by somebody; those that are over by time are in none of the three. */
  readonly retired: number
  /** Of those that work, one for each place where keys are kept. */
  readonly custodies: readonly { readonly custody: KeyCustody; readonly installation: InstallationId }[]
  readonly oldestKey: { readonly installation: InstallationId; readonly createdAt: Instant } | null
  /** Any order. */
  readonly days: readonly DaySum[]
  /** Events about its installations, `recovery.succeeded` and `installation.proof_failed`; any order. */
  readonly recoveries: readonly AuditEvent[]
  readonly proofFailures: readonly AuditEvent[]
  /** Open, or of this time; the newest two hundred. */
  readonly incidents: readonly StoredIncident[]
}

/** Since when: counts by day, recoveries, and incidents that were closed. */
export interface ObservedSince {
  readonly days: Instant
  readonly recoveries: Instant
  readonly proofFailures: Instant
  readonly incidents: Instant
}

/** Scores over time, and what they are computed from. Times are the database's own (decision 0019). */
export interface TrustSnapshots {
  observe(agent: AgentId, at: Instant, since: ObservedSince): Promise<TrustObservation>
  /** Events of these types about the agent, its owner and its installations after `since`, newest first. */
  happened(
    of: { readonly organization: OrganizationId; readonly agent: AgentId; readonly owner: string },
    types: readonly EventType[],
    since: Instant,
    limit: number,
  ): Promise<readonly AuditEvent[]>
  /** The next one is due at `dueAt`, unless something happened meanwhile. The same instant twice is one snapshot, the later one. */
  save(snapshot: TrustSnapshot, dueAt: Instant): Promise<void>
  /** Newest first; those before `before`. */
  history(agent: AgentId, page: { readonly limit: number; readonly before: Instant | null }): Promise<readonly TrustSnapshot[]>
  /** The oldest one at `since` or later. */
  firstSince(agent: AgentId, since: Instant): Promise<TrustSnapshot | undefined>
  /** Agents whose score is due: once a day, and after an incident. Nobody else gets them for `visibilityMs`. */
  takeDue(limit: number, visibilityMs: number): Promise<readonly { readonly organization: OrganizationId; readonly agent: AgentId }[]>
  purge(before: Instant, limit: number): Promise<number>
  /** Counts by day of days before `before`. */
  forgetDays(before: Instant, limit: number): Promise<number>
}
