import assert from 'node:assert/strict'
import type { NewEvent } from '../../core/audit/event.ts'
import { idFrom, newId, type WebhookId } from '../../core/ids.ts'
import type { Delivery, DeliveryTry } from '../../core/webhook/delivery.ts'
import type { WebhookEndpoint } from '../../core/webhook/endpoint.ts'
import type { ClaimedDelivery, Settlement } from '../../core/webhook/webhooks.ts'
import { NO_CHANGE } from './alert-cases.ts'
import type { StoreCase } from './store-case.ts'
import { bytesOf, FUTURE, PAST, TestOrganization } from './test-organization.ts'

const ALL = { limit: 50, cursor: null }
const TRY: DeliveryTry = { at: PAST + 3, status: 503, durationMs: 20, error: null, excerpt: 'busy' }

export async function newEndpoint(org: TestOrganization, changes: Partial<WebhookEndpoint> = {}): Promise<WebhookEndpoint> {
  const endpoint: WebhookEndpoint = {
    ...{ id: newId('whk', org.context.entropy), organization: org.organization, name: 'app', url: 'https://app.example/hooks', types: ['*'] },
    ...{ secret: bytesOf('sealed'), previousSecret: null, previousUntil: null, enabled: true, failures: 0, failingSince: null, openUntil: null },
    ...{ lastDeliveredAt: null, createdAt: PAST, updatedAt: PAST, version: 1 },
    ...changes,
  }
  await org.store.webhooks.insert(endpoint, org.event('webhook.created'))
  return endpoint
}

export async function newDelivery(org: TestOrganization, endpoint: WebhookId, changes: Partial<Delivery> = {}): Promise<Delivery> {
  const event: NewEvent = org.event('connection.needs_reauth')
  await org.store.events.append(event)
  const times = { nextAt: PAST, createdAt: PAST, expiresAt: FUTURE, finishedAt: null }
  const what = { id: newId('dlv', org.context.entropy), organization: org.organization, endpoint, event: event.id, type: event.type }
  const delivery: Delivery = { ...what, state: 'waiting', attempts: 0, ...times, ...changes }
  await org.store.alerts.commit({ ...NO_CHANGE, deliveries: [delivery] })
  return delivery
}

/** Of one endpoint; cases share a store. */
async function claimOf({ store }: TestOrganization, endpoint: WebhookId, now: number = PAST, perEndpoint = 8): Promise<readonly ClaimedDelivery[]> {
  const claimed = await store.webhooks.claim({ now, until: now + 10, endpoints: 1_000, perEndpoint, busy: [] })
  return claimed.filter((one) => one.endpoint.id === endpoint)
}

const settlement = ({ delivery }: ClaimedDelivery, changes: Partial<Settlement> = {}): Settlement => ({
  ...{
    delivery: delivery.id,
    claimedUntil: delivery.nextAt ?? 0,
    attempt: TRY,
    state: 'waiting',
    nextAt: PAST + 100,
    trouble: { openUntil: null },
    gone: null,
  },
  ...changes,
})

const taken = { state: 'delivered', nextAt: null, trouble: null } as const

/** Endpoints, and what is on its way to them. */
export const webhookCases: readonly StoreCase[] = [
  {
    name: 'a failure that another node began to wait for earlier closes no open circuit',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const endpoint = await newEndpoint(org)
      for (let count = 0; count < 2; count += 1) await newDelivery(org, endpoint.id)
      const [late, opening] = await claimOf(org, endpoint.id)
      assert.ok(late !== undefined && opening !== undefined)
      await store.webhooks.settle(settlement(opening, { trouble: { openUntil: PAST + 30 } }))
      await store.webhooks.settle(settlement(late))
      const circuit = async () => (await store.webhooks.get(org.organization, endpoint.id))?.openUntil
      assert.equal(await circuit(), PAST + 30)
      await store.webhooks.settle(settlement(late, taken))
      assert.equal(await circuit(), null)
    },
  },
  {
    name: 'an endpoint changes by its version; the circuit stays unless it is closed, and then what waits is due',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const endpoint = await newEndpoint(org, { failures: 7, failingSince: PAST, openUntil: FUTURE })
      const delivery = await newDelivery(org, endpoint.id, { nextAt: FUTURE })
      const next = { ...endpoint, name: 'renamed', previousSecret: bytesOf('old'), previousUntil: FUTURE, version: 2, updatedAt: PAST + 1 }
      assert.equal(await store.webhooks.update(next, false, org.event('webhook.updated')), 'updated')
      assert.equal(await store.webhooks.update(next, false, org.event('webhook.updated')), 'moved')
      assert.deepEqual(await store.webhooks.get(org.organization, endpoint.id), next)
      assert.deepEqual(await store.webhooks.failing(org.organization, PAST), [next])
      assert.equal(await store.webhooks.update({ ...next, version: 3, updatedAt: PAST + 2 }, true, org.event('webhook.enabled')), 'updated')
      const { failures, failingSince, openUntil } = (await store.webhooks.get(org.organization, endpoint.id)) ?? endpoint
      assert.deepEqual({ failures, failingSince, openUntil }, { failures: 0, failingSince: null, openUntil: null })
      assert.equal((await store.webhooks.delivery(org.organization, delivery.id))?.delivery.nextAt, PAST + 2)
    },
  },
  {
    name: 'one event goes to one endpoint once, and not to one that is gone',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const endpoint = await newEndpoint(org)
      const delivery = await newDelivery(org, endpoint.id)
      const twin = { ...delivery, id: newId('dlv', context.entropy) }
      await store.alerts.commit({ ...NO_CHANGE, deliveries: [twin, { ...twin, endpoint: newId('whk', context.entropy) }] })
      assert.deepEqual((await store.webhooks.deliveries(org.organization, endpoint.id, null, ALL)).items, [delivery])
      assert.equal(await store.webhooks.remove(org.organization, endpoint.id, org.event('webhook.deleted')), 'removed')
      assert.equal(await store.webhooks.delivery(org.organization, delivery.id), undefined)
    },
  },
  {
    name: 'a delivery is claimed by one, with its event, and again when the claim is over',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const endpoint = await newEndpoint(org)
      const delivery = await newDelivery(org, endpoint.id)
      await newDelivery(org, endpoint.id, { nextAt: PAST + 60_000 })
      const both = await Promise.all([claimOf(org, endpoint.id), claimOf(org, endpoint.id)])
      const [claimed, ...others] = both.flat()
      assert.equal(others.length, 0)
      assert.deepEqual(claimed?.delivery, { ...delivery, nextAt: PAST + 10 })
      assert.equal(claimed?.event.id, delivery.event)
      assert.equal((await claimOf(org, endpoint.id, PAST + 9)).length, 0)
      assert.equal((await claimOf(org, endpoint.id, PAST + 10)).length, 1)
    },
  },
  {
    name: 'what a clock that was far ahead put off, and the circuit that it opened, hold nothing back',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const [waiting, open, soon] = [await newEndpoint(org), await newEndpoint(org, { openUntil: FUTURE }), await newEndpoint(org)]
      const due = await newDelivery(org, waiting.id)
      const late = await newDelivery(org, waiting.id, { nextAt: FUTURE })
      await newDelivery(org, soon.id, { nextAt: PAST + 3 * 86_400_000 })
      for (let count = 0; count < 2; count += 1) await newDelivery(org, open.id, { expiresAt: PAST - 1 })
      await store.webhooks.expire(PAST, 1_000)
      const claimed = await store.webhooks.claim({ now: PAST, until: PAST + 11, endpoints: 1_000, perEndpoint: 8, busy: [] })
      const of = (endpoint: WebhookId) => claimed.filter((one) => one.endpoint.id === endpoint).map(({ delivery }) => delivery.id)
      assert.deepEqual([of(waiting.id), of(open.id).length, of(soon.id)], [[due.id, late.id], 1, []])
      assert.equal((await store.webhooks.get(org.organization, open.id))?.openUntil, PAST + 11)
    },
  },
  {
    name: 'an open circuit lets nothing through, a half-open one a single delivery, and one that was taken closes it',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const endpoint = await newEndpoint(org)
      for (let count = 0; count < 3; count += 1) await newDelivery(org, endpoint.id)
      const [first] = await claimOf(org, endpoint.id, PAST, 1)
      assert.ok(first)
      await store.webhooks.settle(settlement(first, { trouble: { openUntil: PAST + 50 } }))
      assert.equal((await claimOf(org, endpoint.id, PAST + 49)).length, 0)
      const [probe, ...others] = await claimOf(org, endpoint.id, PAST + 50)
      assert.ok(probe)
      assert.equal(others.length, 0)
      assert.equal((await claimOf(org, endpoint.id, PAST + 51)).length, 0)
      await store.webhooks.settle(settlement(probe, taken))
      const stored = await store.webhooks.get(org.organization, endpoint.id)
      assert.deepEqual([stored?.failures, stored?.openUntil, stored?.lastDeliveredAt], [0, null, TRY.at])
      assert.equal((await claimOf(org, endpoint.id, PAST + 52)).length, 1)
    },
  },
  {
    name: 'who lost a claim says what came of it, but plans nothing; what was taken is taken',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const endpoint = await newEndpoint(org)
      const delivery = await newDelivery(org, endpoint.id)
      const [lost] = await claimOf(org, endpoint.id)
      const [held] = await claimOf(org, endpoint.id, PAST + 10)
      assert.ok(lost && held)
      await store.webhooks.settle(settlement(lost, { state: 'failed', nextAt: null }))
      assert.equal((await store.webhooks.delivery(org.organization, delivery.id))?.delivery.state, 'waiting')
      await store.webhooks.settle(settlement(lost, { ...taken, attempt: { ...TRY, at: TRY.at + 1, status: 200, excerpt: null } }))
      const found = await store.webhooks.delivery(org.organization, delivery.id)
      assert.equal(found?.delivery.state, 'delivered')
      assert.deepEqual(
        found?.tries.map(({ status }) => status),
        [503, 200],
      )
      assert.deepEqual((await store.webhooks.tries([delivery.id])).get(delivery.id), found?.tries)
    },
  },
  {
    name: 'a receiver that wants nothing any more is switched off, once, with an event',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const endpoint = await newEndpoint(org)
      await newDelivery(org, endpoint.id)
      await newDelivery(org, endpoint.id)
      for (const one of await claimOf(org, endpoint.id)) await store.webhooks.settle(settlement(one, { gone: org.event('webhook.gone') }))
      assert.equal((await store.webhooks.get(org.organization, endpoint.id))?.enabled, false)
      assert.equal((await store.events.list(org.organization, { type: 'webhook.gone' }, ALL)).items.length, 1)
      assert.equal((await claimOf(org, endpoint.id, FUTURE - 1)).length, 0)
    },
  },
  {
    name: 'one delivery is sent again, or all since an instant, or those that failed',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const endpoint = await newEndpoint(org)
      const done = { nextAt: null, finishedAt: PAST, attempts: 4 }
      const old = await newDelivery(org, endpoint.id, { ...done, id: idFrom('dlv', 1_000), state: 'failed' })
      const failed = await newDelivery(org, endpoint.id, { ...done, state: 'failed' })
      await newDelivery(org, endpoint.id, { ...done, state: 'delivered' })
      const times = { now: PAST + 1, expiresAt: FUTURE - 1 }
      const since = (failedOnly: boolean) =>
        store.webhooks.replaySince(org.organization, endpoint.id, { ...times, from: 2_000, failedOnly }, org.event('webhook.replayed'))
      assert.deepEqual([await since(true), await since(true), await since(false)], [1, 0, 1])
      assert.deepEqual((await store.webhooks.delivery(org.organization, failed.id))?.delivery, {
        ...failed,
        ...{ state: 'waiting', attempts: 0, nextAt: PAST + 1, expiresAt: FUTURE - 1, finishedAt: null },
      })
      const replay = (id: Delivery['id']) => store.webhooks.replay(org.organization, id, times, org.event('webhook.replayed'))
      assert.deepEqual([await replay(old.id), await replay(old.id), await replay(newId('dlv', context.entropy))], ['replayed', 'waiting', 'gone'])
    },
  },
  {
    name: 'behind an open circuit a delivery ends when its time is over, and is purged long after',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const [open, well] = [await newEndpoint(org, { openUntil: PAST + 60_000 }), await newEndpoint(org)]
      const over = await newDelivery(org, open.id, { expiresAt: PAST + 1 })
      const sent = await newDelivery(org, well.id, { expiresAt: PAST + 1 })
      assert.ok((await store.webhooks.expire(PAST + 2, 1_000)) >= 1)
      const states = await Promise.all([over, sent].map(async ({ id }) => (await store.webhooks.delivery(org.organization, id))?.delivery.state))
      assert.deepEqual(states, ['failed', 'waiting'])
      assert.ok((await store.webhooks.purge(PAST + 3, 1_000)) >= 1)
      assert.equal(await store.webhooks.delivery(org.organization, over.id), undefined)
    },
  },
  {
    name: 'a test is claimed from the start, and nobody else is told of it',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const endpoint = await newEndpoint(org)
      const event = org.event('webhook.tested')
      const what = { id: newId('dlv', context.entropy), organization: org.organization, endpoint: endpoint.id, event: event.id, type: event.type }
      const delivery: Delivery = { ...what, state: 'waiting', attempts: 0, nextAt: PAST + 10, createdAt: PAST, expiresAt: PAST, finishedAt: null }
      await store.webhooks.insertClaimed(delivery, event)
      assert.deepEqual((await store.webhooks.delivery(org.organization, delivery.id))?.delivery, delivery)
      assert.equal((await store.webhooks.event(org.organization, event.id))?.type, 'webhook.tested')
      assert.ok(!(await store.alerts.pending(100_000)).some(({ id }) => id === event.id))
      assert.equal((await claimOf(org, endpoint.id)).length, 0)
    },
  },
]
