import { beforeEach, expect, test } from 'vitest'
import { createAesSeal, sealedWith } from '../../seal/aes-seal.ts'
import type { MasterKey } from '../../seal/keyring.ts'
import { LiveKeyring } from '../../seal/live-keyring.ts'
import { openVolatileStore, type VolatileStore } from '../../store/memory/volatile-store.ts'
import { systemEntropy } from '../../system.ts'
import { createManualTime, type ManualTime } from '../../testing/manual-time.ts'
import { newId } from '../ids.ts'
import { SEALED_PLACES } from '../seal/sealed-places.ts'
import { Secret } from '../seal/secret.ts'
import { KeyCensusTaker } from './key-census.ts'
import { KeyringWatch } from './keyring-watch.ts'
import { KeysService } from './keys-service.ts'

const organization = newId('org', systemEntropy)
const actor = { kind: 'cli', id: null } as const
const key = (id: string): MasterKey => ({ id, key: new Secret(new Uint8Array(systemEntropy.bytes(32))) })
const [k1, k2] = [key('k1'), key('k2')]
const root = new Secret(new Uint8Array(systemEntropy.bytes(32)))

let time: ManualTime
let store: VolatileStore
const told: string[] = []
const log = { info: (_: object, message: string) => void told.push(message), warn: () => {}, error: () => {} }
beforeEach(() => {
  told.length = 0
  time = createManualTime()
  store = openVolatileStore({ clock: time.clock, timers: time.timers })
})

/** A node on the one store, as its process composes it. */
interface Trial {
  readonly seals?: string
  readonly journal?: Record<string, number>
  readonly kind?: 'server' | 'command'
}

async function node(name: string, keys: readonly MasterKey[], { seals, journal = {}, kind = 'server' }: Trial = {}) {
  const identity = { id: name, incarnation: systemEntropy.uuid() }
  const ring = new LiveKeyring(keys, seals)
  const seal = createAesSeal({ keyring: ring, root, entropy: systemEntropy })
  const membership = await store.nodes.join(identity, 0)
  const about = { kind, publicUrl: 'https://evergrant.example.com' }
  const watch = new KeyringWatch({ nodes: store.nodes, node: identity, about, ring, journal: () => journal, log })
  const census = new KeyCensusTaker({ operations: store.operations, clock: time.clock })
  const timers = { sleep: async () => {} }
  const service = new KeysService({
    reseals: store.reseals,
    census,
    watch,
    ring,
    seal,
    node: identity,
    file: null,
    clock: time.clock,
    timers,
    entropy: systemEntropy,
    log,
  })
  return { ring, seal, watch, service, membership, journal }
}

const at = (name: string) => ({ organization: '', table: 'meta', row: name, column: 'value' })
const stored = async (name: string) => sealedWith((await store.meta.get(name)) ?? new Uint8Array())

test('the places that are sealed anew name the root of the seal last', () => {
  expect(SEALED_PLACES.at(-1)?.table).toBe('meta')
})

test('a new key seals as soon as every live node has it, and not before', async () => {
  const old = await node('old', [k1])
  await old.watch.join()
  const fresh = await node('fresh', [k2, k1], { seals: 'k1' })
  await fresh.watch.join()
  expect(fresh.ring.seals()).toBe('k1')
  await expect(fresh.service.reseal(organization, actor)).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringMatching(/k2 is not on every node yet: old \(has k1\)/),
  })
  await old.membership.leave()
  await fresh.watch.look()
  expect([fresh.ring.seals(), told]).toEqual(['k2', ['every node has this master key; it seals from now on']])
})

test('a node of a version that says nothing of its keys is not taken for one that has the new one', async () => {
  const silent = await store.nodes.join({ id: 'silent', incarnation: '1' }, 0)
  const fresh = await node('fresh', [k2, k1], { seals: 'k1' })
  await fresh.watch.join()
  expect(fresh.ring.seals()).toBe('k1')
  await expect(fresh.service.reseal(organization, actor)).rejects.toThrow(/silent \(has not said which keys it has\)/)
  await silent.leave()
})

test('a node that lacks the key others seal with does not start, and says which', async () => {
  const serving = await node('serving', [k2, k1])
  await serving.watch.join()
  const late = await node('late', [k1])
  await expect(late.watch.join()).rejects.toMatchObject({
    code: 'seal_key_missing',
    message: expect.stringMatching(/Node serving seals with master key k2.*has k1/),
  })
})

test('a command that lacks a new key is called a command, and is waited for instead of restarted', async () => {
  const command = await node('fresh-folder', [k1], { kind: 'command' })
  await command.watch.join()
  const server = await node('server', [k2, k1], { seals: 'k1' })
  await server.watch.join()
  await expect(server.service.reseal(organization, actor)).rejects.toThrow(
    /yet: fresh-folder \(a command of the command line, has k1\)\. Wait until it has ended, then try again/,
  )
  const other = await node('other', [k2])
  await expect(other.watch.join()).rejects.toThrow(/A command of the command line, running as fresh-folder, which ends by itself, seals with master key k1/)
})

test('everything is sealed anew once, by one node or by two at a time, and the old key can then be taken away (S77)', async () => {
  const one = await node('one', [k2, k1], { seals: 'k1' })
  for (const name of ['seal_root', 'vapid_keys']) await store.meta.put(name, one.seal.seal(`value of ${name}`, at(name)))
  await one.watch.join()
  const two = await node('two', [k2, k1], { seals: 'k1' })
  await two.watch.join()
  await Promise.all([one.watch.look(), two.watch.look()])
  await expect(one.service.remove(organization, actor, 'k1')).rejects.toThrow(/Master key k1 is still used: 2 values of meta\. Seal everything anew/)
  await expect(one.service.remove(organization, actor, 'k2')).rejects.toThrow(/first of the keyring/)
  await Promise.all([one.service.reseal(organization, actor), two.service.reseal(organization, actor)])
  while ((await one.service.progress())?.finishedAt === null) await Promise.all([one.service.work(), two.service.work()])
  expect(await one.service.progress()).toMatchObject({ key: 'k2', total: 2, done: 2, unopened: 0 })
  expect([await stored('seal_root'), await stored('vapid_keys')]).toEqual(['k2', 'k2'])
  expect(two.seal.openText((await store.meta.get('vapid_keys')) ?? new Uint8Array(), at('vapid_keys'))).toBe('value of vapid_keys')
  expect(await one.service.remove(organization, actor, 'k1')).toBe('unused')
  const { items } = await store.events.list(organization, { subject: 'k2' }, { limit: 10, cursor: null })
  expect(items.map(({ type }) => type)).toEqual(['keys.reseal_finished', 'keys.reseal_started'])
})

test('a node that dies with the work in hand is replaced when its time is over, and nothing is done twice', async () => {
  const one = await node('one', [k2, k1], { seals: 'k2' })
  const two = await node('two', [k2, k1], { seals: 'k2' })
  await store.meta.put('vapid_keys', (await node('before', [k1])).seal.seal('v', at('vapid_keys')))
  await store.reseals.start({ key: 'k2', organization, startedBy: actor, startedAt: 1 }, eventOf())
  await store.reseals.claim('k2', 'dead', time.clock.wall(), time.clock.wall() + 30_000)
  expect(await two.service.work()).toBe(false)
  expect(await stored('vapid_keys')).toBe('k1')
  time.setWall(time.clock.wall() + 30_001)
  while ((await two.service.progress())?.finishedAt === null) await two.service.work()
  expect(await stored('vapid_keys')).toBe('k2')
  expect(await one.service.work()).toBe(false)
})

test('what does not open stays as it is, does not hold up the rest, and is sealed anew when its key is back', async () => {
  const gone = await node('gone', [key('k0')])
  await gone.membership.leave()
  const kept = gone.seal.seal('of a key that is away', at('vapid_keys'))
  await store.meta.put('vapid_keys', kept)
  const one = await node('one', [k2, k1])
  await store.meta.put('seal_root', (await node('writer', [k1])).seal.seal('root', at('seal_root')))
  for (const { id } of await store.nodes.list())
    if (id === 'writer') store.locks.drop({ id, incarnation: (await store.nodes.list()).find((row) => row.id === id)?.incarnation ?? '' })
  await one.service.reseal(organization, actor)
  while ((await one.service.progress())?.finishedAt === null) await one.service.work()
  expect(await one.service.progress()).toMatchObject({ done: 1, unopened: 1 })
  expect(await store.meta.get('vapid_keys')).toBe(kept)
  const { census } = await one.service.status(new Promise(() => {}))
  expect(census.places.get('k0')).toEqual(new Map([['meta', 1]]))
})

test('an answer in the journal of a node, alive or not, keeps its key', async () => {
  const one = await node('one', [k2, k1])
  const other = await node('other', [k2, k1], { journal: { k1: 2 } })
  await one.watch.join()
  await other.watch.join()
  store.locks.drop({ id: 'other', incarnation: (await store.nodes.list()).find(({ id }) => id === 'other')?.incarnation ?? '' })
  await expect(one.service.remove(organization, actor, 'k1')).rejects.toThrow(/2 answers in the journal of node other/)
})

test('keys of the environment are not read again, and one that is not there is not taken away', async () => {
  const one = await node('one', [k1])
  await expect(one.service.reload()).rejects.toThrow(/come from EVERGRANT_MASTER_KEYS: change it, and restart/)
  await expect(one.service.remove(organization, actor, 'k9')).rejects.toMatchObject({ code: 'not_found' })
})

function eventOf() {
  return { id: newId('evt', systemEntropy), organization, type: 'keys.reseal_started', at: 1, actor, connection: null, subject: 'k2', data: {} } as const
}
