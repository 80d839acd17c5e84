import pg from 'pg'
import type { NodeIdentity } from '../../core/refresh/credentials.ts'
import { type Instant, SECOND } from '../../core/time.ts'
import type { StoreOptions } from '../contract.ts'
import { BEAT } from '../sql/nodes.ts'
import { numberParameters } from './postgres-dialect.ts'
import { readable, unavailable } from './postgres-faults.ts'

const RECONNECT_MS = 250
const RECONNECT_CAP_MS = SECOND
/** A heartbeat without an answer for this long: the connection is given up, well before the server gives up on us. */
const PATIENCE_MS = 5 * SECOND

/** The lock of one node id (an SQL expression): any number, as long as everybody makes the same of an id. */
const lockKey = (id: string): string => `hashtextextended('evergrant node ' || ${id}, 0)`

/** True where a session of this database holds the lock of a node id; not where somebody only looks whether it is free. */
export const lockHeld = (id: string): string => `exists (
  select 1 from pg_locks l where l.locktype = 'advisory' and l.granted and l.mode = 'ExclusiveLock' and l.objsubid = 1
    and l.database = (select d.oid from pg_database d where d.datname = current_database())
    and (l.classid::bigint << 32 | l.objid::bigint) = ${lockKey(id)})`

/** Shared, so that two who look at once do not take each other for the holder; free until the transaction ends. */
export const LOCK_IS_FREE = `select pg_try_advisory_xact_lock_shared(${lockKey('?::text')}) as free`

const TAKE = `select pg_try_advisory_lock(${lockKey('$1::text')}) as taken`
/** Whether this very session still holds it: a pooler between us and the server may have given our statement to another. */
const STILL_MINE = `exists (
  select 1 from pg_locks l where l.locktype = 'advisory' and l.granted and l.mode = 'ExclusiveLock' and l.objsubid = 1 and l.pid = pg_backend_pid()
    and (l.classid::bigint << 32 | l.objid::bigint) = ${lockKey('node.id')})`
const BEAT_AND_LOOK = `${numberParameters(BEAT)} returning heartbeat_at, ${STILL_MINE} as mine`

/**
 * The proof that this process lives: a session-level advisory lock on a connection of its own. When the process dies, the
 * kernel closes the socket and the server frees the lock; a paused process keeps it. A machine that is gone without a
 * word is noticed by the server's own keepalives after half a minute.
 */
export class NodeLock {
  readonly #node: NodeIdentity
  readonly #config: pg.ClientConfig
  readonly #options: StoreOptions
  #client: pg.Client | null = null
  #held = false
  #losses = 0
  #cancel: () => void = () => {}
  #failures = 0
  #closed = false
  /** Settles when the connection is free: it takes one statement at a time, and a drain comes whenever it likes. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(node: NodeIdentity, config: pg.ClientConfig, options: StoreOptions) {
    this.#node = node
    this.#config = lockConfig(config)
    this.#options = options
  }

  get losses(): number {
    return this.#losses
  }

  get held(): boolean {
    return this.#held
  }

  /** Connects if it must and tries the lock once. False: another session has it. @throws Fault */
  async take(): Promise<boolean> {
    try {
      this.#client ??= await this.#connect()
      const { rows } = await this.#client.query(TAKE, [this.#node.id])
      this.#held = rows[0]?.taken === true && this.#client !== null
      if (this.#held) this.#failures = 0
      return this.#held
    } catch (error) {
      await this.#drop()
      throw readable(error)
    }
  }

  /** Null: the row is gone. @throws Fault while the lock is lost */
  beat(draining: boolean): Promise<Instant | null> {
    const beaten = this.#turn.then(() => this.#beat(draining))
    this.#turn = beaten.catch(() => {})
    return beaten
  }

  async #beat(draining: boolean): Promise<Instant | null> {
    const client = this.#client
    if (client === null || !this.#held) throw unavailable(new Error('the connection that proves this node alive is lost'))
    try {
      const beaten = await client.query(BEAT_AND_LOOK, [draining ? 1 : 0, this.#node.id, this.#node.incarnation])
      const row = beaten.rows[0]
      if (row === undefined) return null
      if (row.mine !== true) {
        this.#options.log?.warn({}, 'the liveness lock is not on its own session: EVERGRANT_DATABASE_URL must not go through a pooler in transaction mode')
        throw new Error('the liveness lock was lost with its session')
      }
      return Number(row.heartbeat_at)
    } catch (error) {
      this.#lost(client)
      throw readable(error)
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#drop()
  }

  async #connect(): Promise<pg.Client> {
    const client = new pg.Client(this.#config)
    client.on('error', () => this.#lost(client))
    client.on('end', () => this.#lost(client))
    try {
      await client.connect()
      return client
    } catch (error) {
      await client.end().catch(() => {})
      throw error
    }
  }

  async #drop(): Promise<void> {
    if (this.#held) this.#losses += 1
    this.#held = false
    this.#cancel()
    const client = this.#client
    this.#client = null
    await client?.end().catch(() => {})
  }

  /** Before the lock was ever held, whoever waits for it sees the error. After that it is taken again by itself. */
  #lost(client: pg.Client): void {
    if (this.#client !== client) return
    const was = this.#held
    void this.#drop()
    if (this.#closed || !was) return
    this.#options.log?.warn({ node: this.#node.id }, 'the liveness lock is lost; no refresh is started until it is taken again')
    this.#again()
  }

  #again(): void {
    if (this.#closed) return
    const ms = Math.min(RECONNECT_CAP_MS, RECONNECT_MS * 2 ** Math.min(this.#failures, 10))
    this.#failures += 1
    this.#cancel = this.#options.timers.after(ms, () => void this.#retake())
  }

  async #retake(): Promise<void> {
    const taken = await this.take().catch(() => null)
    if (this.#closed) return this.close()
    if (taken === true) return this.#options.log?.warn({ node: this.#node.id }, 'the liveness lock is taken again')
    if (taken === false) {
      const remedy = 'another process has the liveness lock of this node: give each its own EVERGRANT_NODE_ID, or stop one of them'
      this.#options.log?.warn({ node: this.#node.id }, remedy)
    }
    this.#again()
  }
}

/** How the lock's own connection differs from the others. */
export function lockConfig(config: pg.ClientConfig): pg.ClientConfig {
  // A heartbeat is worth nothing after a crash of the database: it need not wait for the disk.
  // Keepalives wait while an answer to us is not confirmed, and TCP repeats that for a quarter of an hour: the user timeout ends both.
  const silence = ['tcp_keepalives_idle=15', 'tcp_keepalives_interval=5', 'tcp_keepalives_count=3', 'tcp_user_timeout=30000']
  const settings = [...silence, 'idle_session_timeout=0', 'synchronous_commit=off']
  const options = [config.options ?? '', ...settings.map((setting) => `-c ${setting}`)].join(' ')
  return { ...config, options, keepAlive: true, keepAliveInitialDelayMillis: 10 * SECOND, query_timeout: PATIENCE_MS }
}
