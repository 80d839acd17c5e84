import type { AgentId, EventId, IncidentId, InstallationId, UserId } from '../../ids.ts'
import type { Instant } from '../../time.ts'
import type { AgentStatus } from '../agent.ts'
import type { KeyCustody } from '../installation.ts'
import type { TrustIncidentKind } from './policy.ts'

/**
 * All that the score is computed from: what the server saw by itself, and where the machine says its key lives. Null is unknown, and unknown earns nothing. Stored beside every
 * result, so the names are part of the format.
 */
export interface TrustFacts {
  readonly agent: AgentId
  readonly status: AgentStatus
  readonly owner: { readonly user: UserId; readonly active: boolean } | null
  /** When a person last looked at its rights; null: never. */
  readonly reviewedAt: Instant | null
  /** How many can work, are locked, and were ended by somebody. Those that are over by time are in none of them. */
  readonly installations: { readonly working: number; readonly locked: number; readonly retired: number }
  /** Of those that work: the one whose key is kept worst, and the one whose key is oldest. */
  readonly weakestKey: { readonly installation: InstallationId; readonly custody: KeyCustody } | null
  readonly oldestKey: { readonly installation: InstallationId; readonly createdAt: Instant } | null
  /** Requests of the last 7 days, and how many of them were proven with the key. */
  readonly use: { readonly requests: number; readonly bound: number } | null
  /** Of the last 30 days, with the start of the first day that had any. */
  readonly seen: { readonly requests: number; readonly bound: number; readonly since: Instant } | null
  /** Of the last 30 days. */
  readonly rotations: { readonly total: number; readonly onTime: number } | null
  /** Those of the last 30 days that count against the limit. */
  readonly recoveries: readonly TrustRecovery[] | null
  readonly incidents: readonly TrustIncident[]
  /** What the policy gives (each selector by each way), and what of it was used in the last 30 days. */
  readonly grants: { readonly granted: number; readonly used: number } | null
}

export interface TrustRecovery {
  readonly at: Instant
  readonly installation: InstallationId
  readonly event: EventId
}

export interface TrustIncident {
  readonly kind: TrustIncidentKind
  readonly at: Instant
  /** Null: nobody has closed it. What is no row of its own, as a burst of one day, closes by itself. */
  readonly closedAt: Instant | null
  readonly id: IncidentId | null
  readonly installation: InstallationId | null
  readonly event: EventId | null
}

/** Something that a factor looked at. `source`: the id of what it is about, or `days` for what was counted by day. */
export interface ShownFact {
  readonly name: string
  readonly value: string | number | boolean | null
  readonly source: string
  readonly eventId: EventId | null
}

export function shown(name: string, value: ShownFact['value'], source: string, eventId: EventId | null = null): ShownFact {
  return { name, value, source, eventId }
}

/** In one order, whatever order they were read in. */
export function oldestFirst<Item extends { readonly at: Instant }>(items: readonly Item[]): readonly Item[] {
  const keyed = items.map((item) => ({ item, key: JSON.stringify(item) }))
  return keyed.sort((left, right) => left.item.at - right.item.at || (left.key < right.key ? -1 : left.key > right.key ? 1 : 0)).map(({ item }) => item)
}

/** Somebody still has to look at it. */
export function isOpen({ kind, closedAt }: TrustIncident, now: Instant): boolean {
  return (kind === 'clone' || kind === 'compromise') && (closedAt === null || closedAt > now)
}
