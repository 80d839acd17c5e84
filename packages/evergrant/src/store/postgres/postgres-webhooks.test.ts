import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { freshDatabase } from '../../../../../tests/fresh-database.ts'
import type { Delivery } from '../../core/webhook/delivery.ts'
import type { Settlement } from '../../core/webhook/webhooks.ts'
import { systemClock, systemEntropy, systemTimers } from '../../system.ts'
import { NO_CHANGE } from '../conformance/alert-cases.ts'
import { PAST, TestOrganization } from '../conformance/test-organization.ts'
import { newDelivery, newEndpoint } from '../conformance/webhook-cases.ts'
import type { Store } from '../contract.ts'
import { openPostgresStore } from './postgres-store.ts'

const { database, skip } = await freshDatabase()
const url = database?.url ?? ''

const WAITING = "select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"

describe.skipIf(database === null)(`what goes to a webhook beside its removal${skip ?? ''}`, () => {
  const remover = new pg.Client({ connectionString: url })
  let store: Store
  let org: TestOrganization
  beforeAll(async () => {
    store = await openPostgresStore(url, { clock: systemClock, timers: systemTimers, migrate: true })
    org = await TestOrganization.open(store, { entropy: systemEntropy, duePlan: async () => '' })
    await remover.connect()
  })
  afterAll(async () => {
    await remover.end()
    await store?.close()
    await database?.drop()
  })

  /** `work` begins after the rows are removed, and meets them before anybody can see it. */
  async function besideRemoval(table: 'webhook' | 'delivery', id: string, work: () => Promise<unknown>): Promise<void> {
    await remover.query('begin')
    await remover.query(`delete from ${table} where id = $1`, [id])
    const outcome = work().then(
      () => 'done',
      (error: unknown) => error,
    )
    await vi.waitFor(async () => expect((await remover.query(WAITING)).rows).not.toEqual([]), { timeout: 10_000 })
    await remover.query('commit')
    expect(await outcome).toBe('done')
  }

  const settlementOf = ({ id, nextAt }: Delivery): Settlement => ({
    ...{ delivery: id, claimedUntil: nextAt ?? 0, state: 'delivered', nextAt: null, trouble: null, gone: null },
    attempt: { at: PAST, status: 204, durationMs: 5, error: null, excerpt: null },
  })

  test.each(['webhook', 'delivery'] as const)('what came of a delivery is written nowhere when its %s is being removed', async (table) => {
    const { id: endpoint } = await newEndpoint(org)
    const delivery = await newDelivery(org, endpoint)
    await besideRemoval(table, table === 'webhook' ? endpoint : delivery.id, () => store.webhooks.settle(settlementOf(delivery)))
    expect(await store.webhooks.delivery(org.organization, delivery.id)).toBeUndefined()
  })

  test('an event is stored, and goes to none that is being removed', async () => {
    const [gone, stays] = [await newEndpoint(org), await newEndpoint(org)]
    const delivery = await newDelivery(org, stays.id)
    const { id: endpoint } = gone
    const event = org.event('webhook.tested')
    await besideRemoval('webhook', endpoint, () => store.webhooks.insertClaimed({ ...delivery, id: 'dlv_test', endpoint, event: event.id }, event))
    expect(await store.webhooks.event(org.organization, event.id)).toMatchObject({ type: 'webhook.tested' })
    const again = await newEndpoint(org)
    const twins = [again.id, stays.id].map((of) => ({ ...delivery, id: `dlv_${of}` as const, endpoint: of, event: event.id }))
    await besideRemoval('webhook', again.id, () => store.alerts.commit({ ...NO_CHANGE, deliveries: twins }))
    const page = { limit: 10, cursor: null }
    expect((await store.webhooks.deliveries(org.organization, stays.id, null, page)).items.map(({ id }) => id)).toContain(`dlv_${stays.id}`)
  })
})
