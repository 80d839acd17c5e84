import { strict as assert } from 'node:assert'
import { newId } from '../../core/ids.ts'
import type { SigningKey, SigningKeyState } from '../../core/session/signing-key.ts'
import type { Change, Store } from '../contract.ts'
import type { StoreCase, StoreContext } from './store-case.ts'
import { bytesOf, PAST, TestOrganization, textOf } from './test-organization.ts'

/** Keys belong to the whole database, which all cases share: each case looks at its own keys only. */
export const signingKeyCases: readonly StoreCase[] = [
  {
    name: 'of many changes of one version of the key ring one is written, with its events, and the others learn that it moved',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const { version } = await store.signingKeys.read()
      const tries = Array.from({ length: 20 }, () => {
        const key = keyOf(context)
        const event = { ...org.event('signing_key.created'), subject: key.id }
        return { key, outcome: store.signingKeys.write({ version, keys: [key], events: [event] }) }
      })
      const outcomes = await Promise.all(tries.map(({ outcome }) => outcome))
      assert.deepEqual(outcomes.toSorted(), [...Array.from({ length: 19 }, () => 'moved'), 'written'])
      const winner = tries[outcomes.indexOf('written')]?.key
      const ring = await store.signingKeys.read()
      assert.equal(ring.version, version + 1)
      assert.deepEqual(
        ring.keys.filter(({ id }) => tries.some(({ key }) => key.id === id)),
        [winner],
      )
      const events = await store.events.list(org.organization, { type: 'signing_key.created' }, { limit: 10, cursor: null })
      assert.deepEqual(
        events.items.map(({ subject }) => subject),
        [winner?.id],
      )
    },
  },
  {
    name: 'a signing key goes through its states, and a retired one is neither listed nor keeps a private part',
    async run(store, context) {
      const key = keyOf(context)
      await write(store, [key])
      assert.deepEqual(await found(store, key), key)
      const active = { ...key, state: 'active' as const, changedAt: PAST + 5 }
      await write(store, [active])
      assert.deepEqual(await found(store, key), active)
      assert.equal(textOf((await found(store, key))?.privateKey ?? null), 'sealed key')
      await write(store, [{ ...active, state: 'retired', privateKey: null }])
      assert.equal(await found(store, key), undefined)
    },
  },
  {
    name: 'a change of the key ring is told after it is durable',
    async run(store, context) {
      const heard: Change[] = []
      const stop = store.changes.subscribe((change) => heard.push(change))
      await write(store, [keyOf(context)])
      stop()
      assert.ok(heard.some(({ kind }) => kind === 'signing_key'))
    },
  },
  {
    name: 'a proof of possession is first once, on whatever connection, and is forgotten when it could not be used anyway',
    async run(store, context) {
      const hash = newId('evt', context.entropy)
      const firsts = await Promise.all(Array.from({ length: 20 }, () => store.proofsSeen.first(hash, PAST + 10)))
      assert.equal(firsts.filter(Boolean).length, 1)
      const later = newId('evt', context.entropy)
      assert.equal(await store.proofsSeen.first(later, PAST + 20), true)
      assert.ok((await store.proofsSeen.forget(PAST + 11, 100)) >= 1)
      assert.equal(await store.proofsSeen.first(later, PAST + 20), false)
      assert.equal(await store.proofsSeen.first(hash, PAST + 10), true)
      assert.ok((await store.proofsSeen.forget(PAST + 21, 1)) <= 1)
    },
  },
]

function keyOf(context: StoreContext, state: SigningKeyState = 'next'): SigningKey {
  const id = newId('sgk', context.entropy)
  return {
    id,
    algorithm: 'EdDSA',
    state,
    publicJwk: { kty: 'OKP', crv: 'Ed25519', x: 'x', kid: id },
    privateKey: bytesOf('sealed key'),
    createdAt: PAST,
    changedAt: PAST,
  }
}

async function found(store: Store, { id }: SigningKey): Promise<SigningKey | undefined> {
  return (await store.signingKeys.read()).keys.find((key) => key.id === id)
}

/** On whatever version the ring has now. */
async function write(store: Store, keys: readonly SigningKey[]): Promise<void> {
  for (;;) {
    const { version } = await store.signingKeys.read()
    if ((await store.signingKeys.write({ version, keys, events: [] })) === 'written') return
  }
}
