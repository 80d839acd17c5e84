import { expect, test } from 'vitest'
import { systemEntropy } from '../../system.ts'
import { createEngineLab } from '../../testing/engine-lab.ts'
import { testSeal } from '../../testing/seal.ts'
import { Fault } from '../fault/fault.ts'
import { ApiKeysService } from './api-keys-service.ts'

const SEAL = testSeal()

async function keysWithout(withoutStoreMs: number) {
  const lab = await createEngineLab()
  const { apiKeys } = lab.store
  const state = { down: false }
  const keys = new ApiKeysService({
    clock: lab.time.clock,
    timers: lab.time.timers,
    entropy: systemEntropy,
    store: { ...apiKeys, byHash: (hash) => (state.down ? Promise.reject(new Fault('store_unavailable')) : apiKeys.byHash(hash)) },
    digest: (text) => SEAL.digest(text),
    changesFresh: () => !state.down,
    withoutStoreMs,
  })
  const { text } = await keys.create(lab.organization, { name: 'backend', scopes: ['tokens:read'], expiresAt: null }, { kind: 'system', id: null })
  const hash = keys.hashOf(text) ?? ''
  await keys.lookUp(hash)
  state.down = true
  return { lab, keys, hash }
}

test('a remembered key counts for a while when the store is away, and no longer', async () => {
  const { lab, keys, hash } = await keysWithout(60_000)
  await lab.time.advance(59_000)
  expect(await keys.lookUp(hash)).toMatchObject({ name: 'backend' })
  await lab.time.advance(2_000)
  await expect(keys.lookUp(hash)).rejects.toMatchObject({ code: 'store_unavailable' })
})

test('a key that nobody remembers is not let in by an outage', async () => {
  const { keys } = await keysWithout(60_000)
  await expect(keys.lookUp(SEAL.digest('egk_of_nobody'))).rejects.toMatchObject({ code: 'store_unavailable' })
})

test('with no patience a remembered key does not count either', async () => {
  const { lab, keys, hash } = await keysWithout(0)
  await lab.time.advance(5_000)
  await expect(keys.lookUp(hash)).rejects.toMatchObject({ code: 'store_unavailable' })
})
