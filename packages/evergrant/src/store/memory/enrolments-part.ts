import { afterProof } from '../../core/agent/agent-status.ts'
import { ENROLMENT_REPEAT_MS, type Enrolling, type Enrolment, type Enrolments, type EnrolRequest } from '../../core/agent/enrolments.ts'
import { type Installation, keepsWorkloadOut } from '../../core/agent/installation.ts'
import type { SdkToken } from '../../core/agent/sdk-token.ts'
import type { WorkloadIssuers } from '../../core/agent/workload-issuers.ts'
import type { NewEvent } from '../../core/audit/event.ts'
import type { EnrolmentId, OrganizationId } from '../../core/ids.ts'
import { type Instant, SECOND } from '../../core/time.ts'
import { installationStanding, swapAgent } from './agents-part.ts'
import type { Tables } from './tables.ts'

/** RFC 8628 section 3.5. */
const SLOWER_MS = 5 * SECOND
const REFUSED: Enrolling = { kind: 'refused' }

function live(tables: Tables, id: EnrolmentId): Enrolment | undefined {
  const found = tables.enrolments.get(id)
  return found !== undefined && found.status === 'open' && found.expiresAt > tables.now() ? found : undefined
}

function decide(
  tables: Tables,
  id: EnrolmentId,
  { status, organization, agent, name }: Parameters<Enrolments['decide']>[1],
  event: NewEvent,
): 'decided' | 'gone' {
  const found = live(tables, id)
  if (found?.door !== 'device') return 'gone'
  tables.enrolments.set(id, { ...found, status, organization, agent, name: name ?? found.name })
  tables.append(event)
  return 'decided'
}

function poll(tables: Tables, id: EnrolmentId, at: Instant): boolean {
  const found = tables.enrolments.get(id)
  if (found === undefined) return false
  const inTime = found.nextPollAt === null || found.nextPollAt <= at
  const intervalMs = found.intervalMs + (inTime ? 0 : SLOWER_MS)
  tables.enrolments.set(id, { ...found, intervalMs, nextPollAt: at + intervalMs })
  return inTime
}

function withdraw(tables: Tables, organization: OrganizationId, id: EnrolmentId, event: NewEvent): 'withdrawn' | 'gone' {
  const found = live(tables, id)
  if (found?.organization !== organization) return 'gone'
  tables.enrolments.set(id, { ...found, status: 'withdrawn' })
  tables.append(event)
  return 'withdrawn'
}

function enrol(tables: Tables, request: EnrolRequest): Enrolling {
  const { installation, token } = request
  const enrolment = request.enrolment === null ? null : tables.enrolments.get(request.enrolment)
  if (enrolment === undefined) return REFUSED
  if (enrolment?.status === 'used') return again(tables, firstOf(tables, enrolment.installation), request)
  if (enrolment !== null) {
    const open = enrolment.status === (enrolment.door === 'code' ? 'open' : 'approved')
    if (!open || tables.now() >= enrolment.expiresAt || enrolment.agent !== installation.agent) return REFUSED
  }
  const agent = tables.agents.get(installation.agent)
  if (agent === undefined || agent.organization !== installation.organization || agent.status === 'revoked') return REFUSED
  const stopped = [...tables.installations.values()]
    .sort((left, right) => (left.id < right.id ? 1 : -1))
    .find((one) => one.agent === agent.id && one.workload !== null && one.workload.subject === installation.workload?.subject && keepsWorkloadOut(one))
  if (stopped !== undefined) return { kind: 'kept_out', installation: stopped.id }
  const same = enrolment === null ? sameWorkload(tables, request) : undefined
  if (same !== undefined) return again(tables, same, request)
  tables.installations.set(installation.id, installation)
  tables.sdkTokens.set(token.id, token)
  if (enrolment !== null)
    tables.enrolments.set(enrolment.id, {
      ...enrolment,
      status: 'used',
      usedBy: installation.keyThumbprint,
      usedAttempt: token.attempt,
      installation: installation.id,
    })
  tables.append(request.enrolled)
  const proven = afterProof(agent, installation.enrolledVia, tables.now())
  if (proven !== null) swapAgent(tables, proven)
  if (proven?.status === 'verified' && agent.status !== 'verified') tables.append(request.verified)
  return { kind: 'enrolled', standing: installationStanding(tables, installation), token, again: false }
}

interface First {
  readonly installation: Installation
  readonly token: SdkToken
}

function firstOf(tables: Tables, id: Installation['id'] | null): First | undefined {
  const installation = id === null ? undefined : tables.installations.get(id)
  const token = installation === undefined ? undefined : tables.sdkTokens.get(installation.head)
  return installation === undefined || token === undefined ? undefined : { installation, token }
}

/** A workload has no permission that was spent: its key and its attempt are known. */
function sameWorkload(tables: Tables, { installation: { keyThumbprint, agent }, token }: EnrolRequest): First | undefined {
  for (const installation of tables.installations.values()) {
    if (installation.keyThumbprint !== keyThumbprint || installation.agent !== agent || installation.enrolledVia !== 'workload') continue
    const first = [...tables.sdkTokens.values()].find((one) => one.installation === installation.id && one.generation === 1)
    if (first?.attempt === token.attempt) return firstOf(tables, installation.id)
  }
  return undefined
}

/** The same key with the same attempt: the same bytes, as long as nobody has gone on with them. */
function again(tables: Tables, first: First | undefined, { installation, token }: EnrolRequest): Enrolling {
  if (first === undefined) return REFUSED
  const same = first.installation.keyThumbprint === installation.keyThumbprint && first.token.attempt === token.attempt && first.token.generation === 1
  if (!same || first.installation.status !== 'active' || first.token.state !== 'active') return REFUSED
  if (tables.now() - first.installation.createdAt >= ENROLMENT_REPEAT_MS) return REFUSED
  return { kind: 'enrolled', standing: installationStanding(tables, first.installation), token: first.token, again: true }
}

export function enrolmentsPart(tables: Tables): Enrolments {
  return {
    insert: async (enrolment, event) => {
      if ([...tables.enrolments.values()].some(({ hash, userCode }) => hash === enrolment.hash || (userCode !== null && userCode === enrolment.userCode)))
        throw new Error('the enrolment is stored already')
      tables.enrolments.set(enrolment.id, enrolment)
      if (event !== null) tables.append(event)
    },
    find: async (hash) => [...tables.enrolments.values()].find((one) => one.hash === hash),
    byUserCode: async (userCode) => [...tables.enrolments.values()].find((one) => one.userCode === userCode),
    openOf: async (organization, agent) =>
      [...tables.enrolments.values()]
        .filter((one) => one.organization === organization && one.agent === agent && one.status === 'open' && one.expiresAt > tables.now())
        .sort((left, right) => (left.id < right.id ? 1 : -1))
        .slice(0, 100),
    decide: async (id, decision, event) => decide(tables, id, decision, event),
    poll: async (id, at) => poll(tables, id, at),
    withdraw: async (organization, id, event) => withdraw(tables, organization, id, event),
    enrol: async (request) => enrol(tables, request),
    purge: async (before, limit) => {
      const old = [...tables.enrolments.values()].filter((one) => one.expiresAt < before).slice(0, limit)
      for (const { id } of old) tables.enrolments.delete(id)
      return old.length
    },
  }
}

export function workloadIssuersPart(tables: Tables): WorkloadIssuers {
  const oldestFirst = () => [...tables.workloadIssuers.values()].sort((left, right) => (left.id < right.id ? -1 : 1))
  return {
    insert: async (issuer: Parameters<WorkloadIssuers['insert']>[0], event: NewEvent) => {
      tables.workloadIssuers.set(issuer.id, issuer)
      tables.append(event)
    },
    ofAgent: async (organization, agent) => oldestFirst().filter((one) => one.organization === organization && one.agent === agent),
    named: async (issuer) => oldestFirst().filter((one) => one.issuer === issuer),
    remove: async (organization, agent, id, event) => {
      const found = tables.workloadIssuers.get(id)
      if (found?.organization !== organization || found.agent !== agent) return 'gone'
      tables.workloadIssuers.delete(id)
      tables.append(event)
      return 'removed'
    },
  }
}
