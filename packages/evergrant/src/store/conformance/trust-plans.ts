import { CAUSES } from '../../core/agent/trust/explain.ts'
import { type AgentId, type IncidentId, newId } from '../../core/ids.ts'
import { DAY, type Instant, MINUTE } from '../../core/time.ts'
import type { Row } from '../sql/program.ts'
import type { AgentPlan } from './agent-plans.ts'
import { enrolled, newAgent } from './agents.ts'
import type { TestOrganization } from './test-organization.ts'
import { compromised, snapshotOf } from './trust-cases.ts'

const LIMIT = 20
const numbered = (prefix: string, index: number): string => `${prefix}_${String(index).padStart(8, '0')}`
const agentAt = (index: number) => numbered('agt', index) as AgentId
const incidentAt = (index: number) => numbered('inc', index) as IncidentId

/** One snapshot and one incident; the others are copies of their rows. */
export async function fillTrust(org: TestOrganization): Promise<void> {
  const agent = await newAgent(org)
  await compromised(org, await enrolled(org, agent))
  await org.store.trustSnapshots.save(snapshotOf(agent, 1), 1)
}

/** After the agents that they refer to. */
export function trustCopies(now: Instant): Readonly<Record<string, (row: Row, index: number, id: string) => Row>> {
  return {
    incident: (row, index) => ({ ...row, id: incidentAt(index), agent_id: agentAt(index), at: now - index }),
    trust_snapshot: (row, index) => ({ ...row, agent_id: agentAt(index), at: index % 300 === 7 ? now - 401 * DAY + index : now - index }),
  }
}

export function trustPlans(now: Instant): readonly AgentPlan[] {
  const agent = agentAt(120)
  const since = { days: now - 90 * DAY, recoveries: now - 30 * DAY, proofFailures: now - 90 * DAY, incidents: now - 360 * DAY }
  return [
    { name: 'what a trust score is computed from', run: (store) => store.trustSnapshots.observe(agent, now, since) },
    {
      name: 'what moved a trust score',
      run: (store, { org: { organization } }) => store.trustSnapshots.happened({ organization, agent, owner: 'usr_00000120' }, CAUSES, now - 7 * DAY, LIMIT),
    },
    { name: 'trust scores over time', run: (store) => store.trustSnapshots.history(agent, { limit: LIMIT, before: now }) },
    { name: 'the trust score of a week ago', run: (store) => store.trustSnapshots.firstSince(agent, now - 7 * DAY) },
    { name: 'taking trust scores that are due', run: (store) => store.trustSnapshots.takeDue(LIMIT, MINUTE) },
    { name: 'forgetting trust scores', run: (store) => store.trustSnapshots.purge(now - 400 * DAY, LIMIT) },
    { name: 'forgetting days of installations', run: (store) => store.trustSnapshots.forgetDays(now - 91 * DAY, LIMIT) },
    { name: "an agent's incidents", run: (store) => store.incidents.ofAgent(agent, { limit: LIMIT, after: null }) },
    {
      name: 'closing an incident',
      run: (store, { org }) => {
        const closure = { at: now, by: { kind: 'system', id: null }, note: 'found' } as const
        const event = { ...org.event('incident.closed'), id: newId('evt', org.context.entropy) }
        return store.incidents.close(org.organization, incidentAt(121), closure, event)
      },
    },
  ]
}
