import { afterEach, expect, test, vi } from 'vitest'
import { systemEntropy } from '../../system.ts'
import { createRestoreLab, HOME, type RestoreLab } from '../../testing/restore-lab.ts'
import { newId } from '../ids.ts'
import type { Reuse } from '../provider/reuse.ts'
import { HOUR } from '../time.ts'
import { DatabaseTrust } from './database-trust.ts'
import { NOTHING_ROLLED } from './high-water.ts'
import type { Lineages } from './lineage.ts'
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

const STRICT: Reuse = { class: 'P4', windowMs: 0, neverProbe: false }
const CLI = { kind: 'cli', id: null } as const

/** A node of its own on the lab's database, whose lineages answer as `change` says. */
function trustOf(it: RestoreLab, change: (lineages: Lineages) => Partial<Lineages>): DatabaseTrust {
  const { lineages } = it.lab.store
  return new DatabaseTrust({
    clock: it.lab.time.clock,
    entropy: systemEntropy,
    log: { info: () => {}, warn: () => {}, error: () => {} },
    lineages: new Proxy(lineages, { get: (target, name) => Reflect.get(change(target), name) ?? Reflect.get(target, name) }),
    marks: new MemoryHighWater(),
    journal: it.lab.journal,
    node: 'node-9',
    home: () => Promise.resolve(HOME),
    organization: it.lab.organization,
  })
}

const NOTHING_TO_ROLL = () => Promise.resolve(NOTHING_ROLLED)

/** Its owner grants again through this node, which marks the new generation. */
async function reconnect(it: RestoreLab): Promise<void> {
  const { organization, connection, store } = it.lab
  const { credential } = await it.lab.row()
  const fresh = { ...credential, fingerprint: 'fresh' }
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
  const facts = {
    account: 'ada',
    accountLabel: null,
    scopes: null,
    variables: {},
    facts: {},
    consentedAt: 5,
    dueAt: null,
    end: { at: null, warnAt: null },
    event,
  }
  await store.connections.replaceGrant({ organization, connection, expectedGeneration: credential.generation, credential: fresh, ...facts })
  it.trust().stored({ connection, generation: credential.generation + 1, fingerprint: 'fresh' }, STRICT)
}

test('a row that was read before a reconnect through this node doubts no database', async () => {
  let connecting = () => {}
  const opened = new Promise<void>((resolve) => {
    connecting = resolve
  })
  let goOn = () => {}
  const gate = new Promise<void>((resolve) => {
    goOn = resolve
  })
  const it = await labOf({
    reuse: 'P4',
    ports: ({ endpoint }) => ({
      endpoint: {
        open: async (...args) => {
          connecting()
          await gate
          return endpoint.open(...args)
        },
      },
    }),
  })
  await it.lab.time.advance(HOUR)
  const refreshing = it.engine().refresh(it.lab.organization, it.lab.connection)
  await opened
  await reconnect(it)
  goOn()
  expect(await refreshing).toMatchObject({ generation: 2 })
  expect(it.trust().doubt()).toBe(null)
  expect(it.lab.provider.presented).toEqual([])
})

test('an answer of a history that was given up is set aside at the next start, and the database stays trusted', async () => {
  const it = await labOf({ reuse: 'P4' })
  await it.backup()
  for (let round = 0; round < 2; round += 1) {
    await it.lab.time.advance(HOUR)
    await it.engine().refresh(it.lab.organization, it.lab.connection)
  }
  const [, second] = it.lab.journal.records
  it.lab.journal.records.splice(0, 1)
  it.lab.journal.settled.delete(second?.intent ?? '')
  await it.restart('copy')
  expect((await it.lab.row()).credential.generation).toBe(1)
  await it.lab.time.advance(HOUR)
  await it.restore().confirm(it.lab.organization, CLI, 'restored')
  await it.restart('same')
  expect(it.lab.journal.settled).toContain(second?.intent)
  expect(it.trust().doubt()).toBe(null)
})

test('a confirmation that a node cannot take note of at once does not end the trust again', async () => {
  const it = await labOf({ reuse: 'P4' })
  let away = false
  const trust = trustOf(it, (lineages) => ({
    firstTick: (node) => (away ? Promise.reject(new Error('the database is away')) : lineages.firstTick(node)),
  }))
  await trust.examine(NOTHING_TO_ROLL)
  const event = { id: newId('evt', systemEntropy), organization: it.lab.organization, at: 0, actor: CLI, connection: null, subject: null, data: {} }
  await it.lineages().distrust('restored', 'another node said so', { ...event, type: 'database.restored' })
  await trust.refreshed()
  await it.lineages().confirm(HOME, null, { ...event, id: newId('evt', systemEntropy), type: 'database.confirmed' })
  away = true
  await expect(trust.refreshed()).rejects.toThrow('away')
  away = false
  await trust.refreshed()
  expect(trust.doubt()).toBe(null)
  await vi.waitFor(async () => expect((await it.lineages().open({ instance: 'x', home: null })).trusted).toBe('trusted'))
})
