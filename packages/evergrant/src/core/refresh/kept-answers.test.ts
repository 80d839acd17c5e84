import { expect, test } from 'vitest'
import { createEngineLab, type EngineLab, type LabOptions } from '../../testing/engine-lab.ts'
import { settle } from '../../testing/settle.ts'
import { Fault } from '../fault/fault.ts'
import type { ProviderDirectory } from '../provider/context.ts'
import type { Engine } from './engine.ts'
import type { EnginePorts } from './engine-ports.ts'
import type { Journal } from './journal.ts'

const HOUR = 3_600_000
const MINUTE = 60_000

/** The process ended with the answer in its journal, and nowhere else. */
async function afterTheCrash(options: LabOptions = {}): Promise<EngineLab> {
  const lab = await createEngineLab({
    reuse: 'P4',
    ...options,
    ports: (ports) => ({ credentials: { ...ports.credentials, commitGrant: () => new Promise<never>(() => {}) } }),
  })
  await lab.time.advance(HOUR)
  lab.read().catch(() => {})
  await settle(lab, Promise.resolve())
  expect([lab.provider.presented, (await lab.journal.pending()).length]).toEqual([['rt-1'], 1])
  return lab
}

const restarted = (lab: EngineLab, change: Partial<EnginePorts>): Engine =>
  lab.another({ node: { id: 'node-1', incarnation: 'second' }, credentials: lab.store.credentials, ...change })

const read = (lab: EngineLab, engine: Engine) =>
  settle(lab, engine.token({ organization: lab.organization, connection: lab.connection, minTtlMs: 0, rejectedGeneration: null }))

const codeOf = (reading: Promise<unknown>): Promise<string> =>
  reading.then(
    () => 'read',
    (fault: Fault) => fault.code,
  )

/** An answer is read with the provider's endpoints, which may have to be discovered. */
function directoryThatIsAway(lab: EngineLab): { readonly directory: ProviderDirectory; readonly comeBack: () => void } {
  let away = true
  const { directory } = lab
  const resolve: ProviderDirectory['resolve'] = (record, variables) =>
    away ? Promise.reject(new Fault('provider_unavailable', { detail: 'Discovery failed' })) : directory.resolve(record, variables)
  return {
    directory: { ...directory, resolve },
    comeBack: () => {
      away = false
    },
  }
}

/** A journal whose answers are sealed with a key that comes back later. */
function journalThatIsLocked({ journal }: EngineLab): { readonly journal: Journal; readonly unlock: () => void } {
  let locked = true
  const open: Journal = {
    append: (record) => journal.append(record),
    settle: (intent) => journal.settle(intent),
    answers: () => journal.answers(),
    healthy: () => true,
    close: () => journal.close(),
    pending: () => (locked ? Promise.resolve([]) : journal.pending()),
    unopened: () => new Set(locked ? journal.records.map(({ intent }) => intent) : []),
  }
  return {
    journal: open,
    unlock: () => {
      locked = false
    },
  }
}

test('an answer that could not be read at the start, because a discovery document was away, is stored within a minute of its return', async () => {
  const lab = await afterTheCrash()
  const { directory, comeBack } = directoryThatIsAway(lab)
  const engine = restarted(lab, { directory })
  expect(await engine.recover()).toMatchObject({ replayed: 0, reclaimed: 1 })
  expect((await lab.row()).credential.suspicion).not.toBeNull()
  await settle(lab, engine.freeForgotten())
  expect((await lab.row()).credential.generation).toBe(1)
  comeBack()
  await settle(lab, engine.freeForgotten())
  expect((await lab.row()).credential).toMatchObject({ generation: 2, suspicion: null })
  expect((await read(lab, engine)).accessToken).toBe('at-2')
  expect([lab.provider.presented, (await lab.journal.pending()).length]).toEqual([['rt-1'], 0])
})

test.each(['P3', 'P4'] as const)(
  'at %s a token is not presented again while its answer lies in the journal: when the probe comes, the answer is stored instead',
  async (reuse) => {
    const lab = await afterTheCrash({ reuse })
    const { directory, comeBack } = directoryThatIsAway(lab)
    const engine = restarted(lab, { directory })
    await engine.recover()
    await lab.time.advance(5 * MINUTE)
    comeBack()
    expect((await read(lab, engine)).accessToken).toBe('at-2')
    expect(lab.provider.presented).toEqual(['rt-1'])
  },
)

test('while the answer in the journal cannot be stored its token is not presented, however often somebody asks or its time comes', async () => {
  const lab = await afterTheCrash()
  // What a token is presented with is there; what its answer is read with is not.
  let asked = 0
  const resolve: ProviderDirectory['resolve'] = (record, variables) => {
    asked += 1
    return asked <= 2 ? Promise.reject(new Error('a record that cannot read this answer')) : lab.directory.resolve(record, variables)
  }
  const engine = restarted(lab, { directory: { ...lab.directory, resolve } })
  await engine.recover()
  await lab.time.advance(5 * MINUTE)
  await engine.runDue()
  await settle(lab, Promise.resolve())
  expect([asked, lab.provider.presented]).toEqual([2, ['rt-1']])
  expect((await lab.row()).credential.generation).toBe(1)
  expect((await read(lab, engine)).accessToken).toBe('at-2')
  expect(lab.provider.presented).toEqual(['rt-1'])
})

test('an answer that is sealed with a missing key keeps its token from being presented, says so, and is stored when the key is back', async () => {
  const lab = await afterTheCrash()
  const { journal, unlock } = journalThatIsLocked(lab)
  const engine = restarted(lab, { journal })
  expect(await engine.recover()).toMatchObject({ replayed: 0, reclaimed: 1 })
  await lab.time.advance(5 * MINUTE)
  await engine.runDue()
  expect(await codeOf(read(lab, engine))).toBe('seal_key_missing')
  expect(lab.provider.presented).toEqual(['rt-1'])
  unlock()
  await settle(lab, engine.freeForgotten())
  expect((await read(lab, engine)).accessToken).toBe('at-2')
  expect(lab.provider.presented).toEqual(['rt-1'])
})

test('inside its window a P1 token is presented again all the same: the provider tells the successor once more', async () => {
  const lab = await afterTheCrash({ reuse: 'P1' })
  const engine = restarted(lab, { journal: journalThatIsLocked(lab).journal })
  await engine.recover()
  await lab.time.advance(1_000)
  expect((await read(lab, engine)).generation).toBe(2)
  expect(lab.provider.presented).toEqual(['rt-1', 'rt-1'])
})

test('an answer that the database refuses for good stays in the journal, and the node starts', async () => {
  const lab = await afterTheCrash()
  const refused = () => Promise.reject(Object.assign(new Error('PostgreSQL refused a statement: SQLSTATE 22021'), { code: '22021' }))
  const engine = restarted(lab, { credentials: { ...lab.store.credentials, commitGrant: refused } })
  expect(await engine.recover()).toMatchObject({ replayed: 0, reclaimed: 1 })
  expect((await lab.journal.pending()).length).toBe(1)
})

test('a database that is away at the start is waited for', async () => {
  const lab = await afterTheCrash()
  const away = () => Promise.reject(new Fault('store_unavailable'))
  const engine = restarted(lab, { credentials: { ...lab.store.credentials, commitGrant: away } })
  await expect(engine.recover()).rejects.toMatchObject({ code: 'store_unavailable' })
  expect((await lab.row()).credential.suspicion).toBeNull()
})
