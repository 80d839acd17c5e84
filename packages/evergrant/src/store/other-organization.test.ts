// The wall between organizations behind every route (S99): whatever the contract is asked for in the name of an organization is asked a moment before in the
// name of another one as well, which must get nothing and change nothing.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newId } from '../core/ids.ts'
import { systemClock, systemEntropy, systemTimers } from '../system.ts'
import { type StoreContext, storeCases } from './conformance.ts'
import type { Store } from './contract.ts'
import { openMemoryStore } from './index.ts'
import { openVolatileStore } from './memory/volatile-store.ts'

const options = { clock: systemClock, timers: systemTimers }
const ID = /\b[a-z]{2,3}_[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\b/g
const isOrganization = (value: unknown): value is `org_${string}` => typeof value === 'string' && value.startsWith('org_')

interface Watch {
  /** Methods that were asked in the name of a stranger, by part. */
  readonly asked: Set<string>
  readonly leaks: string[]
}

/** Asks everything twice: first as a stranger, then as it was meant. What the stranger changed, the case itself finds out. */
function withStranger(store: Store, watch: Watch): Store {
  const part = (name: string, methods: object): object =>
    new Proxy(methods, {
      get: (target, key) => {
        const method: unknown = Reflect.get(target, key)
        if (typeof method !== 'function') return method
        return async (...args: readonly unknown[]) => {
          const [organization, ...rest] = args
          if (isOrganization(organization)) {
            const call = `${name}.${String(key)}`
            watch.asked.add(call)
            const got: unknown = await Promise.resolve(Reflect.apply(method, target, [newId('org', systemEntropy), ...rest])).catch(() => null)
            const given = new Set(JSON.stringify(rest).match(ID))
            const leaked = (JSON.stringify(got ?? null).match(ID) ?? []).filter((id) => !given.has(id))
            if (leaked.length > 0) watch.leaks.push(`${call} gives a stranger ${leaked[0]}`)
          }
          return Reflect.apply(method, target, args)
        }
      },
    })
  return Object.fromEntries(
    Object.entries(store).map(([name, value]) => [name, typeof value === 'object' && value !== null && name !== 'changes' ? part(name, value) : value]),
  ) as unknown as Store
}

const context: StoreContext = { entropy: systemEntropy, duePlan: async () => 'health_due' }

describe.each([
  ['the embedded store', () => openMemoryStore(options)],
  ['the store of the laboratory', async () => openVolatileStore(options)],
] as const)('%s', (_name, open) => {
  const watch: Watch = { asked: new Set(), leaks: [] }
  let store: Store
  beforeAll(async () => {
    store = withStranger(await open(), watch)
  })
  afterAll(() => store.close())

  for (const { name, run } of storeCases) test(`${name}: also while a stranger asks for the same`, () => run(store, context))

  test('no method that is asked in the name of an organization gives a stranger anything (S99)', () => {
    expect(watch.leaks).toEqual([])
    expect(watch.asked.size).toBeGreaterThanOrEqual(90)
  })
})

test('a method that forgets whose it is asked for would be found', async () => {
  const store = openVolatileStore(options)
  const careless: Store = { ...store, connections: { ...store.connections, get: (_organization, id) => store.credentials.read(id) } }
  const watch: Watch = { asked: new Set(), leaks: [] }
  for (const { run } of storeCases) await run(withStranger(careless, watch), context).catch(() => {})
  expect(watch.leaks.length).toBeGreaterThan(0)
  expect(watch.leaks[0]).toMatch(/^connections\.get gives a stranger /)
})
