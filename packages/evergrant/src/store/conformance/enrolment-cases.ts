import assert from 'node:assert/strict'
import type { Approval } from '../../core/agent/approvals.ts'
import type { Installation } from '../../core/agent/installation.ts'
import type { InstallationChanges } from '../../core/agent/installations.ts'
import type { Stopper } from '../../core/agent/stopper.ts'
import { type ConnectionId, type InstallationId, newId } from '../../core/ids.ts'
import { agentOf, enrolled, enrolmentOf, enrolRequest, newAgent } from './agents.ts'
import { heardDuring } from './people.ts'
import type { StoreCase } from './store-case.ts'
import { FUTURE, PAST, TestOrganization } from './test-organization.ts'

const BY = { kind: 'user', id: 'usr_1' } as const

export const enrolmentCases: readonly StoreCase[] = [
  {
    name: 'of ten keys with one code one is enrolled; the others are refused, and nothing of them stays',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const agent = await newAgent(org)
      const code = enrolmentOf(org, agent)
      await store.enrolments.insert(code, org.event('enrolment.created'))
      const requests = Array.from({ length: 10 }, (_, index) => enrolRequest(org, agent, code, `${code.id} key ${index}`))
      const outcomes = await Promise.all(requests.map((request) => store.enrolments.enrol(request)))
      assert.equal(outcomes.filter(({ kind }) => kind === 'enrolled').length, 1)
      const told = await store.events.list(org.organization, { type: 'installation.enrolled' }, { limit: 20, cursor: null })
      assert.equal(told.items.length, 1)
      const winner = requests[outcomes.findIndex(({ kind }) => kind === 'enrolled')]
      const spent = await store.enrolments.find(code.hash)
      assert.deepEqual([spent?.status, spent?.usedBy, spent?.installation], ['used', winner?.installation.keyThumbprint, winner?.installation.id])
    },
  },
  {
    name: 'the same key and attempt get the same installation again; another attempt of the same key does not',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const agent = await newAgent(org)
      const code = enrolmentOf(org, agent)
      await store.enrolments.insert(code, null)
      const first = enrolRequest(org, agent, code, code.id, 'attempt')
      const twins = await Promise.all(
        [first, ...Array.from({ length: 4 }, () => enrolRequest(org, agent, code, code.id, 'attempt'))].map((one) => store.enrolments.enrol(one)),
      )
      const ids = new Set(twins.map((one) => (one.kind === 'enrolled' ? `${one.standing.installation.id} ${one.token.id}` : one.kind)))
      assert.equal(ids.size, 1)
      assert.equal(twins.filter((one) => one.kind === 'enrolled' && !one.again).length, 1)
      assert.deepEqual(await store.enrolments.enrol(enrolRequest(org, agent, code, code.id, 'another')), { kind: 'refused' })
    },
  },
  {
    name: 'a workload enrols without a code: its key and attempt are known again, another attempt is another installation',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const agent = await newAgent(org)
      const key = newId('evt', context.entropy)
      const request = () => enrolRequest(org, agent, null, key, 'attempt')
      const outcomes = await Promise.all([request(), request(), request()].map((one) => store.enrolments.enrol(one)))
      const ids = new Set(outcomes.map((one) => (one.kind === 'enrolled' ? one.standing.installation.id : one.kind)))
      assert.equal(ids.size, 1)
      const another = await store.enrolments.enrol(enrolRequest(org, agent, null, key, 'later'))
      assert.ok(another.kind === 'enrolled' && !ids.has(another.standing.installation.id))
    },
  },
  {
    name: 'an agent is verified by the first proven key where its policy accepts that door, and waits for its owner elsewhere',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const agent = await newAgent(org)
      const waiting = await newAgent(org, { policy: { ...agent.policy, autoAccept: [] } })
      for (const [one, status] of [
        [agent, 'verified'],
        [waiting, 'pending'],
      ] as const) {
        const code = enrolmentOf(org, one)
        await store.enrolments.insert(code, null)
        const heard = await heardDuring(org, async () => {
          const outcome = await store.enrolments.enrol(enrolRequest(org, one, code, code.id))
          assert.ok(outcome.kind === 'enrolled')
          assert.equal(outcome.standing.agent.status, status)
          assert.notEqual(outcome.standing.agent.provenAt, null)
        })
        assert.ok(heard.some((change) => change.kind === 'agent' && change.agent === one.id))
        const told = await store.events.list(org.organization, { type: 'agent.verified', subject: one.id }, { limit: 5, cursor: null })
        assert.equal(told.items.length, status === 'verified' ? 1 : 0)
      }
    },
  },
  {
    name: 'a code that is over, withdrawn, of another agent or of a revoked one enrols nobody',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const [agent, other] = [await newAgent(org), await newAgent(org)]
      const revoked = await newAgent(org, { status: 'revoked' })
      const [old, withdrawn, ended] = [enrolmentOf(org, agent, { expiresAt: PAST }), enrolmentOf(org, agent), enrolmentOf(org, revoked)]
      const good = enrolmentOf(org, agent)
      for (const one of [old, withdrawn, ended, good]) await store.enrolments.insert(one, null)
      assert.deepEqual(
        (await store.enrolments.openOf(org.organization, agent.id)).map(({ id }) => id),
        [good.id, withdrawn.id],
      )
      const withdraw = (of: TestOrganization) => store.enrolments.withdraw(of.organization, withdrawn.id, of.event('enrolment.withdrawn'))
      assert.equal(await withdraw(await TestOrganization.open(store, context)), 'gone')
      assert.equal(await withdraw(org), 'withdrawn')
      assert.equal(await withdraw(org), 'gone')
      for (const [code, of] of [
        [old, agent],
        [withdrawn, agent],
        [ended, revoked],
        [good, other],
        [enrolmentOf(org, agent), agent],
      ] as const)
        assert.deepEqual(await store.enrolments.enrol(enrolRequest(org, of, code, code.id)), { kind: 'refused' })
      const stranger = await agentOf(org)
      assert.deepEqual(await store.enrolments.enrol(enrolRequest(org, stranger, null, stranger.id)), { kind: 'refused' })
    },
  },
  {
    name: 'a device waits for one decision, polls no faster than it was told, and enrols once it was allowed',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const agent = await newAgent(org)
      const device = enrolmentOf(org, null, { door: 'device', userCode: newId('evt', context.entropy), nextPollAt: PAST })
      await store.enrolments.insert(device, null)
      assert.deepEqual(await store.enrolments.byUserCode(device.userCode ?? ''), device)
      assert.deepEqual(await store.enrolments.enrol(enrolRequest(org, agent, device, device.id)), { kind: 'refused' })
      assert.equal(await store.enrolments.poll(device.id, PAST), true)
      assert.equal(await store.enrolments.poll(device.id, PAST + 4_999), false)
      const slowed = await store.enrolments.find(device.hash)
      assert.deepEqual([slowed?.intervalMs, slowed?.nextPollAt], [10_000, PAST + 14_999])
      assert.equal(await store.enrolments.poll(device.id, PAST + 14_999), true)
      const decide = (status: 'approved' | 'denied') =>
        store.enrolments.decide(device.id, { status, organization: org.organization, agent: agent.id, name: 'laptop' }, org.event('device.approved'))
      assert.deepEqual((await Promise.all([decide('approved'), decide('approved')])).sort(), ['decided', 'gone'])
      const outcome = await store.enrolments.enrol(enrolRequest(org, agent, device, device.id))
      assert.equal(outcome.kind, 'enrolled')
      assert.equal((await store.enrolments.find(device.hash))?.name, 'laptop')
    },
  },
  {
    name: 'enrolments past their time are forgotten',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const agent = await newAgent(org)
      const [old, open] = [enrolmentOf(org, agent, { expiresAt: PAST - 1 }), enrolmentOf(org, agent)]
      for (const one of [old, open]) await store.enrolments.insert(one, null)
      while ((await store.enrolments.purge(PAST, 1_000)) > 0);
      assert.equal(await store.enrolments.find(old.hash), undefined)
      assert.deepEqual(await store.enrolments.find(open.hash), open)
    },
  },
  {
    name: 'the use of a connection is asked for once, decided once, and holds until its time is over',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const approval = await askedFor(org)
      const connection = approval.connection ?? 'con_'
      const asked = await Promise.all(
        Array.from({ length: 5 }, () => store.approvals.ask({ ...approval, id: newId('apr', context.entropy) }, org.event('approval.asked'))),
      )
      const [first] = asked
      if (first === undefined) throw new Error('nothing was asked')
      assert.equal(new Set(asked.map(({ id }) => id)).size, 1)
      assert.equal(await store.approvals.standing(approval.installation, connection), undefined)
      const decide = (of: TestOrganization, status: 'approved' | 'denied', expiresAt = FUTURE) =>
        store.approvals.decide(of.organization, first.id, { status, by: BY, expiresAt }, of.event('approval.approved'))
      assert.equal(await decide(await TestOrganization.open(store, context), 'approved'), 'gone')
      assert.equal(await decide(org, 'approved'), 'decided')
      assert.equal(await decide(org, 'denied'), 'already')
      const standing = await store.approvals.standing(approval.installation, connection)
      assert.deepEqual([standing?.id, standing?.status, standing?.decidedBy, standing?.expiresAt], [first.id, 'approved', BY, FUTURE])
      assert.equal((await store.approvals.ask({ ...approval, id: newId('apr', context.entropy) }, org.event('approval.asked'))).id, first.id)
    },
  },
  {
    name: 'an approval whose time is over is neither pending nor standing, and is forgotten later',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const approval = { ...(await askedFor(org)), expiresAt: PAST }
      await store.approvals.ask(approval, org.event('approval.asked'))
      assert.deepEqual(await store.approvals.list(org.organization, { status: 'pending', limit: 10, after: null }), [])
      assert.deepEqual(await store.approvals.list(org.organization, { limit: 10, after: null }), [approval])
      const late = { status: 'approved', by: BY, expiresAt: FUTURE } as const
      assert.equal(await store.approvals.decide(org.organization, approval.id, late, org.event('approval.approved')), 'gone')
      const next = { ...approval, id: newId('apr', context.entropy), expiresAt: FUTURE }
      assert.equal((await store.approvals.ask(next, org.event('approval.asked'))).id, next.id)
      while ((await store.approvals.purge(PAST + 1, 1_000)) > 0);
      assert.deepEqual(await store.approvals.list(org.organization, { limit: 10, after: null }), [next])
      assert.equal(await store.approvals.get(org.organization, approval.id), undefined)
    },
  },
  {
    name: 'a workload that somebody stopped does not enrol again, is not forgotten, and is lifted for all of its subject',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const [agent, other] = [await newAgent(org), await newAgent(org)]
      const { organization } = org
      const enrol = (of: typeof agent, subject: string) => {
        const request = enrolRequest(org, of, null, newId('evt', context.entropy))
        const workload = { issuer: newId('wli', context.entropy), subject: `${subject} of ${agent.id}` }
        return store.enrolments.enrol({ ...request, installation: { ...request.installation, workload, expiresAt: PAST } })
      }
      const ids: InstallationId[] = []
      for (let run = 0; run < 2; run++) {
        const outcome = await enrol(agent, 'main')
        assert.ok(outcome.kind === 'enrolled')
        ids.push(outcome.standing.installation.id)
      }
      const [whole, own] = ids as [InstallationId, InstallationId]
      const cutOff = { class: 'owner_request', reason: null, by: 'usr_1', ticket: false, status: 'retired', lock: null } as const
      const revoke = (installation: InstallationId, reaches: boolean) =>
        store.installations.revoke(
          organization,
          { installation },
          { ...cutOff, stopper: { actor: BY, whole: reaches } },
          PAST,
          org.event('installation.retired'),
        )
      await revoke(whole, true)
      await revoke(own, false)
      assert.deepEqual((await store.installations.get(whole))?.installation.stoppedBy, { actor: BY, whole: true })
      assert.deepEqual(await enrol(agent, 'main'), { kind: 'kept_out', installation: own })
      assert.equal((await enrol(agent, 'branch')).kind, 'enrolled')
      assert.equal((await enrol(other, 'main')).kind, 'enrolled')
      await store.installations.forgetEnded(PAST + 1, 1_000)
      assert.equal((await enrol(agent, 'main')).kind, 'kept_out')
      const lift = (id: InstallationId, reaches: boolean) => store.installations.lift(organization, id, reaches, org.event('installation.updated'))
      assert.deepEqual([await lift(own, false), await lift(own, true), await lift(whole, true)], ['held', 'lifted', 'not_kept_out'])
      assert.equal((await enrol(agent, 'main')).kind, 'enrolled')
      assert.equal(await lift(newId('ins', context.entropy), true), 'gone')
    },
  },
  {
    name: 'what somebody of the whole organization stopped is undone by nobody else, whenever that was decided; a lock holds when the machine signs itself out',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const { organization } = org
      const request = enrolRequest(org, await newAgent(org), null, newId('evt', context.entropy))
      const outcome = await store.enrolments.enrol(request)
      assert.ok(outcome.kind === 'enrolled')
      const { id } = outcome.standing.installation
      const [whole, own] = [{ actor: BY, whole: true } as const, { actor: BY, whole: false } as const]
      const stoppedBy = async () => (await store.installations.get(id))?.installation.stoppedBy
      const update = (changes: InstallationChanges) => store.installations.update(organization, id, changes, org.event('installation.updated'))
      const unlock = (all: boolean) => store.installations.unlock(organization, id, all, PAST, org.event('installation.unlocked'))
      const end = (status: 'locked' | 'retired', stopper?: Stopper) => {
        const revocation = {
          class: 'owner_request',
          reason: null,
          by: 'usr_1',
          ticket: false,
          status,
          lock: null,
          ...(stopper === undefined ? {} : { stopper }),
        } as const
        return store.installations.revoke(organization, { installation: id }, revocation, PAST, org.event('installation.retired'))
      }
      await update({ status: 'recovery_blocked', stoppedBy: whole, whole: true })
      assert.equal(await update({ status: 'recovery_blocked', stoppedBy: own }), 'updated')
      assert.deepEqual(await stoppedBy(), whole)
      assert.deepEqual(
        [await update({ status: 'active', stoppedBy: null }), (await store.installations.get(id))?.installation.status],
        ['held', 'recovery_blocked'],
      )
      assert.equal(await update({ status: 'active', stoppedBy: null, whole: true }), 'updated')
      await end('locked', whole)
      assert.deepEqual([await unlock(false), await unlock(true), await stoppedBy()], ['held', 'unlocked', null])
      await end('locked', own)
      await end('retired')
      assert.deepEqual(await stoppedBy(), own)
    },
  },
  {
    name: 'a workload goes with its tokens when its end is long past; its events stay, and so does what a person enrolled',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const agent = await newAgent(org)
      const enrol = async (changes: Partial<Installation>): Promise<InstallationId> => {
        const request = enrolRequest(org, agent, null, newId('evt', context.entropy))
        const installation: Installation = { ...request.installation, enrolledVia: 'workload', ...changes }
        assert.equal((await store.enrolments.enrol({ ...request, installation, token: { ...request.token, expiresAt: FUTURE } })).kind, 'enrolled')
        return installation.id
      }
      const [first, second] = [await enrol({ expiresAt: PAST }), await enrol({ expiresAt: PAST + 1 })]
      const kept = [await enrol({ expiresAt: PAST + 2 }), await enrol({ expiresAt: null }), await enrol({ expiresAt: PAST, enrolledVia: 'code' })]
      await store.installations.update(org.organization, first, { name: 'web-9' }, { ...org.event('installation.updated'), subject: first })
      while ((await store.installations.forgetEnded(PAST + 2, 1)) === 1);
      for (const id of [first, second]) {
        assert.equal(await store.installations.get(id), undefined)
        assert.deepEqual(await store.installations.tokensOf(id, 10), [])
      }
      for (const id of kept) assert.equal((await store.installations.tokensOf(id, 10)).length, 1)
      const told = await store.events.list(org.organization, { subject: first }, { limit: 10, cursor: null })
      assert.deepEqual(
        told.items.map(({ type }) => type),
        ['installation.updated'],
      )
    },
  },
]

async function askedFor(org: TestOrganization): Promise<Approval> {
  const agent = await newAgent(org)
  const installation = await enrolled(org, agent)
  const connection: ConnectionId = newId('con', org.context.entropy)
  return {
    id: newId('apr', org.context.entropy),
    organization: org.organization,
    kind: 'use',
    agent: agent.id,
    installation: installation.id,
    connection,
    attempt: null,
    status: 'pending',
    shown: { host: 'web-2' },
    askedAt: PAST,
    decidedAt: null,
    decidedBy: null,
    expiresAt: FUTURE,
  }
}
