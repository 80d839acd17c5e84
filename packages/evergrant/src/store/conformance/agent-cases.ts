import assert from 'node:assert/strict'
import { AGENT_SETTINGS_DEFAULTS, RECOVERY_DEFAULTS } from '../../core/agent/recovery-settings.ts'
import type { WorkloadIssuer } from '../../core/agent/workload-issuers.ts'
import { newId } from '../../core/ids.ts'
import { HOUR, MINUTE } from '../../core/time.ts'
import { agentOf, enrolled, newAgent } from './agents.ts'
import { heardDuring, person } from './people.ts'
import type { StoreCase } from './store-case.ts'
import { FUTURE, PAST, TestOrganization } from './test-organization.ts'

export const agentCases: readonly StoreCase[] = [
  {
    name: 'an agent is read back as it was stored, with what its owner is now, and is not there for another organization',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const elsewhere = await TestOrganization.open(store, context)
      const agent = await newAgent(org, { acceptedBy: { kind: 'user', id: 'usr_1' }, acceptedAt: PAST, recovery: { limit: 3 } })
      assert.deepEqual(await store.agents.get(org.organization, agent.id), { agent, ownerActive: true, ownerRole: 'operator', ownerName: agent.owner })
      assert.equal(await store.agents.get(elsewhere.organization, agent.id), undefined)
      assert.deepEqual(await store.agents.list(elsewhere.organization, { limit: 10, after: null }), [])
    },
  },
  {
    name: 'an owner who is disabled, or no member of the organization, answers for nothing, and an external id names their own connections',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const elsewhere = await TestOrganization.open(store, context)
      const [disabled, stranger] = [await person(org, 'member', { disabledAt: PAST }), await person(elsewhere)]
      const known = await person(org, 'member', { externalId: newId('evt', context.entropy) })
      for (const { id } of [disabled, stranger]) {
        const agent = await newAgent(org, { owner: id })
        const { ownerActive, ownerRole } = (await store.agents.get(org.organization, agent.id)) ?? {}
        assert.deepEqual([ownerActive, ownerRole], [false, null])
      }
      const agent = await newAgent(org, { owner: known.id })
      const standing = await store.agents.get(org.organization, agent.id)
      assert.deepEqual([standing?.ownerRole, standing?.ownerName], ['member', known.externalId])
    },
  },
  {
    name: 'an agent changes by version: of ten that change the same one, one does, and all nodes hear of it',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const agent = await newAgent(org)
      const change = (index: number) => ({ ...agent, description: `change ${index}`, version: 2 })
      const heard = await heardDuring(org, async () => {
        const outcomes = await Promise.all(
          Array.from({ length: 10 }, (_, index) => store.agents.update(change(index), { ...org.event('agent.updated'), subject: agent.id })),
        )
        assert.deepEqual(outcomes.filter((outcome) => outcome === 'updated').length, 1)
        assert.deepEqual(outcomes.filter((outcome) => outcome === 'changed').length, 9)
      })
      assert.ok(heard.some((one) => one.kind === 'agent' && one.agent === agent.id))
      const told = await store.events.list(org.organization, { type: 'agent.updated', subject: agent.id }, { limit: 20, cursor: null })
      assert.equal(told.items.length, 1)
    },
  },
  {
    name: 'a name is unique among the agents of an organization that are not revoked',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const elsewhere = await TestOrganization.open(store, context)
      const first = await newAgent(org, { name: 'weather' })
      await newAgent(elsewhere, { name: 'weather' })
      const second = await agentOf(org, { name: 'weather' })
      assert.equal(await store.agents.insert(second, org.event('agent.created')), 'name_taken')
      const other = await newAgent(org)
      assert.equal(await store.agents.update({ ...other, name: 'weather', version: 2 }, org.event('agent.updated')), 'name_taken')
      assert.equal(await store.agents.update({ ...first, status: 'revoked', version: 2 }, org.event('agent.revoked')), 'updated')
      assert.equal(await store.agents.insert(second, org.event('agent.created')), 'inserted')
    },
  },
  {
    name: 'agents are listed newest first, of one owner or of one status, from where the page before ended',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const [first, second, third] = [await newAgent(org), await newAgent(org, { status: 'suspended' }), await newAgent(org)]
      const ids = async (filter: Parameters<typeof store.agents.list>[1]) => (await store.agents.list(org.organization, filter)).map(({ id }) => id)
      assert.deepEqual(await ids({ limit: 2, after: null }), [third.id, second.id])
      assert.deepEqual(await ids({ limit: 2, after: second.id }), [first.id])
      assert.deepEqual(await ids({ limit: 9, after: null, owner: first.owner }), [first.id])
      assert.deepEqual(await ids({ limit: 9, after: null, status: 'suspended' }), [second.id])
    },
  },
  {
    name: 'what an organization says about its agents is the default until it says something',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      assert.deepEqual(await store.agents.settings(org.organization), AGENT_SETTINGS_DEFAULTS)
      const settings = { recoveryEnabled: false, recovery: { ...RECOVERY_DEFAULTS, mode: 'off' as const }, breakerUntil: FUTURE, breakerClosedAt: PAST }
      await store.agents.saveSettings(org.organization, AGENT_SETTINGS_DEFAULTS, PAST, org.event('agent.settings_changed'))
      await store.agents.saveSettings(org.organization, settings, PAST, org.event('agent.settings_changed'))
      assert.deepEqual(await store.agents.settings(org.organization), settings)
    },
  },
  {
    name: 'settings are written over what the decision saw, or not at all: of many who decide on the same settings at once, one is first',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const held = { ...AGENT_SETTINGS_DEFAULTS, breakerUntil: FUTURE }
      await store.agents.saveSettings(org.organization, held, PAST, org.event('agent.settings_changed'))
      const off = (limit: number) => ({ ...held, recoveryEnabled: false, recovery: { ...RECOVERY_DEFAULTS, limit } })
      const save = (limit: number) => store.agents.saveSettings(org.organization, off(limit), PAST, org.event('recovery.switch_changed'), held)
      const outcomes = await Promise.all([3, 4, 6, 7].map(save))
      assert.deepEqual([...outcomes].sort(), ['moved', 'moved', 'moved', 'saved'])
      assert.deepEqual(await store.agents.settings(org.organization), off([3, 4, 6, 7][outcomes.indexOf('saved')] ?? 0))
      const { items } = await store.events.list(org.organization, { type: 'recovery.switch_changed' }, { limit: 10, cursor: null })
      assert.equal(items.length, 1)
      assert.equal(await store.agents.saveSettings(org.organization, off(9), PAST, org.event('recovery.switch_changed'), off(8)), 'moved')
    },
  },
  {
    name: 'uses add up by connection, minute, access and who it was; days by installation; and old uses go',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const agent = await newAgent(org)
      const [one, other] = [await enrolled(org, agent), await enrolled(org, agent)]
      const connection = newId('con', context.entropy)
      const use = (id: string, minute: number, count: number) => ({
        organization: org.organization,
        connection,
        actor: { kind: 'installation' as const, id },
        access: 'token' as const,
        minute,
        count,
      })
      const day = {
        installation: one.id,
        agent: agent.id,
        day: PAST,
        requests: 3,
        bound: 2,
        rotations: 1,
        rotationsOnTime: 1,
        proofFailures: 0,
        refusedUses: 4,
      }
      await store.uses.add([use(one.id, PAST, 2), use(other.id, PAST + MINUTE, 5)], [day])
      await store.uses.add([use(one.id, PAST, 3)], [day, { ...day, installation: newId('ins', context.entropy) }])
      const found = await store.uses.ofConnection(org.organization, connection, PAST, 10)
      assert.deepEqual(found, [use(other.id, PAST + MINUTE, 5), use(one.id, PAST, 5)])
      assert.deepEqual(await store.uses.ofConnection(org.organization, connection, PAST, 1), [use(other.id, PAST + MINUTE, 5)])
      const hourly = (id: string, count: number) => ({ connection, actor: { kind: 'installation', id }, hour: PAST - (PAST % HOUR), count })
      assert.deepEqual(
        [...(await store.uses.byHour(org.organization, [connection], PAST))].sort(
          (left, right) => right.count - left.count || (left.actor.id < right.actor.id ? -1 : 1),
        ),
        [hourly(one.id, 5), hourly(other.id, 5)].sort((left, right) => (left.actor.id < right.actor.id ? -1 : 1)),
      )
      assert.deepEqual(await store.uses.byHour(org.organization, [], PAST), [])
      assert.deepEqual(await store.uses.byHour((await TestOrganization.open(store, context)).organization, [connection], PAST), [])
      assert.deepEqual(await store.uses.ofInstallation(one.id, PAST, 10), [use(one.id, PAST, 5)])
      assert.deepEqual(await store.uses.ofAgent(agent.id, PAST), [{ connection, access: 'token', count: 10 }])
      assert.deepEqual(await store.uses.ofAgent(agent.id, PAST + 2 * MINUTE), [])
      assert.deepEqual(await store.uses.daysOf(agent.id, PAST), [{ ...day, requests: 6, bound: 4, rotations: 2, rotationsOnTime: 2, refusedUses: 8 }])
      while ((await store.uses.purge(PAST + MINUTE, 1_000)) > 0);
      assert.deepEqual(await store.uses.ofConnection(org.organization, connection, 0, 10), [use(other.id, PAST + MINUTE, 5)])
    },
  },
  {
    name: 'the issuers of workload identities are found by their name, in all organizations, and removed by their own organization alone',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const elsewhere = await TestOrganization.open(store, context)
      const agent = await newAgent(org)
      const issuer: WorkloadIssuer = {
        id: newId('wli', context.entropy),
        organization: org.organization,
        agent: agent.id,
        name: 'GitHub',
        issuer: `https://${org.organization}.example.com`,
        audience: 'evergrant',
        conditions: [{ claim: 'repository', value: 'acme/*' }],
        installationLifeMs: 60 * MINUTE,
        createdAt: PAST,
      }
      await store.workloadIssuers.insert(issuer, org.event('workload_issuer.created'))
      assert.deepEqual(await store.workloadIssuers.named(issuer.issuer), [issuer])
      assert.deepEqual(await store.workloadIssuers.ofAgent(org.organization, agent.id), [issuer])
      assert.deepEqual(await store.workloadIssuers.ofAgent(elsewhere.organization, agent.id), [])
      const remove = (of: TestOrganization) => store.workloadIssuers.remove(of.organization, agent.id, issuer.id, of.event('workload_issuer.deleted'))
      assert.equal(await remove(elsewhere), 'gone')
      assert.equal(await remove(org), 'removed')
      assert.equal(await remove(org), 'gone')
      assert.deepEqual(await store.workloadIssuers.named(issuer.issuer), [])
    },
  },
]
