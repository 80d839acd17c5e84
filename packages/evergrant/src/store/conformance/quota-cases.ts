import assert from 'node:assert/strict'
import type { QuotaState } from '../../core/pacing/quotas.ts'
import type { StoreCase } from './store-case.ts'
import { FUTURE, PAST, Tenant } from './tenant.ts'

const stateOf = ({ integration }: Tenant, changes: Partial<QuotaState> = {}): QuotaState => ({
  integration: integration.id,
  connection: null,
  name: 'day',
  limit: 2_000,
  remaining: 900,
  resetsAt: FUTURE,
  observedAt: PAST + 5,
  ...changes,
})

/** What is left of providers' quotas. */
export const quotaCases: readonly StoreCase[] = [
  {
    name: 'of two words about a quota the newer one stays, whichever comes first, and everybody is told of what stays',
    run: async (store, context) => {
      const tenant = await Tenant.open(store, context)
      const told: QuotaState[] = []
      const stop = store.changes.subscribe(
        (change) => void (change.kind === 'quota' && change.state.integration === tenant.integration.id && told.push(change.state)),
      )
      const [known, newer] = [stateOf(tenant), stateOf(tenant, { remaining: 800, observedAt: PAST + 6 })]
      await store.quotas.put([newer])
      await store.quotas.put([known])
      assert.deepEqual(await store.quotas.of(tenant.integration.id), [newer])
      assert.deepEqual(told, [newer])
      stop()
    },
  },
  {
    name: 'a quota of one connection stands beside that of everybody, and is forgotten a day after its window',
    run: async (store, context) => {
      const tenant = await Tenant.open(store, context)
      const connection = await tenant.connect()
      const pause = stateOf(tenant, { connection, name: 'pause', limit: null, remaining: 0 })
      const over = stateOf(tenant, { connection, name: 'hour', resetsAt: PAST })
      const everybodys = stateOf(tenant, { resetsAt: PAST })
      await store.quotas.put([pause, over, everybodys])
      await store.quotas.put([pause])
      assert.deepEqual(await store.quotas.of(tenant.integration.id), [everybodys, pause])
    },
  },
]
