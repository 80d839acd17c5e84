import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { OrganizationId } from '../core/ids.ts'
import { DatabaseTrust } from '../core/refresh/database-trust.ts'
import type { Engine } from '../core/refresh/engine.ts'
import type { DatabaseHome, Lineages } from '../core/refresh/lineage.ts'
import { MemoryHighWater } from '../core/refresh/memory-high-water.ts'
import { RestoreService } from '../core/refresh/restore-service.ts'
import { openSqliteStore, type Store } from '../store/index.ts'
import { systemEntropy } from '../system.ts'
import { createEngineLab, type EngineLab, type LabOptions } from './engine-lab.ts'
import type { ManualTime } from './manual-time.ts'

/** An engine whose database can be taken back to an earlier moment, under its feet or between two starts. */
export interface RestoreLab {
  readonly lab: EngineLab
  readonly marks: MemoryHighWater
  /** The node as it runs now. */
  readonly engine: () => Engine
  readonly trust: () => DatabaseTrust
  /** Of the lab's organization, or of another one. */
  readonly restore: (organization?: OrganizationId) => RestoreService
  readonly lineages: () => Lineages
  readonly store: () => Store
  /** Copies the database as it is. */
  backup(): Promise<void>
  /** Takes the database back to the copy while the engine runs, as a failover to a late replica does. */
  failOver(): Promise<void>
  /** Stops, and starts again on the copy (or on the database as it is): its marks and its journal stay. */
  restart(from: 'copy' | 'same', change?: { readonly marks?: MemoryHighWater; readonly home?: DatabaseHome; readonly node?: string }): Promise<Engine>
  close(): Promise<void>
}

export const HOME: DatabaseHome = { id: 'folder-1', name: 'evergrant.db', timeline: null }
const quiet = { info: () => {}, warn: () => {}, error: () => {} }

export async function createRestoreLab(options: LabOptions = {}): Promise<RestoreLab> {
  const folder = mkdtempSync(join(tmpdir(), 'restore-lab-'))
  let sequence = 0
  let store: Store
  let path = join(folder, 'db-0')
  let marks = new MemoryHighWater()
  let home = HOME
  let node = 'node-1'
  const open = (time: ManualTime) => openSqliteStore(path, { clock: time.clock, timers: time.timers, migrate: true })
  const lab = await createEngineLab({
    ...options,
    store: async (time) => {
      store = await open(time)
      return standIn(() => store)
    },
  })
  const copy = async () => {
    await store.close()
    copyFileSync(path, `${path}.copy`)
    store = await open(lab.time)
  }
  const takeBack = async () => {
    await store.close()
    const backup = `${path}.copy`
    path = join(folder, `db-${++sequence}`)
    copyFileSync(backup, path)
    copyFileSync(backup, `${path}.copy`)
    store = await open(lab.time)
  }
  let trust: DatabaseTrust
  let engine: Engine
  const start = async (): Promise<Engine> => {
    trust = new DatabaseTrust({
      clock: lab.time.clock,
      entropy: systemEntropy,
      log: quiet,
      lineages: lab.store.lineages,
      marks,
      journal: lab.journal,
      node,
      home: () => Promise.resolve(home),
      organization: lab.organization,
    })
    engine = lab.another({ trust, node: { id: node, incarnation: systemEntropy.uuid() } })
    await engine.recover()
    return engine
  }
  engine = await start()
  return {
    lab,
    marks,
    engine: () => engine,
    trust: () => trust,
    restore: (organization = lab.organization) =>
      new RestoreService({
        clock: lab.time.clock,
        entropy: systemEntropy,
        lineages: lab.store.lineages,
        nodes: { list: () => Promise.resolve([]) },
        trust,
        home: () => Promise.resolve(home),
        organization,
      }),
    lineages: () => lab.store.lineages,
    store: () => store,
    backup: copy,
    failOver: takeBack,
    restart: async (from, change = {}) => {
      await engine.drain(1_000)
      if (from === 'copy') await takeBack()
      marks = change.marks ?? marks
      home = change.home ?? home
      node = change.node ?? node
      return start()
    },
    close: async () => {
      await store.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** One store object whose database can be exchanged behind it. */
function standIn(current: () => Store): Store {
  const part = (name: keyof Store) =>
    new Proxy(
      {},
      {
        get:
          (_target, method) =>
          (...args: unknown[]) =>
            (current()[name] as unknown as Record<string | symbol, (...args: unknown[]) => unknown>)[method]?.(...args),
      },
    )
  return new Proxy({} as Store, { get: (_target, name) => (name === 'then' ? undefined : part(name as keyof Store)) })
}
