import { afterEach, expect, test, vi } from 'vitest'
import { systemEntropy } from '../../system.ts'
import { createRestoreLab, HOME, type RestoreLab } from '../../testing/restore-lab.ts'
import { Fault } from '../fault/fault.ts'
import { HOUR } from '../time.ts'
import { DatabaseTrust } from './database-trust.ts'
import type { Engine } from './engine.ts'
import { type Journal, type JournalRecord, NO_JOURNAL } from './journal.ts'
import type { Lineages } from './lineage.ts'
import { MemoryHighWater } from './memory-high-water.ts'
import { RestoreService } from './restore-service.ts'

const labs: RestoreLab[] = []
afterEach(async () => {
  for (const lab of labs.splice(0)) await lab.close()
})

const CLI = { kind: 'cli', id: null } as const
const quiet = { info: () => {}, warn: () => {}, error: () => {} }

interface Node {
  readonly engine: Engine
  readonly trust: DatabaseTrust
}

interface Pair {
  readonly it: RestoreLab
  readonly nodes: readonly [Node, Node]
  readonly restore: RestoreService
  /** From here on each hears of what the other stores. */
  readonly listen: () => void
  readonly generation: () => Promise<number>
}

interface PairOptions {
  readonly renewals: number
  /** Of the links, by number from 0: those that the database was not seen to have. */
  readonly unsettled?: readonly number[]
  readonly change?: (lineages: Lineages) => Partial<Lineages>
}

/** A grant that two nodes renewed in turn, a database from before that, and both nodes on it, each with its own journal. */
async function pairOf({ renewals, unsettled = [], change = () => ({}) }: PairOptions): Promise<Pair> {
  const it = await createRestoreLab({ reuse: 'P4' })
  labs.push(it)
  const { lab } = it
  await it.backup()
  for (let round = 0; round < renewals; round += 1) {
    await lab.time.advance(HOUR)
    await it.engine().refresh(lab.organization, lab.connection)
  }
  const links = lab.journal.records.splice(0)
  const open = new Set(unsettled.map((index) => links[index]?.intent))
  await it.restart('copy', { marks: new MemoryHighWater() })
  const nodeOf = async (id: string, own: readonly JournalRecord[]): Promise<Node> => {
    const journal: Journal = {
      ...NO_JOURNAL,
      pending: () => Promise.resolve(own.filter(({ intent }) => open.has(intent))),
      answers: async function* () {
        yield own.map((record) => ({ record, settled: !open.has(record.intent) }))
      },
    }
    const { lineages } = lab.store
    const trust = new DatabaseTrust({
      clock: lab.time.clock,
      entropy: systemEntropy,
      log: quiet,
      lineages: new Proxy(lineages, { get: (target, name) => Reflect.get(change(target), name) ?? Reflect.get(target, name) }),
      marks: new MemoryHighWater(),
      journal,
      node: id,
      home: () => Promise.resolve(HOME),
      organization: lab.organization,
    })
    const engine = lab.another({ trust, journal, node: { id, incarnation: systemEntropy.uuid() } })
    await engine.recover()
    return { engine, trust }
  }
  // As `evergrant restore` leaves it.
  await it.lineages().distrust('restored', 'restored from a backup', { ...(await lastEvent(it)), id: `evt_${systemEntropy.uuid()}` })
  const first = await nodeOf(
    'node-a',
    links.filter((_, index) => index % 2 === 0),
  )
  const second = await nodeOf(
    'node-b',
    links.filter((_, index) => index % 2 === 1),
  )
  const running = ['node-a', 'node-b'].map((id) => ({
    id,
    incarnation: id,
    startedAt: 0,
    heartbeatAt: lab.time.clock.wall(),
    draining: false,
    alive: true,
    keyring: null,
    about: null,
  }))
  const restore = new RestoreService({
    clock: lab.time.clock,
    entropy: systemEntropy,
    lineages: it.lineages(),
    nodes: { list: () => Promise.resolve(running) },
    trust: second.trust,
    home: () => Promise.resolve(HOME),
    organization: lab.organization,
  })
  const listen = () => {
    lab.store.changes.subscribe((told) => {
      if (told.kind === 'connection') for (const { trust } of [first, second]) trust.moved(told.connection)
    })
  }
  return { it, nodes: [first, second], restore, listen, generation: async () => (await lab.row()).credential.generation }
}

async function lastEvent({ lab }: RestoreLab) {
  const { items } = await lab.store.events.list(lab.organization, {}, { limit: 1, cursor: null })
  const [event] = items
  if (event === undefined) throw new Error('the lab has no event')
  return { ...event, type: 'database.restored' as const, connection: null, subject: null, data: {} }
}

/** Both hear of the turn that node-b took while node-a was not listening. */
const wake = ({ it, nodes }: Pair) => nodes[0].trust.moved(it.lab.connection)

/** A machine that does much else is slow, not broken. */
const soon = (look: () => Promise<void>) => vi.waitFor(look, { timeout: 15_000 })

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'none',
    (error: unknown) => (error instanceof Fault ? error.code : String(error)),
  )

test('forty links that lie in two journals in turn are brought forward by what one node hears of the other, in no time', async () => {
  const pair = await pairOf({ renewals: 40 })
  expect(await pair.generation()).toBe(3)
  const startedAt = pair.it.lab.time.clock.mono()
  pair.listen()
  wake(pair)
  await soon(async () => expect(await pair.generation()).toBe(41))
  await soon(async () => expect((await pair.restore.status()).waitingFor).toEqual([]))
  expect(pair.it.lab.time.clock.mono()).toBe(startedAt)
  expect(await pair.restore.confirm(pair.it.lab.organization, CLI, 'restored')).toMatchObject({ ended: 0, changed: true })
  expect(await pair.nodes[1].engine.refresh(pair.it.lab.organization, pair.it.lab.connection)).toMatchObject({ generation: 42 })
  expect(pair.it.lab.provider.familyAlive).toBe(true)
})

test('what another node stores between a try and its report is tried, too', async () => {
  let meanwhile: (() => Promise<void>) | null = null
  const pair = await pairOf({
    renewals: 6,
    change: (lineages) => ({
      generationsOf: async (connections) => {
        const act = meanwhile
        meanwhile = null
        await act?.()
        return lineages.generationsOf(connections)
      },
    }),
  })
  expect(await pair.generation()).toBe(3)
  // Node-a has stored 4 and found nothing for it; before it looks, node-b stores 5. Nobody is told.
  meanwhile = async () => {
    pair.nodes[1].trust.moved(pair.it.lab.connection)
    await soon(async () => expect(await pair.generation()).toBe(5))
  }
  wake(pair)
  await soon(async () => expect(await pair.generation()).toBe(6))
})

test('where no notification comes, the next question finds the turn', async () => {
  const pair = await pairOf({ renewals: 4 })
  expect(await pair.generation()).toBe(3)
  for (const expected of [4, 5]) {
    for (const { trust } of pair.nodes) {
      await pair.it.lab.time.advance(1_000)
      await trust.refreshed()
    }
    await soon(async () => expect(await pair.generation()).toBeGreaterThanOrEqual(expected))
  }
  expect(await pair.generation()).toBe(5)
})

test('an answer that the database was not seen to have comes in its turn, too', async () => {
  const pair = await pairOf({ renewals: 6, unsettled: [5] })
  pair.listen()
  wake(pair)
  await soon(async () => expect(await pair.generation()).toBe(7))
})

test('nobody confirms while a journal is rolled forward, and is told who does it and for how many', async () => {
  const pair = await pairOf({ renewals: 6 })
  expect(await pair.restore.status()).toMatchObject({ rolling: [{ node: 'node-a', connections: 1 }], waitingFor: ['node-a'] })
  const refused = pair.restore.confirm(pair.it.lab.organization, CLI, 'restored')
  await expect(refused).rejects.toThrow(/still rolled forward by node-a \(1 connection to look at\).*--give-up-rolling/)
  expect((await pair.it.lab.row()).connection.state).toBe('active')
  pair.listen()
  wake(pair)
  await soon(async () => expect((await pair.restore.status()).rolling).toEqual([]))
  expect(await pair.restore.confirm(pair.it.lab.organization, CLI, 'restored')).toMatchObject({ ended: 0 })
})

test('a grant that was given up stays ended, whatever a journal still brings: a token from the middle of its chain is never presented', async () => {
  const pair = await pairOf({ renewals: 6 })
  const presented = pair.it.lab.provider.presented.length
  expect(await pair.restore.confirm(pair.it.lab.organization, CLI, 'restored', true)).toMatchObject({ ended: 1 })
  // A node that has not heard of the confirmation goes on.
  const { credential } = await pair.it.lab.row()
  wake(pair)
  await soon(async () => expect(await pair.it.lab.store.credentials.unappliedAnswers(pair.it.lab.organization, 10)).toHaveLength(1))
  for (const { engine } of pair.nodes) {
    expect(await codeOf(engine.refresh(pair.it.lab.organization, pair.it.lab.connection))).toBe('rotated_after_backup')
  }
  expect((await pair.it.lab.row()).connection).toMatchObject({ state: 'needs_reauth', fault: { code: 'rotated_after_backup' } })
  expect((await pair.it.lab.row()).credential.generation).toBe(credential.generation)
  expect(pair.it.lab.provider.presented).toHaveLength(presented)
  expect(pair.it.lab.provider.familyAlive).toBe(true)
})

test('a report that fails is made again by the next question', async () => {
  let failing = true
  const pair = await pairOf({
    renewals: 4,
    change: (lineages) => ({
      reportAgain: (...args) => (failing ? Promise.reject(new Error('the database is away')) : lineages.reportAgain(...args)),
    }),
  })
  pair.listen()
  wake(pair)
  await soon(async () => expect(await pair.generation()).toBeGreaterThan(3))
  expect((await pair.restore.status()).waitingFor).not.toEqual([])
  failing = false
  await soon(async () => {
    await pair.it.lab.time.advance(1_000)
    for (const { trust } of pair.nodes) await trust.refreshed()
    expect((await pair.restore.status()).waitingFor).toEqual([])
  })
  expect(await pair.generation()).toBe(5)
})
