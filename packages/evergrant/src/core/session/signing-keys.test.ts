import { expect, test } from 'vitest'
import { createTokenSigner } from '../../seal/token-signer.ts'
import { openVolatileStore, type VolatileStore } from '../../store/memory/volatile-store.ts'
import { systemEntropy } from '../../system.ts'
import { createAccessLab, signedInAt } from '../../testing/access-lab.ts'
import { createManualTime, type ManualTime } from '../../testing/manual-time.ts'
import { testSeal } from '../../testing/seal.ts'
import type { AuditEvent } from '../audit/event.ts'
import { Fault } from '../fault/fault.ts'
import { DAY, HOUR, MINUTE, SECOND } from '../time.ts'
import type { SigningKey, SigningKeyRing, SigningKeyState } from './signing-key.ts'
import { planReplacement, planRing, scheduleOf } from './signing-key.ts'
import { SigningKeys } from './signing-keys.ts'

const QUIET = { info: () => {}, warn: () => {}, error: () => {} }
const CLI = { kind: 'cli', id: null } as const

function openStore(time: ManualTime): VolatileStore & { fail: boolean } {
  const store = openVolatileStore({ clock: time.clock, timers: time.timers })
  const failing = Object.assign(store, { fail: false })
  const { signingKeys } = store
  const guarded = <Result>(work: () => Promise<Result>): Promise<Result> => (failing.fail ? Promise.reject(new Fault('store_unavailable')) : work())
  return Object.assign(failing, {
    signingKeys: {
      read: () => guarded(() => signingKeys.read()),
      write: (change: Parameters<typeof signingKeys.write>[0]) => guarded(() => signingKeys.write(change)),
    },
  })
}

function open() {
  const time = createManualTime()
  const store = openStore(time)
  const lab = createAccessLab({ store, time })
  store.changes.subscribe((change) => {
    if (change.kind !== 'signing_key') return
    lab.keys.forget()
    lab.tokens.forget()
  })
  const states = async () => Object.fromEntries((await store.signingKeys.read()).keys.map(({ id, state }) => [id, state]))
  const byState = async (state: SigningKeyState) => (await store.signingKeys.read()).keys.find((key) => key.state === state)
  const told = (): readonly AuditEvent[] => [...store.snapshot().events.values()]
  return { ...lab, store, states, byState, told }
}

test('the first need makes a key that signs and its successor, and publishes both', async () => {
  const { keys, byState, told } = open()
  const signing = await keys.signing()
  expect((await byState('active'))?.id).toBe(signing.id)
  const { keys: published } = await keys.published()
  expect(published.map(({ kid }) => kid).sort()).toEqual([signing.id, (await byState('next'))?.id].sort())
  for (const jwk of published) expect(Object.keys(jwk).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x'])
  expect(told().map(({ type }) => type)).toEqual(['signing_key.created', 'signing_key.created', 'signing_key.activated'])
})

test('a key that the clock of another day dated gets the date of today, and nobody is told that it begins', async () => {
  const { byState, keys, store, time, told } = open()
  const today = time.clock.wall()
  time.setWall(today + 365 * DAY)
  const signing = await keys.signing()
  time.setWall(today)
  const before = told().length
  expect([await keys.tick(), await keys.tick()]).toEqual([true, false])
  expect((await store.signingKeys.read()).keys.map(({ changedAt }) => changedAt)).toEqual([today, today])
  expect([(await byState('active'))?.id, told().length]).toEqual([signing.id, before])
})

test('a private key is stored sealed, and opens only as the key that it was sealed as', async () => {
  const { keys, store, byState } = open()
  const { privateJwk } = await keys.signing()
  const secret = String(JSON.parse(privateJwk).d)
  const kept = JSON.stringify(
    [...store.snapshot().signingKeys.values()].map((key) => ({ ...key, privateKey: Buffer.from(key.privateKey ?? []).toString('latin1') })),
  )
  expect(secret.length).toBeGreaterThan(40)
  expect(kept).not.toContain(secret)
  const [active, next] = [await byState('active'), await byState('next')]
  if (active === undefined || next === undefined) throw new Error('two keys were expected')
  const { version } = await store.signingKeys.read()
  await store.signingKeys.write({ version, keys: [{ ...active, privateKey: next.privateKey }], events: [] })
  await expect(keys.signing()).rejects.toMatchObject({ code: 'seal_broken' })
})

test('a key signs for thirty days; its successor was published for more than a day before and takes over without a gap', async () => {
  const { keys, tokens, time, byState, states } = open()
  const first = await keys.signing()
  const successor = (await byState('next'))?.id
  await time.advance(30 * DAY - SECOND)
  expect(await keys.tick()).toBe(false)
  expect((await keys.signing()).id).toBe(first.id)
  const old = await tokens.issue(signedInAt(time.clock.wall()))
  await time.advance(SECOND)
  expect(await keys.tick()).toBe(true)
  expect((await keys.signing()).id).toBe(successor)
  expect(await states()).toMatchObject({ [first.id]: 'retiring', [successor ?? '']: 'active' })
  expect(await tokens.read(old.token)).toMatchObject({ kind: 'verified' })
  expect(await keys.tick()).toBe(false)
})

test('a key that signs no more is published until its tokens are over, and then its private part is gone', async () => {
  const { keys, tokens, time, store, told } = open()
  const first = await keys.signing()
  const old = await tokens.issue(signedInAt(time.clock.wall()))
  await keys.rotateNow({ stolen: false, actor: CLI })
  await time.advance(10 * MINUTE)
  await keys.tick()
  expect((await keys.published()).keys.map(({ kid }) => kid)).toContain(first.id)
  expect(await tokens.read(old.token)).toMatchObject({ kind: 'verified' })
  await time.advance(50 * MINUTE)
  expect(await keys.tick()).toBe(true)
  expect((await keys.published()).keys.map(({ kid }) => kid)).not.toContain(first.id)
  expect(store.snapshot().signingKeys.get(first.id)).toMatchObject({ state: 'retired', privateKey: null })
  expect(
    told()
      .filter(({ type }) => type === 'signing_key.retired')
      .map(({ subject }) => subject),
  ).toEqual([first.id])
})

test('a stolen key ends at once with all others: no old token is believed, and new ones are issued', async () => {
  const { keys, tokens, time, store } = open()
  const first = await keys.signing()
  const old = await tokens.issue(signedInAt(time.clock.wall()))
  expect(await tokens.read(old.token)).toMatchObject({ kind: 'verified' })
  await keys.rotateNow({ stolen: true, actor: CLI })
  expect(tokens.peek(old.token)).toBe('unknown')
  expect(await tokens.read(old.token)).toEqual({ kind: 'refused', why: 'key_unknown' })
  const { token: text } = await tokens.issue(signedInAt(time.clock.wall()))
  expect(await tokens.read(text)).toMatchObject({ kind: 'verified' })
  const kept = [...store.snapshot().signingKeys.values()]
  expect(kept.filter(({ state }) => state === 'retired').every(({ privateKey }) => privateKey === null)).toBe(true)
  expect(kept.map(({ state }) => state).sort()).toEqual(['active', 'next', 'retired', 'retired'])
  expect((await keys.signing()).id).not.toBe(first.id)
})

test('nodes that start together end with the same keys, whoever was first', async () => {
  const { another, store } = open()
  const nodes = Array.from({ length: 8 }, () => another())
  const signing = await Promise.all(nodes.map(({ keys }) => keys.signing()))
  expect(new Set(signing.map(({ id }) => id)).size).toBe(1)
  expect((await store.signingKeys.read()).keys.map(({ state }) => state).sort()).toEqual(['active', 'next'])
})

test('nodes whose schedules fall due together change the key once', async () => {
  const { keys, another, time, store } = open()
  await keys.signing()
  await time.advance(31 * DAY)
  const changed = await Promise.all(Array.from({ length: 8 }, () => another().keys.tick()))
  expect(changed.filter(Boolean).length).toBe(1)
  expect((await store.signingKeys.read()).keys.map(({ state }) => state).sort()).toEqual(['active', 'next', 'retiring'])
})

test('a node that has not heard of a new key asks for it when a token names it, and not for every made-up name', async () => {
  const { another, time, store } = open()
  const [one, two] = [another(), another()]
  await two.keys.verifying()
  await one.keys.rotateNow({ stolen: true, actor: CLI })
  const { token: text } = await one.tokens.issue(signedInAt(time.clock.wall()))
  expect(await two.tokens.read(text)).toMatchObject({ kind: 'verified' })
  let reads = 0
  const { signingKeys } = store
  const counted = async () => {
    reads += 1
    return signingKeys.read()
  }
  Object.assign(store, { signingKeys: { ...signingKeys, read: counted } })
  const third = createAccessLab({ store, time })
  await third.keys.verifying()
  reads = 0
  const [header = '', rest] = [text.split('.')[0], text.slice(text.indexOf('.'))]
  const unknown = (n: number) =>
    Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(header, 'base64url').toString()), kid: `sgk_${n}` })).toString('base64url') + rest
  for (let n = 0; n < 50; n += 1) expect(await third.tokens.read(unknown(n))).toEqual({ kind: 'refused', why: 'key_unknown' })
  expect(reads).toBe(1)
  await time.advance(2 * SECOND)
  await third.tokens.read(unknown(99))
  expect(reads).toBe(2)
})

test('while the store is away, known keys go on checking and signing; a key that nobody has is not made up', async () => {
  const { keys, tokens, time, store } = open()
  const { token: text } = await tokens.issue(signedInAt(time.clock.wall()))
  store.fail = true
  await time.advance(HOUR)
  expect(await tokens.read((await tokens.issue(signedInAt(time.clock.wall()))).token)).toMatchObject({ kind: 'verified' })
  await expect(keys.tick()).rejects.toMatchObject({ code: 'store_unavailable' })
  expect(await keys.verifying()).toHaveLength(2)
  expect(await tokens.read(text)).toEqual({ kind: 'refused', why: 'expired' })
  await expect(createAccessLab({ store, time }).keys.signing()).rejects.toMatchObject({ code: 'store_unavailable' })
})

test('while changes of other nodes may be missed, keys are believed for a second', async () => {
  const time = createManualTime()
  const store = openStore(time)
  let fresh = true
  const deaf = createAccessLab({ store, time, changesFresh: () => fresh })
  const other = createAccessLab({ store, time })
  const before = await deaf.keys.signing()
  await other.keys.rotateNow({ stolen: true, actor: CLI })
  expect((await deaf.keys.signing()).id).toBe(before.id)
  fresh = false
  await time.advance(SECOND + 1)
  expect((await deaf.keys.signing()).id).toBe((await other.keys.signing()).id)
})

const at = Date.UTC(2026, 0, 1)
const key = (state: SigningKeyState, ageMs: number): SigningKey => ({
  id: `sgk_${state}`,
  algorithm: 'EdDSA',
  state,
  publicJwk: {},
  privateKey: new Uint8Array(),
  createdAt: at - ageMs,
  changedAt: at - ageMs,
})
const ring = (...keys: readonly SigningKey[]): SigningKeyRing => ({ version: 1, keys })
const planned = (plan: ReturnType<typeof planRing>) => ({ ...plan, moves: plan.moves.map(({ key: { state }, to }) => `${state} -> ${to}`) })

test.each([
  ['no key at all: one that signs, and its successor', ring(), [], ['active', 'next']],
  ['only a successor: it takes over', ring(key('next', 0)), ['next -> active'], ['next']],
  ['no successor: one is made', ring(key('active', 0)), [], ['next']],
  ['nothing is due', ring(key('active', 30 * DAY - 1), key('next', 30 * DAY)), [], []],
  ['due, but its successor was published for less than a day', ring(key('active', 60 * DAY), key('next', DAY - 1)), [], []],
  ['due', ring(key('active', 30 * DAY), key('next', DAY)), ['active -> retiring', 'next -> active'], ['next']],
  ['a retiring key whose last token may live', ring(key('active', 0), key('next', 0), key('retiring', HOUR - 1)), [], []],
  ['a retiring key whose tokens are over', ring(key('active', 0), key('next', 0), key('retiring', HOUR)), ['retiring -> retired'], []],
  ['a clock that went back changes nothing', ring(key('active', -DAY), key('next', -DAY), key('retiring', -DAY)), [], []],
])('%s', (_title, given, moves, missing) => {
  expect(planned(planRing(given, at))).toEqual({ moves, missing })
})

test('a key is replaced before its time by its successor, and a stolen one by nothing that was there', () => {
  const given = ring(key('active', 0), key('next', 0), key('retiring', 0))
  expect(planned(planReplacement(given, false))).toEqual({ moves: ['active -> retiring', 'next -> active'], missing: ['next'] })
  expect(planned(planReplacement(given, true))).toEqual({ moves: ['active -> retired', 'next -> retired', 'retiring -> retired'], missing: ['active', 'next'] })
})

test('the schedule of the keys is said beforehand: who signs, who follows and until when, who only verifies', () => {
  const at = Date.UTC(2026, 0, 1)
  const key = (id: string, state: SigningKeyState, changedAt: number) =>
    ({ id, algorithm: 'EdDSA', publicJwk: {}, state, privateKey: null, createdAt: at, changedAt }) as unknown as SigningKey
  const ring: SigningKeyRing = {
    version: 1,
    keys: [key('sgk_3', 'retired', at), key('sgk_2', 'retiring', at), key('sgk_1', 'next', at), key('sgk_0', 'active', at)],
  }
  const schedule = scheduleOf(ring)
  expect(schedule.map(({ id, becomes }) => [id, becomes])).toEqual([
    ['sgk_0', 'retiring'],
    ['sgk_1', 'active'],
    ['sgk_2', 'retired'],
  ])
  expect(schedule[0]?.changesAt).toBe(schedule[1]?.changesAt)
  expect(schedule[0]?.changesAt).toBeGreaterThanOrEqual(at + 30 * DAY)
  expect(scheduleOf({ ...ring, keys: [key('sgk_0', 'active', at)] })[0]?.changesAt).toBeNull()
})

test('a store that loses every change to others is an outage, not an endless loop', async () => {
  const { keys, store } = open()
  await keys.signing()
  let writes = 0
  Object.assign(store.signingKeys, {
    write: async () => {
      writes += 1
      return 'moved'
    },
  })
  await expect(keys.rotateNow({ stolen: false, actor: CLI })).rejects.toMatchObject({ code: 'store_unavailable' })
  expect(writes).toBeGreaterThan(1)
  expect(writes).toBeLessThan(20)
})

test('a ring without a key that signs is a defect of ours, and what breaks beside the seal is told as it is', async () => {
  const time = createManualTime()
  const store = openStore(time)
  const lab = createAccessLab({ store, time })
  const { id } = await lab.keys.signing()
  const other = createAccessLab({
    store: {
      signingKeys: {
        ...store.signingKeys,
        read: async () => ({ version: 1, keys: (await store.signingKeys.read()).keys.map((key) => (key.id === id ? { ...key, privateKey: null } : key)) }),
      },
    },
    time,
  })
  await expect(other.keys.signing()).rejects.toMatchObject({ code: 'internal' })
  const seal = {
    ...testSeal(),
    openText: () => {
      throw new RangeError('out of memory')
    },
  }
  const broken = new SigningKeys({
    store: store.signingKeys,
    signer: createTokenSigner(),
    seal,
    clock: time.clock,
    entropy: systemEntropy,
    log: QUIET,
    changesFresh: () => true,
    organization: 'org_1',
  })
  await expect(broken.signing()).rejects.toThrow(RangeError)
})
