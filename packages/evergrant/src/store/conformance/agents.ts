import assert from 'node:assert/strict'
import { type Agent, NEW_POLICY, NEW_POLICY_RECORD } from '../../core/agent/agent.ts'
import type { Enrolment, EnrolRequest } from '../../core/agent/enrolments.ts'
import type { Installation } from '../../core/agent/installation.ts'
import type { SdkToken } from '../../core/agent/sdk-token.ts'
import { newId } from '../../core/ids.ts'
import { MINUTE } from '../../core/time.ts'
import type { Role } from '../../core/user/user.ts'
import { person } from './people.ts'
import { FUTURE, PAST, type TestOrganization } from './test-organization.ts'

/** A stored agent of a stored person. */
export async function newAgent(org: TestOrganization, changes: Partial<Agent> = {}, role: Role = 'operator'): Promise<Agent> {
  const agent = await agentOf(org, changes, role)
  assert.equal(await org.store.agents.insert(agent, org.event('agent.created')), 'inserted')
  return agent
}

export async function agentOf(org: TestOrganization, changes: Partial<Agent> = {}, role: Role = 'operator'): Promise<Agent> {
  const id = newId('agt', org.context.entropy)
  return {
    id,
    organization: org.organization,
    owner: changes.owner ?? (await person(org, role)).id,
    name: `agent ${id}`,
    description: 'Reads the weather.',
    status: 'pending',
    provenAt: null,
    acceptedAt: null,
    acceptedBy: null,
    policy: { ...NEW_POLICY, connections: [{ tag: 'weather' }] },
    policyRecord: NEW_POLICY_RECORD,
    suspendedBy: null,
    recovery: { mode: 'approve' },
    reviewedAt: null,
    reviewedBy: null,
    createdAt: PAST,
    updatedAt: PAST,
    version: 1,
    ...changes,
  }
}

/** Of generation 1. */
function installationOf(org: TestOrganization, agent: Agent, key: string, changes: Partial<Installation> = {}): Installation {
  return {
    id: newId('ins', org.context.entropy),
    organization: org.organization,
    agent: agent.id,
    name: 'web-2',
    status: 'active',
    keyThumbprint: key,
    publicJwk: { kty: 'OKP', crv: 'Ed25519', x: key },
    keyCreatedAt: PAST,
    previousThumbprints: [],
    custody: 'file',
    enrolledVia: 'code',
    generation: 1,
    floorGeneration: 0,
    head: newId('sdk', org.context.entropy),
    recoveryMode: null,
    recoveries: [],
    reissues: [],
    cooldownUntil: null,
    cooldownMs: 0,
    minGeneration: 0,
    lock: null,
    stoppedBy: null,
    workload: null,
    rekeyUntil: null,
    hints: { host: 'web-2', machine: null, platform: 'linux', sdk: null },
    lastSeenAt: null,
    lastRefreshedAt: null,
    address: '192.0.2.7',
    userAgent: null,
    expiresAt: null,
    createdAt: FUTURE,
    ...changes,
  }
}

function firstTokenOf(installation: Installation, attempt: string, changes: Partial<SdkToken> = {}): SdkToken {
  return {
    id: installation.head,
    installation: installation.id,
    family: `family of ${installation.id}`,
    parent: null,
    generation: 1,
    attempt,
    state: 'active',
    revokeClass: null,
    revokeReason: null,
    revokedBy: null,
    revokedAt: null,
    ticket: false,
    keyThumbprint: installation.keyThumbprint,
    createdAt: FUTURE,
    activatedAt: null,
    supersededAt: null,
    expiresAt: FUTURE + 60 * MINUTE,
    address: installation.address,
    userAgent: null,
    metadata: { source: 'enrolment', recovered_from: null, recovery_reason: null },
    ...changes,
  }
}

export function enrolmentOf(org: TestOrganization, agent: Agent | null, changes: Partial<Enrolment> = {}): Enrolment {
  const id = newId('enr', org.context.entropy)
  return {
    id,
    hash: `hash of ${id}`,
    door: 'code',
    organization: agent === null ? null : org.organization,
    agent: agent?.id ?? null,
    name: null,
    userCode: null,
    status: 'open',
    asked: { host: 'web-2', platform: 'linux', address: '192.0.2.7' },
    createdBy: { kind: 'system', id: null },
    createdAt: PAST,
    expiresAt: FUTURE,
    nextPollAt: null,
    intervalMs: 5_000,
    usedBy: null,
    usedAttempt: null,
    installation: null,
    ...changes,
  }
}

/** One try to enrol with this key and this attempt. */
export function enrolRequest(org: TestOrganization, agent: Agent, enrolment: Enrolment | null, key: string, attempt = key): EnrolRequest {
  const installation = installationOf(org, agent, key, { enrolledVia: enrolment?.door ?? 'workload' })
  return {
    enrolment: enrolment?.id ?? null,
    installation,
    token: firstTokenOf(installation, attempt),
    enrolled: { ...org.event('installation.enrolled'), subject: agent.id },
    verified: { ...org.event('agent.verified'), subject: agent.id },
  }
}

/** A stored installation of the agent. */
export async function enrolled(org: TestOrganization, agent: Agent, key: string = newId('evt', org.context.entropy)): Promise<Installation> {
  const outcome = await org.store.enrolments.enrol(enrolRequest(org, agent, null, key))
  if (outcome.kind !== 'enrolled') throw new Error('the installation was not enrolled')
  return outcome.standing.installation
}
