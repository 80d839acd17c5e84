import assert from 'node:assert/strict'
import type { Agent } from '../../core/agent/agent.ts'
import type { Installation } from '../../core/agent/installation.ts'
import type { SdkRevocation } from '../../core/agent/installations.ts'
import type { TrustFacts } from '../../core/agent/trust/facts.ts'
import { TRUST_POLICY_VERSION } from '../../core/agent/trust/policy.ts'
import { score } from '../../core/agent/trust/score.ts'
import type { TrustSnapshot } from '../../core/agent/trust-snapshots.ts'
import { type IncidentId, newId } from '../../core/ids.ts'
import { DAY, type Instant } from '../../core/time.ts'
import { enrolled, enrolRequest, newAgent } from './agents.ts'
import type { StoreCase } from './store-case.ts'
import { FUTURE, PAST, TestOrganization } from './test-organization.ts'

const EVERYTHING = { days: 0, recoveries: 0, proofFailures: 0, incidents: 0 }
const BY = { kind: 'user', id: 'usr_1' } as const

/** Cut off as compromised, with an incident. */
export async function compromised(org: TestOrganization, { id }: Installation, at: Instant = PAST): Promise<IncidentId> {
  const incident = newId('inc', org.context.entropy)
  const lock = { code: 'compromise' as const, at, message: 'The laptop was stolen.', incident }
  const revocation: SdkRevocation = { class: 'compromise', reason: null, by: 'usr_1', ticket: false, status: 'locked', lock }
  await org.store.installations.revoke(org.organization, { installation: id }, revocation, at, { ...org.event('installation.locked'), subject: id })
  return incident
}

export function snapshotOf(agent: Agent, at: Instant): TrustSnapshot {
  const facts: TrustFacts = {
    agent: agent.id,
    status: agent.status,
    owner: { user: agent.owner, active: true },
    reviewedAt: null,
    installations: { working: 0, locked: 0, retired: 0 },
    weakestKey: null,
    oldestKey: null,
    use: null,
    seen: null,
    rotations: null,
    recoveries: [],
    incidents: [],
    grants: null,
  }
  return { agent: agent.id, at, facts, result: score(facts, at, TRUST_POLICY_VERSION) }
}

/** All that are due are taken at once: others share the store. */
async function isDue(org: TestOrganization, agent: Agent, visibilityMs = DAY): Promise<boolean> {
  const taken = await org.store.trustSnapshots.takeDue(100_000, visibilityMs)
  const own = taken.filter((one) => one.agent === agent.id)
  for (const { organization } of own) assert.equal(organization, org.organization)
  return own.length === 1
}

export const trustCases: readonly StoreCase[] = [
  {
    name: 'what is known of the installations of an agent is counted: those that are over by time are in no count',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const agent = await newAgent(org)
      const other = await newAgent(org)
      await enrolled(org, other)
      const nothing = { working: 0, locked: 0, retired: 0, custodies: [], oldestKey: null, days: [], recoveries: [], proofFailures: [], incidents: [] }
      assert.deepEqual(await store.trustSnapshots.observe(agent.id, PAST, EVERYTHING), nothing)
      const add = async (key: string, changes: Partial<Installation>) => {
        const request = enrolRequest(org, agent, null, `${agent.id} ${key}`)
        const installation = { ...request.installation, ...changes }
        assert.equal((await store.enrolments.enrol({ ...request, installation })).kind, 'enrolled')
        return installation.id
      }
      const file = await add('file', { custody: 'file', keyCreatedAt: PAST + 2 })
      await add('file again', { custody: 'file', keyCreatedAt: PAST + 3 })
      const hardware = await add('hardware', { custody: 'hardware', keyCreatedAt: PAST + 1, status: 'recovery_blocked' })
      await add('over', { custody: 'environment', keyCreatedAt: PAST, expiresAt: PAST + DAY })
      await add('locked', { custody: 'environment', keyCreatedAt: PAST, status: 'locked' })
      await add('ended', { custody: 'environment', keyCreatedAt: PAST, status: 'retired' })
      const seen = await store.trustSnapshots.observe(agent.id, PAST + DAY, EVERYTHING)
      assert.deepEqual([seen.working, seen.locked, seen.retired], [3, 1, 1])
      const custodies = [...seen.custodies].sort((left, right) => (left.custody < right.custody ? -1 : 1))
      assert.deepEqual(custodies, [
        { custody: 'file', installation: file },
        { custody: 'hardware', installation: hardware },
      ])
      assert.deepEqual(seen.oldestKey, { installation: hardware, createdAt: PAST + 1 })
    },
  },
  {
    name: 'days of all installations add up, and recoveries of all of them are found, within the time that is asked for',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const agent = await newAgent(org)
      const [one, two] = [await enrolled(org, agent), await enrolled(org, agent)]
      const day = { agent: agent.id, day: PAST, requests: 5, bound: 4, rotations: 3, rotationsOnTime: 2, proofFailures: 1, refusedUses: 6 }
      await store.uses.add(
        [],
        [
          { ...day, installation: one.id },
          { ...day, installation: two.id },
          { ...day, installation: one.id, day: PAST - DAY },
        ],
      )
      const recovered = (subject: string, at: Instant) => ({ ...org.event('recovery.succeeded'), subject, at, data: { counted: true } })
      const [first, second] = [recovered(one.id, PAST), recovered(two.id, PAST + 1)]
      const leaked = { ...org.event('installation.proof_failed'), subject: two.id, data: { count: 12 } }
      for (const event of [
        leaked,
        { ...leaked, id: newId('evt', context.entropy), at: PAST - DAY },
        first,
        second,
        recovered(one.id, PAST - DAY),
        { ...first, ...org.event('recovery.denied'), subject: one.id },
      ])
        await store.events.append(event)
      const seen = await store.trustSnapshots.observe(agent.id, PAST, { ...EVERYTHING, days: PAST, recoveries: PAST, proofFailures: PAST })
      assert.deepEqual(seen.proofFailures, [leaked])
      assert.deepEqual(seen.days, [{ day: PAST, requests: 10, bound: 8, rotations: 6, rotationsOnTime: 4, refusedUses: 12 }])
      assert.deepEqual(
        [...seen.recoveries].sort((left, right) => (left.id < right.id ? -1 : 1)),
        [first, second],
      )
      while ((await store.trustSnapshots.forgetDays(PAST, 1_000)) > 0);
      assert.equal((await store.trustSnapshots.observe(agent.id, PAST, EVERYTHING)).days.length, 1)
    },
  },
  {
    name: 'an incident is closed once, by its own organization alone, and the first closure stays',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const elsewhere = await TestOrganization.open(store, context)
      const agent = await newAgent(org)
      const installation = await enrolled(org, agent)
      const id = await compromised(org, installation)
      const found = await store.incidents.get(org.organization, id)
      assert.deepEqual([found?.agent, found?.installation, found?.kind, found?.at, found?.closure], [agent.id, installation.id, 'compromise', PAST, null])
      const told = await store.events.list(org.organization, { subject: installation.id, type: 'installation.locked' }, { limit: 1, cursor: null })
      assert.equal(found?.event, told.items[0]?.id)
      assert.equal(await store.incidents.get(elsewhere.organization, id), undefined)
      const close = (of: TestOrganization, note: string) =>
        store.incidents.close(of.organization, id, { at: FUTURE, by: BY, note }, { ...of.event('incident.closed'), subject: agent.id })
      assert.equal(await close(elsewhere, 'not mine'), 'gone')
      const outcomes = await Promise.all(['first', 'second', 'third'].map((note) => close(org, note)))
      assert.deepEqual([...outcomes].sort(), ['closed', 'closed_before', 'closed_before'])
      assert.deepEqual((await store.incidents.get(org.organization, id))?.closure, {
        at: FUTURE,
        by: BY,
        note: ['first', 'second', 'third'][outcomes.indexOf('closed')],
      })
      const closed = await store.events.list(org.organization, { subject: agent.id, type: 'incident.closed' }, { limit: 10, cursor: null })
      assert.equal(closed.items.length, 1)
    },
  },
  {
    name: 'incidents are listed newest first, and an open one counts however old it is',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const agent = await newAgent(org)
      const [first, second, third] = [
        await compromised(org, await enrolled(org, agent)),
        await compromised(org, await enrolled(org, agent)),
        await compromised(org, await enrolled(org, agent), PAST + DAY),
      ]
      const ids = async (limit: number, after: IncidentId | null) => (await store.incidents.ofAgent(agent.id, { limit, after })).map(({ id }) => id)
      assert.deepEqual(await ids(2, null), [third, second])
      assert.deepEqual(await ids(2, second), [first])
      await store.incidents.close(org.organization, first, { at: PAST, by: BY, note: 'found' }, org.event('incident.closed'))
      const counting = async (incidents: Instant) =>
        (await store.trustSnapshots.observe(agent.id, PAST, { ...EVERYTHING, incidents })).incidents.map(({ id }) => id).sort()
      assert.deepEqual(await counting(PAST), [first, second, third])
      assert.deepEqual(await counting(PAST + 1), [second, third])
    },
  },
  {
    name: 'a score is due at once for a new agent, then when its time comes, and at once after an incident and its closure',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const agent = await newAgent(org)
      const installation = await enrolled(org, agent)
      assert.equal(await isDue(org, agent), true)
      assert.equal(await isDue(org, agent), false)
      await store.trustSnapshots.save(snapshotOf(agent, PAST), PAST)
      assert.equal(await isDue(org, agent), true)
      await store.trustSnapshots.save(snapshotOf(agent, PAST + 1), FUTURE)
      assert.equal(await isDue(org, agent), false)
      const incident = await compromised(org, installation)
      // Read before the incident, and saved after it: still due.
      await store.trustSnapshots.save(snapshotOf(agent, PAST + 2), FUTURE)
      assert.equal(await isDue(org, agent), true)
      await store.trustSnapshots.save(snapshotOf(agent, PAST + 3), FUTURE)
      assert.equal(await isDue(org, agent), false)
      await store.incidents.close(org.organization, incident, { at: PAST, by: BY, note: 'found' }, org.event('incident.closed'))
      assert.equal(await isDue(org, agent), true)
    },
  },
  {
    name: 'of two that take what is due at the same time one gets an agent, and a revoked one is due no more',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const agent = await newAgent(org)
      const both = await Promise.all([isDue(org, agent), isDue(org, agent)])
      assert.deepEqual([...both].sort(), [false, true])
      const ended = await newAgent(org)
      await store.agents.update({ ...ended, status: 'revoked', version: 2 }, org.event('agent.revoked'))
      assert.equal(await isDue(org, ended), false)
    },
  },
  {
    name: 'snapshots are read back as they were saved, newest first, and of the same instant twice the later one stays',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const agent = await newAgent(org)
      const [first, second, third] = [snapshotOf(agent, PAST), snapshotOf(agent, PAST + DAY), snapshotOf(agent, PAST + 2 * DAY)]
      for (const snapshot of [second, { ...first, facts: { ...first.facts, reviewedAt: 1 } }, first, third]) await store.trustSnapshots.save(snapshot, FUTURE)
      assert.deepEqual(await store.trustSnapshots.history(agent.id, { limit: 2, before: null }), [third, second])
      assert.deepEqual(await store.trustSnapshots.history(agent.id, { limit: 2, before: PAST + DAY }), [first])
      assert.deepEqual(await store.trustSnapshots.firstSince(agent.id, PAST + 1), second)
      assert.equal(await store.trustSnapshots.firstSince(agent.id, FUTURE), undefined)
      while ((await store.trustSnapshots.purge(PAST + 1, 1_000)) > 0);
      assert.deepEqual(await store.trustSnapshots.history(agent.id, { limit: 9, before: null }), [third, second])
    },
  },
  {
    name: 'what happened to an agent, its owner and its installations is found newest first, and nothing of another organization',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const elsewhere = await TestOrganization.open(store, context)
      const agent = await newAgent(org)
      const installation = await enrolled(org, agent)
      const of = { organization: org.organization, agent: agent.id, owner: agent.owner }
      const types = ['recovery.succeeded', 'agent.reviewed', 'user.disabled'] as const
      const told = []
      for (const [type, subject] of [
        ['agent.reviewed', agent.id],
        ['recovery.succeeded', installation.id],
        ['user.disabled', agent.owner],
      ] as const) {
        const event = { ...org.event(type), subject }
        await store.events.append(event)
        told.unshift(event)
      }
      await store.events.append({ ...elsewhere.event('user.disabled'), subject: agent.owner })
      await store.events.append({ ...org.event('recovery.denied'), subject: installation.id })
      assert.deepEqual(await store.trustSnapshots.happened(of, types, PAST - 1, 10), told)
      assert.deepEqual(await store.trustSnapshots.happened(of, types, PAST - 1, 2), told.slice(0, 2))
      assert.deepEqual(await store.trustSnapshots.happened(of, types, PAST, 10), [])
    },
  },
]
