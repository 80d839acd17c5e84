import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { openKeyring } from './compose-keys.ts'
import { storedId } from './compose-stored-id.ts'
import { openMarks } from './compose-trust.ts'
import type { Config } from './config.ts'
import { Fault } from './core/fault/fault.ts'
import type { Log } from './core/log.ts'
import { AddressWatch } from './core/operate/address-watch.ts'
import { KeyringWatch } from './core/operate/keyring-watch.ts'
import type { NodeIdentity } from './core/refresh/credentials.ts'
import type { HighWater } from './core/refresh/high-water.ts'
import { type Journal, NO_JOURNAL } from './core/refresh/journal.ts'
import { ALONE, type Liveness } from './core/refresh/liveness.ts'
import { type NodeWatch, watchNode } from './core/refresh/node-watch.ts'
import type { Membership, NodeAbout } from './core/refresh/nodes.ts'
import type { Seal } from './core/seal/seal.ts'
import type { Clock } from './core/time.ts'
import { databaseFile } from './database-file.ts'
import { openFileJournal } from './journal/file-journal.ts'
import { keyFile } from './seal/key-file.ts'
import type { LiveKeyring } from './seal/live-keyring.ts'
import { openSeal, rootKeyId, SEAL_ROOT } from './seal/open-seal.ts'
import type { Store } from './store/index.ts'
import { openThreadedSqliteStore } from './store/sqlite/threaded-store.ts'
import { systemClock, systemEntropy, systemTimers } from './system.ts'

/** A machine that vanished is noticed by PostgreSQL after 30 s (15 s of silence, then three probes of 5 s): its lock is free then. */
const JOIN_PATIENCE_MS = 35_000

/** What a node owns before it serves anything: its database, its keys, its journal and its name. */
export interface NodeParts {
  readonly store: Store
  readonly seal: Seal
  readonly keyring: LiveKeyring
  /** Which keys this node has, told to the others; chooses the one that seals. */
  readonly keyringWatch: KeyringWatch
  /** Hears which public URLs the others have. */
  readonly addressWatch: AddressWatch
  readonly journal: Journal
  readonly marks: HighWater
  readonly identity: NodeIdentity
  readonly membership: Membership
  /** The clock that stored instants are on: the database's where there is one, else the machine's. */
  readonly clock: Clock
  readonly liveness: Liveness
  /** Null on the embedded database: one process, one machine, one clock. */
  readonly watch: NodeWatch | null
  /** Resolves when this process can no longer trust its database and must end. */
  readonly lost: Promise<Error>
}

/**
 * Opens the parts in the order that protects grants: the database, then the keys (a wrong key stops here, before
 * anything is written), then the journal.
 * @throws Fault when the database is taken, outdated or away, or the keyring is not this database's
 */
export async function openNode(config: Config, log: Log, kind: NodeAbout['kind'] = 'server'): Promise<NodeParts> {
  makeDataDir(config)
  let lose: (error: Error) => void = () => {}
  const lost = new Promise<Error>((resolve) => {
    lose = resolve
  })
  const store = await openStore(config, log, (error) => {
    log.error({ error: error.message }, 'the database is lost to this process; it must be started again')
    lose(error)
  })
  try {
    await refuseLostKeyFile(config, store)
    const keyring = await openKeyring(config, await rootKeyId(store.meta))
    const seal = await openSeal(store.meta, keyring, systemEntropy)
    const identity = nodeIdentity(config)
    // Before the journal is opened: two processes of one name would write one file.
    const membership = await store.nodes.join(identity, JOIN_PATIENCE_MS)
    const life = config.databaseUrl === null ? aloneLife : await sharedLife(membership, log)
    let written: Journal = NO_JOURNAL
    const about = { kind, publicUrl: config.publicUrl }
    const keyringWatch = new KeyringWatch({ nodes: store.nodes, node: identity, about, ring: keyring, journal: () => written.sealedWith?.() ?? {}, log })
    const addressWatch = new AddressWatch({ node: identity, about, log })
    addressWatch.look(await keyringWatch.join())
    const journal = await openJournal(config, identity, seal, life.clock, log)
    written = journal
    const marks = await openMarks(config, identity, log)
    return { store, seal, keyring, keyringWatch, addressWatch, journal, marks, identity, membership, lost, ...life }
  } catch (error) {
    await store.close()
    throw error
  }
}

type Life = Pick<NodeParts, 'clock' | 'liveness' | 'watch'>

const aloneLife: Life = { clock: systemClock, liveness: ALONE, watch: null }

/** The first heartbeat brings the database's time, before anything is compared with a stored instant. */
async function sharedLife(membership: Membership, log: Log): Promise<Life> {
  const { clock, watch } = watchNode(membership, systemClock, log)
  await watch.beat(false)
  return { clock, liveness: watch, watch }
}

/** The data folder, for this user alone. @throws Fault `invalid_request` when the path cannot be one */
export function makeDataDir({ dataDir }: Pick<Config, 'dataDir'>): void {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    const detail = `EVERGRANT_DATA_DIR is ${dataDir}, which cannot be made or used as a folder (${code}): name a folder that this user may write`
    throw new Fault('invalid_request', { field: 'EVERGRANT_DATA_DIR', detail, cause: error })
  }
}

/** A key file that is gone is never replaced by a new one: the old key would still be needed, and the remedy is to bring it back. */
async function refuseLostKeyFile(config: Config, store: Store): Promise<void> {
  const path = keyFile(config.dataDir)
  if (config.masterKeys !== null || existsSync(path) || (await store.meta.get(SEAL_ROOT)) === undefined) return
  throw new Fault('seal_key_missing', {
    field: 'EVERGRANT_MASTER_KEYS',
    detail: `This database holds sealed values, but ${path} is gone. Restore it from a backup, or set EVERGRANT_MASTER_KEYS, and start again. Nothing was changed; no connection is lost.`,
  })
}

/** Built or not, the thread runs what this module runs. */
const SQLITE_THREAD = new URL(import.meta.url.endsWith('.ts') ? './compose-sqlite-thread.ts' : './compose-sqlite-thread.js', import.meta.url)

/** Of two databases one is used: the statements of the embedded one are read by its thread alone, those of PostgreSQL and its driver when it is named. */
async function openStore(config: Config, log: Log, lost: (error: Error) => void): Promise<Store> {
  if (config.databaseUrl === null) return await openThreadedSqliteStore(databaseFile(config), { migrate: true, log, entry: SQLITE_THREAD, died: lost })
  const { openPostgresStore } = await import('./store/postgres/postgres-store.ts')
  return await openPostgresStore(config.databaseUrl.reveal(), {
    clock: systemClock,
    timers: systemTimers,
    migrate: true,
    log,
    connections: config.databaseConnections,
  })
}

/** One folder a node: two nodes that share a data folder must not share a file. */
async function openJournal(config: Config, identity: NodeIdentity, seal: Seal, clock: Clock, log: Log): Promise<Journal> {
  if (!config.journal) return NO_JOURNAL
  const journal = await openFileJournal(join(config.dataDir, 'journal', identity.id), seal, clock)
  const { damaged, unopened } = journal.found()
  if (damaged + unopened > 0) log.error({ damaged, unopened }, 'the journal has records that cannot be read: a disk fault, or a key that is missing')
  return journal
}

/** The id survives restarts, so that a node knows its own older leases; the incarnation does not. */
function nodeIdentity(config: Config): NodeIdentity {
  return { id: config.nodeId ?? storedId(config.dataDir, 'node-id'), incarnation: systemEntropy.uuid() }
}
