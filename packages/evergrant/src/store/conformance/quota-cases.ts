import assert from 'node:assert/strict'
import type { QuotaState } from '../../core/pacing/quotas.ts'
import type { StoreCase } from './store-case.ts'
import { FUTURE, PAST, TestOrganization } from './test-organization.ts'

const stateOf = ({ integration }: TestOrganization, changes: Partial<QuotaState> = {}): QuotaState => ({
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
      const org = await TestOrganization.open(store, context)
      const told: QuotaState[] = []
      const stop = store.changes.subscribe(
        (change) => void (change.kind === 'quota' && change.state.integration === org.integration.id && told.push(change.state)),
      )
      const [known, newer] = [stateOf(org), stateOf(org, { remaining: 800, observedAt: PAST + 6 })]
      await store.quotas.put([newer])
      await store.quotas.put([known])
      assert.deepEqual(await store.quotas.of(org.integration.id), [newer])
      assert.deepEqual(told, [newer])
      stop()
    },
  },
  {
    name: 'a word of a clock that is far ahead gives way to the next one',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const now = stateOf(org, { remaining: 800 })
      await store.quotas.put([stateOf(org, { observedAt: FUTURE, resetsAt: FUTURE + 1 })])
      await store.quotas.put([now])
      assert.deepEqual(await store.quotas.of(org.integration.id), [now])
    },
  },
  {
    name: 'a quota of one connection stands beside that of everybody, and is forgotten a day after its window',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const connection = await org.connect()
      const pause = stateOf(org, { connection, name: 'pause', limit: null, remaining: 0 })
      const over = stateOf(org, { connection, name: 'hour', resetsAt: PAST })
      const everybodys = stateOf(org, { resetsAt: PAST })
      await store.quotas.put([pause, over, everybodys])
      await store.quotas.put([pause])
      assert.deepEqual(await store.quotas.of(org.integration.id), [everybodys, pause])
    },
  },
]
