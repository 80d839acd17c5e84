import type { Actor } from '../audit/event.ts'
import type { AgentId, ConnectionId, IntegrationId, OrganizationId, UserId } from '../ids.ts'
import { DAY, type Instant } from '../time.ts'
import type { RecoverySettings } from './recovery-settings.ts'
import type { Stopper } from './stopper.ts'

/**
 * `pending`: nobody has proven a key for it, or nobody has accepted it. `verified`: an enrolled key signed a nonce of ours, and its owner accepted it (or
 * the policy accepts what came by that door, recorded as such). `suspended`: nothing works and everything comes back. `revoked`: for good.
 */
export const AGENT_STATUSES = ['pending', 'verified', 'suspended', 'revoked'] as const
export type AgentStatus = (typeof AGENT_STATUSES)[number]

/** How an agent may use a connection: read its access token, or send requests through the proxy and never see it. */
export const AGENT_ACCESS = ['token', 'proxy'] as const
export type AgentAccess = (typeof AGENT_ACCESS)[number]

/** Which connections: all that is said must hold. An empty one selects every connection of the organization. */
export interface ConnectionSelector {
  readonly connection?: ConnectionId
  readonly owner?: string
  readonly integration?: IntegrationId
  readonly tag?: string
}

/** What an agent may do. Nothing is allowed that is not said here. */
export interface AgentPolicy {
  readonly access: readonly AgentAccess[]
  /** Any of them selects a connection. Empty: none. */
  readonly connections: readonly ConnectionSelector[]
  /** HTTP methods that the proxy lets through, upper case; null: all. */
  readonly methods: readonly string[] | null
  /** A use of one of these waits for a person, and is written down one by one. */
  readonly approval: readonly ConnectionSelector[]
  /** How long an approval of a use holds, in milliseconds. */
  readonly approvalMs: number
  /** True: access tokens that are not bound to the key are given where they are asked for. Costs trust. */
  readonly bearer: boolean
  /** Doors whose installations need no acceptance by the owner. */
  readonly autoAccept: readonly EnrolmentDoor[]
}

/** Beside the policy: who said what of it, where that decides who may take it back. */
export interface PolicyRecord {
  /** Who allowed it to read access tokens; null: nobody did. A person can allow that only as far as they may read tokens themselves. */
  readonly tokenBy: Actor | null
  /** Selectors of `approval` set by somebody who looks after the whole organization: whoever reaches only their own agents can neither drop nor answer them. */
  readonly approval: readonly ConnectionSelector[]
}

/** How an installation came in: one-time code, device flow (RFC 8628), workload identity of its platform, a key that an operator pasted. */
export const ENROLMENT_DOORS = ['code', 'device', 'workload'] as const
export type EnrolmentDoor = (typeof ENROLMENT_DOORS)[number]

/** A program's identity. */
export interface Agent {
  readonly id: AgentId
  readonly organization: OrganizationId
  /** Who answers for it. While this person is disabled or no member, it does nothing. */
  readonly owner: UserId
  /** Unique among those of the organization that are not revoked. */
  readonly name: string
  readonly description: string | null
  readonly status: AgentStatus
  /** When an enrolled key first signed a nonce of ours. */
  readonly provenAt: Instant | null
  readonly acceptedAt: Instant | null
  /** Who accepted it; the system where the policy did. */
  readonly acceptedBy: Actor | null
  readonly policy: AgentPolicy
  readonly policyRecord: PolicyRecord
  /** Null: it is not suspended. */
  readonly suspendedBy: Stopper | null
  /** Null in a member: as the organization says. */
  readonly recovery: Partial<RecoverySettings>
  /** When a person last looked at its rights and kept them. */
  readonly reviewedAt: Instant | null
  readonly reviewedBy: UserId | null
  readonly createdAt: Instant
  readonly updatedAt: Instant
  /** +1 at every change. */
  readonly version: number
}

/** What a new agent may do where nothing is said: use nothing. */
export const NEW_POLICY: AgentPolicy = {
  access: ['proxy'],
  connections: [],
  methods: null,
  approval: [],
  approvalMs: DAY,
  bearer: false,
  autoAccept: ['code', 'device'],
}

/** Nobody gave anything yet. */
export const NEW_POLICY_RECORD: PolicyRecord = { tokenBy: null, approval: [] }
