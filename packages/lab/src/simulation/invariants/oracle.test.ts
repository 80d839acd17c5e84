import { beforeEach, expect, test } from 'vitest'
import { type FailureCommit, type GrantRow, newCredential, type Reuse, type Store, type TokenAnswer } from '../../../../evergrant/src/engine.ts'
import { defineProvider } from '../../../../evergrant/src/engine-parts.ts'
import { type ConnectionTruth, Ledger } from '../ledger.ts'
import { Life, type Machine } from '../life.ts'
import { profileOf, Weather } from '../profile.ts'
import { decide, endFamily, type Family, type Presentation, type RefreshTruth, type Site } from '../provider-truth.ts'
import { Random } from '../random.ts'
import { MachineClock } from '../sim-clock.ts'
import { logOf } from '../sim-log.ts'
import { SimSeal } from '../sim-seal.ts'
import { TokenMint } from '../token-mint.ts'
import { World } from '../world.ts'
import { checkLiveness } from './liveness.ts'
import { Oracle } from './oracle.ts'

// Every checker is fed a history that it must refuse: a checker that never speaks proves nothing.

let world: World
let ledger: Ledger
let oracle: Oracle
let mint: TokenMint
let seal: SimSeal
let row: GrantRow
let connection: ConnectionTruth
let life: Life

const broken = () => world.violations.map((violation) => violation.invariant)

beforeEach(() => build({ class: 'P4', windowMs: 0, neverProbe: false }))

function build(reuse: Reuse): void {
  world = new World(1, undefined)
  ledger = new Ledger()
  mint = new TokenMint(new Random(1))
  seal = new SimSeal()
  const record = defineProvider({ id: 'site', name: 'Site', authorize: { url: 'https://a.example' }, token: { url: 'https://a.example' } })
  const site: Site = {
    index: 0,
    url: 'https://a.example',
    revokeUrl: 'https://a.example/revoke',
    reuse,
    record,
    rotation: 'always',
    lifetimeMs: 3_600_000,
    refreshEndsAccess: false,
    families: [],
    mood: { down: false, clientRejected: false, mistakenDeath: false },
  }
  const family: Family = {
    id: 0,
    site,
    connection: 0,
    owner: 'o',
    consentedAt: 0,
    absoluteEnd: null,
    place: 0,
    current: undefined as unknown as RefreshTruth,
    end: null,
  }
  family.current = mint.refresh(family, 1)
  row = {
    connection: { state: 'active', fault: null },
    credential: { generation: 1, suspicion: null, lease: null, intent: null },
    health: {},
  } as unknown as GrantRow
  connection = {
    index: 0,
    id: 'con_0',
    organization: 'org_0',
    integration: 'int_0',
    site,
    owner: 'o',
    family,
    stored: family.current,
    row,
    durable: 1,
    consents: 0,
    served: { consent: 0, generation: 0, at: 0 },
    servedBy: new Map(),
    disconnectedAt: null,
    excuse: null,
    rolledBackFrom: null,
    grantedTo: null,
    heldSince: 0,
    statusChanges: 0,
  }
  ledger.add(connection)
  const store = { credentials: { read: () => Promise.resolve(row) } } as unknown as Store
  oracle = new Oracle({
    world,
    weather: new Weather(profileOf('brutal'), '-'),
    ledger,
    seal,
    mint,
    store: () => store,
    buggify: () => false,
    moment: () => {},
    distrusted: () => false,
  })
  life = lifeOf('node-1')
}

function lifeOf(id: string): Life {
  const machine: Machine = { name: id, clock: new MachineClock(world), cutFrom: new Set(), databaseCut: false, pausedUntil: 0 }
  return new Life(world, machine, 1, { id, incarnation: `${id}-1` })
}

function send(by = life): Presentation {
  const token = connection.stored
  if (token === null) throw new Error('nothing to send')
  ledger.claimed(by.identity.id, 'con_0', `itn_${ledger.presentations.length}`, 1)
  return oracle.sent(by, token, connection.site, ledger.presentations.length)
}

const answer = (generation: number, text: string): TokenAnswer => ({ generation, accessToken: text }) as unknown as TokenAnswer
const access = (expiresAt = 3_600_000) => mint.access(connection.family.current, expiresAt).text
const serve = (generation: number, askedAt = world.now, text = access()) =>
  oracle.served(life, { connection, askedAt, rejectedGeneration: null }, answer(generation, text))

function rotated(presentation: Presentation): void {
  decide(presentation.token, world.now, presentation, (family) => mint.refresh(family, family.current.number + 1))
  presentation.effect = 'rotated'
  presentation.carried = connection.family.current
  oracle.decided(presentation, 200)
}

function failure(effect: FailureCommit['effect'], intent: string | null, code = 'connection_revoked', event: unknown = {}): Promise<void> {
  const commit = { connection: 'con_0', intent, effect, event, fault: { code, evidence: { intent } } } as unknown as FailureCommit
  if (effect === 'dead') row = { ...row, connection: { ...row.connection, state: 'needs_reauth', fault: commit.fault } }
  return oracle.failed(life, commit, { kind: 'recorded' })
}

test('I1 and I6: the same token of a strict provider twice on its way', () => {
  send()
  send(lifeOf('node-2'))
  expect(broken()).toEqual(['I1', 'I6'])
})

test('I6: an unanswered presentation followed too soon, and never where the provider is not probed', () => {
  oracle.decided(send(), 500)
  world.now = 60_000
  send(lifeOf('node-2'))
  expect(broken()).toEqual(['I6'])
  build({ class: 'P4', windowMs: 0, neverProbe: true })
  oracle.decided(send(), 500)
  world.now = 10_000_000
  send(lifeOf('node-2'))
  expect(broken()).toEqual(['I6'])
})

test('I6: a window is over after four fifths of it', () => {
  build({ class: 'P1', windowMs: 30_000, neverProbe: false })
  oracle.decided(send(), 500)
  world.now = 20_000
  send(lifeOf('node-2'))
  expect(broken()).toEqual([])
  world.now = 27_000
  send(lifeOf('node-3'))
  expect(broken()).toEqual(['I6'])
})

/** At 0 s, at `againAt` and at `thirdAt`: the first is answered with `status`, or never; the second is granted, with a new token or without. */
function thrice(reuse: Reuse, status: number | null, againAt: number, rotates: boolean, thirdAt: number): string[] {
  build(reuse)
  const first = send()
  first.settled = first.over = first.concluded = true
  if (status !== null) oracle.read(life, first, { status, headers: {}, text: '' })
  world.now = againAt
  const second = send(lifeOf('node-2'))
  if (rotates) rotated(second)
  oracle.read(lifeOf('node-2'), second, { status: 200, headers: {}, text: '', grants: true })
  second.settled = second.over = second.concluded = true
  world.now = thirdAt
  send(lifeOf('node-3'))
  return broken()
}

test('I6: a grant without a new token clears the presentations before it that cannot be on their way any more, and no others', () => {
  const window: Reuse = { class: 'P1', windowMs: 30_000, neverProbe: false }
  expect(thrice(window, 500, 1_000, false, 40_000)).toEqual([])
  expect(thrice(window, null, 11_000, false, 40_000)).toEqual([])
  expect(thrice(window, 500, 1_000, true, 40_000)).toEqual(['I6'])
  expect(thrice(window, null, 11_000, true, 40_000)).toEqual(['I6'])
  // The second one is too early by itself, and the third while the first may still arrive.
  const strict: Reuse = { class: 'P4', windowMs: 0, neverProbe: false }
  expect(thrice(strict, null, 60_000, false, 121_000)).toEqual(['I6'])
  expect(thrice(strict, null, 60_000, false, 119_000)).toEqual(['I6', 'I6'])
})

test('I11: one process sends one connection twice at once', () => {
  build({ class: 'P0', windowMs: 0, neverProbe: false })
  send()
  send()
  expect(broken()).toEqual(['I11'])
})

test('I2: an older generation after a newer one, on one node and across nodes', () => {
  connection.durable = 3
  serve(3)
  world.now = 10
  serve(2)
  expect(broken()).toEqual(['I2'])
  world.now = 5_000
  oracle.served(lifeOf('node-2'), { connection, askedAt: 5_000, rejectedGeneration: null }, answer(2, access()))
  expect(broken()).toEqual(['I2', 'I2'])
})

test('I2: a token of a consent that was replaced, whatever its number; the new one may have a lower number after the database went back', async () => {
  connection.durable = 7
  const old = access()
  serve(7, 0, old)
  connection.excuse = 'the database went back in time'
  row = { ...row, credential: { ...row.credential, generation: 5 } }
  await oracle.changed('con_0', 'failover')
  const family: Family = { ...connection.family, id: 1 }
  family.current = mint.refresh(family, 1)
  const refreshToken = seal.seal(family.current.text, { organization: 'org_0', table: 'credential', row: 'con_0#6', column: 'refresh_token' })
  row = { ...row, credential: { ...row.credential, generation: 6 } }
  await oracle.replaced({ connection: 'con_0', credential: { refreshToken } } as never, { kind: 'replaced', generation: 6 })
  world.now = 10_000
  serve(6)
  expect(broken()).toEqual([])
  world.now = 20_000
  serve(7, world.now, old)
  expect(broken()).toEqual(['I2', 'I2'])
})

test('I2: the generation in the database falls', async () => {
  row = { ...row, credential: { ...row.credential, generation: 0 } }
  await oracle.changed('con_0', 'something')
  expect(broken()).toEqual(['I2'])
})

test('I3: an end that the provider would not have', async () => {
  await failure('dead', 'itn_0')
  expect(broken()).toEqual(['I3'])
})

test('I4: a generation that is nowhere durable', () => {
  serve(2)
  expect(broken()).toEqual(['I4'])
})

test('I5: a family that we killed ourselves', async () => {
  const first = send()
  rotated(first)
  oracle.read(life, first, { status: 200, headers: {}, text: '', grants: true })
  first.concluded = true
  connection.family.end = { reason: 'reuse', at: 0, by: first }
  await failure('dead', 'itn_0')
  expect(broken()).toEqual(['I5'])
})

test('I5: an answer was destroyed, and the row says something else', async () => {
  const first = send()
  rotated(first)
  oracle.destroyed(first, 'lost')
  endFamily(connection.family, 'reuse', 0, first)
  await failure('dead', 'itn_0', 'connection_revoked')
  expect(broken()).toEqual(['I5'])
})

test('I7: an answer was read and is nowhere', () => {
  const first = send()
  rotated(first)
  oracle.read(life, first, { status: 200, headers: {}, text: '', grants: true })
  oracle.finish()
  expect(broken()).toEqual([])
  world.now += 60_000
  oracle.finish()
  expect(broken()).toEqual(['I7'])
})

test('I8: nobody serves what a provider would honour', () => {
  checkLiveness({ ...oracle.parts }, oracle, { ask: (_connection, _want, then) => then(null) }, [connection])
  while (world.step());
  expect(broken()).toEqual(['I8'])
})

test('I9: a provider that is away is asked again and again, and Retry-After is not kept', () => {
  connection.site.mood = { down: true, downSince: 0, clientRejected: false, mistakenDeath: false }
  oracle.unreachable(life, connection.site)
  world.now = 3_600_000
  for (let time = 0; time < 15; time++) oracle.unreachable(life, connection.site)
  expect(broken()).toEqual(['I9'])
  const first = send()
  oracle.read(life, first, { status: 429, headers: { 'retry-after': '60' }, text: '' })
  first.concluded = true
  first.settled = true
  first.over = true
  world.now += 30_000
  send()
  expect(broken()).toEqual(['I9', 'I9'])
})

test('I10: a thousand grants of one second are renewed over many', () => {
  const { record } = connection.site
  const random = new Random(5)
  const entropy = { bytes: () => new Uint8Array(0), uniform: () => random.uniform(), uuid: () => '' }
  const tokens = { accessToken: 'a', refreshToken: 'r', tokenType: 'Bearer', accessExpiresAt: 3_600_000, refreshExpiresAt: null }
  const bins = new Array<number>(20).fill(0)
  const input = { organization: 'org_0', connection: 'con_0', generation: 1, tokens, obtainedAt: 0, record, settings: { marginMs: null } } as const
  const instants = Array.from({ length: 1_000 }, () => newCredential(input, seal, entropy).softAt ?? 0)
  const [first, last] = [Math.min(...instants), Math.max(...instants)]
  for (const instant of instants) bins[Math.min(19, Math.floor((20 * (instant - first)) / (last - first)))]! += 1
  expect(Math.max(...bins)).toBeLessThan(3 * 50)
})

test('I12: refused client credentials change a grant', async () => {
  const first = send()
  first.effect = 'config'
  first.learned = 'definite'
  row = { ...row, credential: { ...row.credential, generation: 2 } }
  await failure('untouched', 'itn_0', 'client_rejected')
  expect(broken()).toEqual(['I12'])
})

test('I13: a token after the disconnect, a renewal after it, a row that comes back, a late answer that nobody revoked', async () => {
  connection.disconnectedAt = 0
  world.now = 100_000
  serve(1)
  send()
  row = { ...row, connection: { ...row.connection, state: 'active' } }
  connection.row = { ...row, connection: { ...row.connection, state: 'disconnected' } }
  await oracle.changed('con_0', 'something')
  await oracle.granted(life, { connection: 'con_0', intent: 'itn_0' } as never, { kind: 'disconnected' })
  oracle.finish()
  expect(broken()).toEqual(['I13', 'I13', 'I13', 'I13'])
})

test('I14: a process ends well with an answer in its hands', () => {
  const first = send()
  rotated(first)
  oracle.read(life, first, { status: 200, headers: {}, text: '', grants: true })
  oracle.exited(life, 0)
  expect(broken()).toEqual(['I14'])
})

test('I15: a token in a line of the log', () => {
  logOf(world, life).warn({ why: `the provider said ${access()}` }, 'refused')
  expect(broken()).toEqual(['I15'])
})

test('I16: a sealed value opens nowhere but where it was sealed', () => {
  const home = { organization: 'org_0', table: 'credential', row: 'con_0#1', column: 'access_token' }
  const sealed = seal.seal('secret', home)
  expect(seal.openText(sealed, home)).toBe('secret')
  for (const moved of [{ row: 'con_0#2' }, { row: 'con_1#1' }, { column: 'refresh_token' }, { organization: 'org_1' }, { table: 'answer' }])
    expect(() => seal.openText(sealed, { ...home, ...moved })).toThrow()
})

test('I17: a second recovery applies something', async () => {
  life.recoveringAgain = true
  const commit = { connection: 'con_0', intent: 'itn_0', credential: { refreshToken: null } }
  await oracle.granted(life, commit as never, { kind: 'applied', generation: 2 })
  expect(broken()).toEqual(['I17'])
})

test('I18: an end without an event', async () => {
  endFamily(connection.family, 'user', 0)
  await failure('dead', 'itn_0', 'connection_revoked', null)
  expect(broken()).toEqual(['I18'])
})

test('I19: a token of somebody else', () => {
  const other: Family = { ...connection.family, connection: 1 }
  serve(1, 0, mint.access(mint.refresh(other, 1), 3_600_000).text)
  expect(broken()).toEqual(['I19'])
})

test('I20: a database that went back in time, and its old token is sent', () => {
  connection.rolledBackFrom = 5
  connection.excuse = 'the database went back in time'
  connection.grantedTo = 'node-1'
  connection.family.current.usedAt = 0
  send()
  expect(broken()).toEqual(['I20'])
})

test('a token that ended long ago, and one that nobody made', () => {
  world.now = 5_000_000
  serve(1, world.now, access(1_000))
  serve(1, world.now, 'made up')
  expect(broken()).toEqual(['valid', 'world'])
})
