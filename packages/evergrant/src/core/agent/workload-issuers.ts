import type { NewEvent } from '../audit/event.ts'
import type { AgentId, OrganizationId, WorkloadIssuerId } from '../ids.ts'
import type { Instant } from '../time.ts'

/** A claim and what it has to be: the text itself, or the text before a `*` at its end. */
export interface ClaimCondition {
  readonly claim: string
  readonly value: string
}

/** Whose identity tokens enrol an agent, without a secret: GitHub Actions, Kubernetes, a cloud. */
export interface WorkloadIssuer {
  readonly id: WorkloadIssuerId
  readonly organization: OrganizationId
  readonly agent: AgentId
  readonly name: string
  /** `iss`, whole; its keys are at `jwks_uri` of `<issuer>/.well-known/openid-configuration` (OpenID Connect Discovery section 4). */
  readonly issuer: string
  /** `aud` has to hold it. */
  readonly audience: string
  /** All of them have to hold; one at least, or everybody at that platform would be let in. */
  readonly conditions: readonly ClaimCondition[]
  /** The absolute end of an installation, counted from its enrolment, in milliseconds. */
  readonly installationLifeMs: number
  readonly createdAt: Instant
}

export interface WorkloadIssuers {
  insert(issuer: WorkloadIssuer, event: NewEvent): Promise<void>
  /** Oldest first; a hundred at most. */
  ofAgent(organization: OrganizationId, agent: AgentId): Promise<readonly WorkloadIssuer[]>
  /** Of all organizations: the issuer's name is all that a token says before it is checked. Oldest first; a thousand at most. */
  named(issuer: string): Promise<readonly WorkloadIssuer[]>
  remove(organization: OrganizationId, agent: AgentId, id: WorkloadIssuerId, event: NewEvent): Promise<'removed' | 'gone'>
}
