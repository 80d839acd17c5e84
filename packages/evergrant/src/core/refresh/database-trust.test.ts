import { afterEach, describe, expect, test, vi } from 'vitest'
import { systemEntropy } from '../../system.ts'
import { createRestoreLab, HOME, type RestoreLab } from '../../testing/restore-lab.ts'
import { refreshTokenOf } from '../../testing/scripted-provider.ts'
import { Fault } from '../fault/fault.ts'
import { newId } from '../ids.ts'
import { HOUR, MINUTE } from '../time.ts'
import { DatabaseTrust } from './database-trust.ts'
import type { Engine } from './engine.ts'
import { NOTHING_ROLLED, TRUSTING, type Trust } from './high-water.ts'
import type { Lineages } from './lineage.ts'
import { markingConnections } from './marking-connections.ts'
import { MemoryHighWater } from './memory-high-water.ts'

const labs: RestoreLab[] = []
afterEach(async () => {
  for (const lab of labs.splice(0)) await lab.close()
})

async function labOf(...args: Parameters<typeof createRestoreLab>): Promise<RestoreLab> {
  const lab = await createRestoreLab(...args)
  labs.push(lab)
  return lab
}

/** Renews once more, `ms` later. */
async function renew(it: RestoreLab, engine: Engine = it.engine(), ms = HOUR) {
  await it.lab.time.advance(ms)
  return engine.refresh(it.lab.organization, it.lab.connection)
}

const read = (it: RestoreLab, engine: Engine = it.engine()) =>
  engine.token({ organization: it.lab.organization, connection: it.lab.connection, minTtlMs: 0, rejectedGeneration: null })

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'none',
    (error: unknown) => (error instanceof Fault ? error.code : String(error)),
  )

const CLI = { kind: 'cli', id: null } as const
const eventsOf = async (it: RestoreLab, type: string) =>
  (await it.lab.store.events.list(it.lab.organization, {}, { limit: 200, cursor: null })).items.filter((event) => event.type === type)

describe('a database restored between two starts', () => {
  test('whose journal has the answers is rolled forward through several generations, and still waits for an operator (I20)', async () => {
    const it = await labOf({ reuse: 'P4' })
    await it.backup()
    for (let round = 0; round < 3; round += 1) await renew(it)
    const presented = it.lab.provider.presented.length
    const engine = await it.restart('copy')
    expect((await it.lab.row()).credential.generation).toBe(4)
    expect(await it.lineages().reported(10)).toEqual([])
    expect(it.trust().known()).toMatchObject({ trusted: 'restored' })
    expect(await codeOf(renew(it, engine))).toBe('database_untrusted')
    expect(it.lab.provider.presented).toHaveLength(presented)
    await it.restore().confirm(it.lab.organization, CLI, 'restored')
    expect(await renew(it, engine)).toMatchObject({ generation: 5 })
    expect(it.lab.provider.familyAlive).toBe(true)
  })

  test('whose chain lies in two journals, link by link, is rolled forward by the two nodes in turn', async () => {
    const it = await labOf({ reuse: 'P4' })
    await it.backup()
    for (let round = 0; round < 4; round += 1) await renew(it)
    const [first, second, third, fourth] = it.lab.journal.records
    const otherNode = [second, fourth]
    it.lab.journal.records.splice(0, 4, ...[first, third].filter((record) => record !== undefined))
    await it.restart('copy')
    expect((await it.lab.row()).credential.generation).toBe(2)
    expect(await it.lineages().reported(10)).toHaveLength(1)
    // What the other node does, with its own journal.
    const mine = it.lab.journal.records.splice(0, 2, ...otherNode.filter((record) => record !== undefined))
    const examine: Trust['examine'] = async (rollForward) => {
      await rollForward(new Set([it.lab.connection]))
      return { trusted: true, eraAt: 0, rolledForward: 1 }
    }
    await it.lab.another({ trust: { ...TRUSTING, examine }, node: { id: 'node-2', incarnation: 'other' } }).recover()
    expect((await it.lab.row()).credential.generation).toBe(3)
    it.lab.journal.records.splice(0, 2, ...mine)
    await it.lab.time.advance(5_000)
    await it.trust().refreshed()
    await vi.waitFor(async () => expect((await it.lab.row()).credential.generation).toBe(4))
  })

  test('rolled forward again and again from any part of its journal gives the same rows (I17)', async () => {
    const it = await labOf({ reuse: 'P4' })
    await it.backup()
    for (let round = 0; round < 4; round += 1) await renew(it)
    const whole = [...it.lab.journal.records]
    for (let part = 0; part <= whole.length; part += 1) {
      it.lab.journal.records.splice(0, whole.length, ...whole.slice(0, part))
      await it.restart('copy')
      await it.restart('same')
      const row = await it.lab.row()
      expect(row.credential.generation, `${part} answers`).toBe(1 + part)
      const again = await it.restart('same')
      expect((await it.lab.row()).credential).toEqual(row.credential)
      expect(await codeOf(renew(it, again, 0))).toBe('database_untrusted')
    }
    expect(it.lab.provider.presented).toHaveLength(4)
  })

  test('whose journal is gone is listed, and presents nothing stale at P1, P3 and P4 until it is confirmed (I20)', async () => {
    for (const reuse of ['P1', 'P3', 'P4'] as const) {
      const it = await labOf({ reuse })
      await it.backup()
      await renew(it)
      await renew(it)
      it.lab.journal.records.splice(0)
      const engine = await it.restart('copy')
      expect(await codeOf(renew(it, engine)), reuse).toBe('database_untrusted')
      expect(await it.lineages().reported(10)).toMatchObject([{ connection: it.lab.connection, marked: 3, stored: 1, mended: false }])
      expect((await it.lab.row()).connection.state).toBe('active')
      expect(await it.restore().confirm(it.lab.organization, CLI, 'restored')).toMatchObject({ ended: 1 })
      expect((await it.lab.row()).connection).toMatchObject({ state: 'needs_reauth', fault: { code: 'rotated_after_backup' } })
      expect(await codeOf(renew(it, engine)), reuse).toBe('rotated_after_backup')
      expect(it.lab.provider.presented, reuse).toEqual([refreshTokenOf(1), refreshTokenOf(2)])
      expect(it.lab.provider.familyAlive).toBe(true)
    }
  })

  test('serves a still valid access token meanwhile', async () => {
    const it = await labOf({ reuse: 'P4' })
    await renew(it)
    await it.backup()
    await renew(it, it.engine(), MINUTE)
    it.lab.journal.records.splice(0)
    await it.restart('copy')
    expect(await read(it)).toMatchObject({ accessToken: 'at-2', generation: 2 })
    expect(await codeOf(it.engine().token({ ...request(it), rejectedGeneration: 2 }))).toBe('database_untrusted')
  })

  test('goes on at P0, where an old refresh token is as good as the newest', async () => {
    const it = await labOf({ reuse: 'P0' })
    await it.backup()
    await renew(it)
    const engine = await it.restart('copy')
    expect(await renew(it, engine)).toMatchObject({ generation: 2 })
  })

  test('and confirmed is not doubted at the next start, nor after its reconnects', async () => {
    const it = await labOf({ reuse: 'P4' })
    await it.backup()
    await renew(it)
    await renew(it)
    it.lab.journal.records.splice(0)
    await it.restart('copy')
    await it.restore().confirm(it.lab.organization, CLI, 'restored')
    expect(await it.restore().confirm(it.lab.organization, CLI, 'restored')).toMatchObject({ ended: 0, lineage: { era: 2 } })
    expect(await eventsOf(it, 'database.confirmed')).toHaveLength(1)
    await it.restart('same')
    expect(it.trust().known()).toMatchObject({ trusted: 'trusted', era: 2 })
  })

  test('and confirmed is found out again when the same backup comes back', async () => {
    const it = await labOf({ reuse: 'P4' })
    await it.backup()
    await renew(it)
    await it.restart('copy')
    await it.restore().confirm(it.lab.organization, CLI, 'restored')
    await renew(it)
    await it.restart('copy')
    expect(it.trust().known().trusted).toBe('restored')
    expect((await it.lab.row()).credential.generation).toBe(3)
  })

  test('is told once in the events, with the reason', async () => {
    const it = await labOf({ reuse: 'P4' })
    await it.backup()
    await renew(it)
    await it.restart('copy')
    await it.restart('same')
    expect(await eventsOf(it, 'database.restored')).toMatchObject([{ data: { node: 'node-1', reason: expect.stringContaining('tick') } }])
  })

  test('where only a connection was made since, has nothing to end', async () => {
    const it = await labOf({ reuse: 'P4' })
    await it.backup()
    it.trust().stored(
      { connection: newId('con', { bytes: () => new Uint8Array(), uniform: () => 0, uuid: () => 'made-later' }), generation: 1, fingerprint: 'f' },
      { class: 'P4', windowMs: 0, neverProbe: false },
    )
    await renew(it)
    await it.restart('copy')
    expect(await it.lineages().reported(10)).toMatchObject([{ connection: 'con_made-later', stored: null, owner: null }])
    expect(await it.restore().confirm(it.lab.organization, CLI, 'restored')).toMatchObject({ ended: 0 })
  })
})

test('a grant that came by a reconnect is marked as one that was renewed', async () => {
  const it = await labOf({ reuse: 'P4' })
  const trust = { stored: vi.fn() }
  const connections = markingConnections(it.lab.store.connections, {
    contexts: it.engine().contexts,
    trust,
    log: { info: () => {}, warn: () => {}, error: () => {} },
  })
  const { organization, connection } = it.lab
  const { credential } = await it.lab.row()
  const event = {
    id: newId('evt', systemEntropy),
    organization,
    type: 'connection.reconnected' as const,
    at: 0,
    actor: CLI,
    connection,
    subject: null,
    data: {},
  }
  const grant = { account: 'ada', accountLabel: null, scopes: null, variables: {}, facts: {}, consentedAt: 5, dueAt: null, event }
  const fresh = { ...credential, fingerprint: 'fresh' }
  expect(await connections.replaceGrant({ organization, connection, expectedGeneration: 7, credential: fresh, ...grant })).toMatchObject({ kind: 'moved' })
  await connections.replaceGrant({ organization, connection, expectedGeneration: 1, credential: fresh, ...grant })
  await vi.waitFor(() => expect(trust.stored).toHaveBeenCalledTimes(1))
  expect(trust.stored).toHaveBeenCalledWith({ connection, generation: 2, fingerprint: 'fresh' }, expect.objectContaining({ class: 'P4' }))
})

describe('a normal start', () => {
  test('after a crash with the answer only in the journal is not taken for a restore', async () => {
    const it = await labOf({ reuse: 'P4' })
    await renew(it)
    await it.restart('same')
    expect(it.trust().known()).toMatchObject({ trusted: 'trusted', era: 1 })
  })

  test('with a new data folder against an existing database is normal', async () => {
    const it = await labOf({ reuse: 'P4' })
    await renew(it)
    const engine = await it.restart('same', { marks: new MemoryHighWater(), node: 'node-2' })
    expect(it.trust().known().trusted).toBe('trusted')
    expect(await renew(it, engine)).toMatchObject({ generation: 3 })
  })

  test('with another timeline at the same home notes it and goes on', async () => {
    const it = await labOf({ reuse: 'P4' })
    await renew(it)
    const engine = await it.restart('same', { home: { ...HOME, timeline: 2 } })
    expect(await renew(it, engine)).toMatchObject({ generation: 3 })
    expect(await eventsOf(it, 'database.moved')).toMatchObject([{ data: { timeline: 2 } }])
  })
})

test('the first node to start after a promotion waits ten seconds for the others, too', async () => {
  const it = await labOf({ reuse: 'P4' })
  await it.restart('same', { home: { ...HOME, timeline: 1 } })
  await it.restart('same', { home: { ...HOME, timeline: 2 } })
  const asked = async () => it.trust().mayPresent(await it.lab.row(), { class: 'P4', windowMs: 0, neverProbe: false })
  expect(await asked()).toMatchObject({ detail: expect.stringContaining('promoted') })
  await it.lab.time.advance(10_000)
  expect(await asked()).toBe(null)
})

describe('a database that goes back in time while the node runs (C8)', () => {
  test('is found out before the next presentation, without a restart', async () => {
    const it = await labOf({ reuse: 'P4' })
    await it.backup()
    await renew(it)
    await renew(it)
    it.lab.journal.records.splice(0)
    await it.failOver()
    it.engine().forget('all')
    expect(await codeOf(renew(it))).toBe('database_untrusted')
    expect(it.lab.provider.presented).toEqual([refreshTokenOf(1), refreshTokenOf(2)])
    await vi.waitFor(async () => expect((await it.restore().status()).behind).toMatchObject([{ marked: 3, stored: 1 }]))
    expect(await it.lineages().open({ instance: 'unused', home: null })).toMatchObject({ trusted: 'restored' })
  })

  test('between the claim and the answer keeps the answer, applies it in order, and waits', async () => {
    const it = await labOf({ reuse: 'P4' })
    await it.backup()
    await renew(it)
    it.lab.provider.steps.push({ kind: 'late', ms: 2_000 })
    await it.lab.time.advance(HOUR)
    const flight = codeOf(it.engine().refresh(it.lab.organization, it.lab.connection))
    await vi.waitFor(() => expect(it.lab.provider.presented).toHaveLength(2))
    await it.failOver()
    await it.lab.time.advance(3_000)
    // Rolled forward before the caller looked again, it has the newest token; else it is told why there is none.
    expect(['none', 'database_untrusted']).toContain(await flight)
    await vi.waitFor(async () => expect((await it.lab.row()).credential.generation).toBe(3))
    expect(await codeOf(renew(it))).toBe('database_untrusted')
    await it.restore().confirm(it.lab.organization, CLI, 'restored')
    expect(await renew(it)).toMatchObject({ generation: 4 })
    expect(it.lab.provider.presented).toEqual([1, 2, 3].map(refreshTokenOf))
  })

  test('once more, behind the report of this node but not behind its tick, is compared and reported again', async () => {
    const it = await labOf({ reuse: 'P4' })
    const compared = async () => (await it.lineages().nodes()).map(({ comparedEra }) => comparedEra)
    const told = { id: newId('evt', systemEntropy), organization: it.lab.organization, type: 'database.restored' as const, at: 0 }
    await it.lineages().distrust('restored', 'another node said so', { ...told, actor: CLI, connection: null, subject: null, data: {} })
    await it.backup()
    await it.trust().refreshed()
    await vi.waitFor(async () => expect(await compared()).toEqual([1]))
    await it.failOver()
    expect(await compared()).toEqual([null])
    await it.trust().refreshed()
    await vi.waitFor(async () => expect(await compared()).toEqual([1]))
  })

  test('after a promotion waits ten seconds for the nodes that may know more, and goes on by itself', async () => {
    const it = await labOf({ reuse: 'P4' })
    let timeline = 1
    const { lineages } = it.lab.store
    const promoting = {
      ...lineages,
      ...methodsOf(lineages),
      tick: async (...args: Parameters<Lineages['tick']>) => ({ ...(await lineages.tick(...args)), timeline }),
    }
    const trust = new DatabaseTrust({
      clock: it.lab.time.clock,
      entropy: systemEntropy,
      log: { info: () => {}, warn: () => {}, error: () => {} },
      lineages: promoting,
      marks: new MemoryHighWater(),
      journal: it.lab.journal,
      node: 'node-9',
      home: () => Promise.resolve(HOME),
      organization: it.lab.organization,
    })
    await trust.examine(() => Promise.resolve(NOTHING_ROLLED))
    const asked = async (ms: number) => {
      await it.lab.time.advance(ms)
      return trust.mayPresent(await it.lab.row(), { class: 'P4', windowMs: 0, neverProbe: false })
    }
    expect(await asked(0)).toBe(null)
    timeline = 2
    expect(await asked(1_000)).toMatchObject({ detail: expect.stringContaining('promoted') })
    expect(await asked(9_000)).not.toBe(null)
    expect(await asked(1_000)).toBe(null)
  })

  test('is told by the mark of a connection, even where the tick has not told yet', async () => {
    const it = await labOf({ reuse: 'P4' })
    await it.backup()
    await renew(it)
    await it.failOver()
    expect(await it.trust().mayPresent(await it.lab.row(), { class: 'P4', windowMs: 0, neverProbe: false })).toMatchObject({
      detail: expect.stringContaining('generation 1'),
    })
  })
})

describe('a copy of the database at another place', () => {
  const STAGING = { id: 'folder-2', name: 'evergrant.db', timeline: null }

  test('presents nothing, not even at P0, until an operator decides', async () => {
    for (const reuse of ['P0', 'P4'] as const) {
      const it = await labOf({ reuse })
      const engine = await it.restart('same', { marks: new MemoryHighWater(), home: STAGING, node: 'staging' })
      expect(await codeOf(renew(it, engine))).toBe('database_untrusted')
      expect(it.lab.provider.presented).toEqual([])
      expect(await codeOf(it.restore().confirm(it.lab.organization, CLI, 'restored'))).toBe('conflict')
    }
  })

  test('confirmed as a clone ends every inherited grant here, and what is connected here lives', async () => {
    const it = await labOf({ reuse: 'P4' })
    const engine = await it.restart('same', { marks: new MemoryHighWater(), home: STAGING, node: 'staging' })
    const before = it.trust().known().instance
    expect(await it.restore().confirm(it.lab.organization, CLI, 'clone')).toMatchObject({ ended: 1 })
    expect(it.trust().known()).toMatchObject({ trusted: 'trusted', home: STAGING, era: 2 })
    expect(it.trust().known().instance).not.toBe(before)
    expect(await codeOf(renew(it, engine))).toBe('grant_kept_elsewhere')
    expect(it.lab.provider.presented).toEqual([])
    await it.restart('same')
    expect(it.trust().known()).toMatchObject({ trusted: 'trusted', reason: null })
  })

  test('confirmed as the original goes on where it was', async () => {
    const it = await labOf({ reuse: 'P4' })
    const engine = await it.restart('same', { marks: new MemoryHighWater(), home: STAGING, node: 'new-machine' })
    expect(await it.restore().confirm(it.lab.organization, CLI, 'original')).toMatchObject({ ended: 0 })
    expect(await renew(it, engine)).toMatchObject({ generation: 2 })
  })

  test('is decided only by the default organization', async () => {
    const it = await labOf({ reuse: 'P4' })
    expect(await codeOf(it.restore().confirm('org_other', CLI, 'original'))).toBe('forbidden')
  })
})

function request(it: RestoreLab) {
  return { organization: it.lab.organization, connection: it.lab.connection, minTtlMs: 0, rejectedGeneration: null }
}

/** The lab's store is a stand-in whose methods are made when they are asked for. */
function methodsOf(lineages: Lineages): Lineages {
  const { whereabouts, open, tick, firstTick, distrust, move, generationsOf, report, reportAgain, rolling, reported, nodes, endBehind, endInherited, confirm } =
    lineages
  return { whereabouts, open, tick, firstTick, distrust, move, generationsOf, report, reportAgain, rolling, reported, nodes, endBehind, endInherited, confirm }
}
