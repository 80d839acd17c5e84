import { type AgentId, type ApprovalId, type ConnectionId, type EnrolmentId, type InstallationId, newId, type UserId } from '../../core/ids.ts'
import { DAY, type Instant, MINUTE } from '../../core/time.ts'
import type { Row } from '../sql/program.ts'
import type { StoreParts } from '../sql/store-parts.ts'
import { enrolled, enrolmentOf, enrolRequest, newAgent } from './agents.ts'
import type { TestOrganization } from './test-organization.ts'

const LIMIT = 20
const numbered = (prefix: string, index: number): string => `${prefix}_${String(index).padStart(8, '0')}`
const agentAt = (index: number) => numbered('agt', index) as AgentId
const installationAt = (index: number) => numbered('ins', index) as InstallationId
const enrolmentAt = (index: number) => numbered('enr', index) as EnrolmentId
const approvalAt = (index: number) => numbered('apr', index) as ApprovalId
const connectionAt = (index: number) => numbered('con', index) as ConnectionId

/** One agent with all that hangs on it; the others are copies of its rows. */
export async function fillAgents(org: TestOrganization): Promise<void> {
  const { store, organization } = org
  const agent = await newAgent(org)
  const installation = await enrolled(org, agent)
  await store.enrolments.insert(enrolmentOf(org, agent), null)
  const connection = newId('con', org.context.entropy)
  const actor = { kind: 'installation', id: installation.id } as const
  const day = {
    installation: installation.id,
    agent: agent.id,
    day: 0,
    requests: 1,
    bound: 1,
    rotations: 0,
    rotationsOnTime: 0,
    proofFailures: 0,
    refusedUses: 0,
  }
  await store.uses.add([{ organization, connection, actor, access: 'token', minute: 0, count: 1 }], [day])
  await store.workloadIssuers.insert(
    {
      id: newId('wli', org.context.entropy),
      organization,
      agent: agent.id,
      name: 'CI',
      issuer: 'https://ci.example',
      audience: 'a',
      conditions: [],
      installationLifeMs: MINUTE,
      createdAt: 0,
    },
    org.event('workload_issuer.created'),
  )
  const asked = { kind: 'use', agent: agent.id, installation: installation.id, connection, attempt: null, status: 'pending', shown: {} } as const
  await store.approvals.ask(
    { ...asked, id: newId('apr', org.context.entropy), organization, askedAt: 0, decidedAt: null, decidedBy: null, expiresAt: 4_000_000_000_000 },
    org.event('approval.asked'),
  )
}

/** How the rows are copied, in the order in which they refer to each other. */
export function agentCopies(now: Instant): Readonly<Record<string, (row: Row, index: number, id: string) => Row>> {
  return {
    agent: (row, index) => ({ ...row, id: agentAt(index), name: `agent ${index}`, owner_id: numbered('usr', index) }),
    installation: (row, index) => ({
      ...row,
      id: installationAt(index),
      agent_id: agentAt(index),
      key_thumbprint: `key ${index}`,
      head_id: numbered('sdk', index),
      enrolled_via: index % 3 === 0 ? 'workload' : 'code',
      expires_at: index % 3 > 0 ? null : index % 600 === 9 ? now - 8 * DAY : now + DAY,
    }),
    sdk_token: (row, index) => ({ ...row, id: numbered('sdk', index), installation_id: installationAt(index) }),
    enrolment: (row, index) => ({
      ...row,
      id: enrolmentAt(index),
      hash: `hash ${index}`,
      user_code: `code ${index}`,
      agent_id: agentAt(index),
      expires_at: index % 300 === 7 ? now - 2 * DAY : now + DAY + index,
    }),
    agent_approval: (row, index) => ({
      ...row,
      id: approvalAt(index),
      agent_id: agentAt(index),
      installation_id: installationAt(index),
      connection_id: connectionAt(index),
      status: index % 300 === 7 ? 'pending' : 'denied',
      expires_at: index % 300 === 9 ? now - 40 * DAY : now + DAY + index,
    }),
    workload_issuer: (row, index) => ({ ...row, id: numbered('wli', index), agent_id: agentAt(index), issuer: `https://ci${index}.example` }),
    connection_use: (row, index) => ({
      ...row,
      connection_id: connectionAt(index),
      actor_id: installationAt(index),
      minute: index % 300 === 7 ? now - 100 * DAY : now - index,
    }),
    installation_day: (row, index) => ({ ...row, installation_id: installationAt(index), agent_id: agentAt(index), day: now - (now % DAY) }),
  }
}

export interface AgentPlan {
  readonly name: string
  readonly run: (store: StoreParts, world: { readonly org: TestOrganization }) => Promise<unknown>
}

export function agentPlans(now: Instant): readonly AgentPlan[] {
  const page = { limit: LIMIT, after: null }
  return [
    { name: 'an agent and its owner', run: (store, { org }) => store.agents.get(org.organization, agentAt(100)) },
    { name: 'the first page of agents', run: (store, { org }) => store.agents.list(org.organization, page) },
    { name: "a person's agents", run: (store, { org }) => store.agents.list(org.organization, { ...page, owner: numbered('usr', 101) as UserId }) },
    { name: 'an enrolment by its code', run: (store) => store.enrolments.find('hash 102') },
    { name: 'a device by what a person typed', run: (store) => store.enrolments.byUserCode('code 103') },
    { name: "an agent's open codes", run: (store, { org }) => store.enrolments.openOf(org.organization, agentAt(104)) },
    {
      name: 'enrolling with a code',
      run: async (store, { org }) => {
        const standing = await store.agents.get(org.organization, agentAt(105))
        if (standing === undefined) throw new Error('the agent is not stored')
        const { agent } = standing
        const outcome = await store.enrolments.enrol(enrolRequest(org, agent, { ...enrolmentOf(org, agent), id: enrolmentAt(105) }, 'a key'))
        if (outcome.kind !== 'enrolled') throw new Error('nobody was enrolled')
      },
    },
    {
      name: 'enrolling a workload',
      run: async (store, { org }) => {
        const standing = await store.agents.get(org.organization, agentAt(106))
        if (standing === undefined) throw new Error('the agent is not stored')
        await store.enrolments.enrol(enrolRequest(org, standing.agent, null, 'key 106', 'later'))
      },
    },
    { name: 'forgetting enrolments', run: (store) => store.enrolments.purge(now - DAY, LIMIT) },
    { name: 'what waits for a person', run: (store, { org }) => store.approvals.list(org.organization, { ...page, status: 'pending' }) },
    { name: 'the first page of approvals', run: (store, { org }) => store.approvals.list(org.organization, page) },
    { name: 'whether a use is approved', run: (store) => store.approvals.standing(installationAt(107), connectionAt(107)) },
    { name: 'forgetting approvals', run: (store) => store.approvals.purge(now - 30 * DAY, LIMIT) },
    { name: 'trusted workloads of an issuer', run: (store) => store.workloadIssuers.named('https://ci108.example') },
    { name: 'trusted workloads of an agent', run: (store, { org }) => store.workloadIssuers.ofAgent(org.organization, agentAt(109)) },
    {
      name: 'who used the connections of a page',
      run: (store, { org }) => store.uses.byHour(org.organization, [connectionAt(110), connectionAt(111)], now - DAY),
    },
    { name: 'who used a connection', run: (store, { org }) => store.uses.ofConnection(org.organization, connectionAt(110), now - 7 * DAY, LIMIT) },
    { name: 'what an agent used', run: (store) => store.uses.ofAgent(agentAt(111), now - 7 * DAY) },
    { name: "an agent's days", run: (store) => store.uses.daysOf(agentAt(112), now - 30 * DAY) },
    { name: 'forgetting uses', run: (store) => store.uses.purge(now - 90 * DAY, LIMIT) },
    {
      name: 'counting uses',
      run: (store, { org: { organization } }) =>
        store.uses.add(
          [
            {
              organization,
              connection: connectionAt(113),
              actor: { kind: 'installation', id: installationAt(113) },
              access: 'token',
              minute: now - 113,
              count: 1,
            },
          ],
          [
            {
              installation: installationAt(113),
              agent: agentAt(113),
              day: 0,
              requests: 1,
              bound: 0,
              rotations: 0,
              rotationsOnTime: 0,
              proofFailures: 0,
              refusedUses: 0,
            },
          ],
        ),
    },
  ]
}
