import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { freshDatabase } from '../../../../../tests/fresh-database.ts'
import type { ConnectionId } from '../../core/ids.ts'
import type { Membership } from '../../core/refresh/nodes.ts'
import { systemClock, systemEntropy, systemTimers } from '../../system.ts'
import { TestOrganization } from '../conformance/test-organization.ts'
import type { Store } from '../contract.ts'
import { lockConfig } from './node-lock.ts'
import { connectionConfig } from './postgres-connection.ts'
import { openPostgresStore } from './postgres-store.ts'

const { database, skip } = await freshDatabase()
const url = database?.url ?? ''
const warnings: string[] = []
const options = { clock: systemClock, timers: systemTimers, migrate: true, log: { warn: (_fields: object, message: string) => warnings.push(message) } }
const NODE_ID = { field: 'EVERGRANT_NODE_ID' }

describe.skipIf(database === null)(`nodes on PostgreSQL${skip ?? ''}`, () => {
  let store: Store
  let org: TestOrganization
  const children: ChildProcess[] = []

  beforeAll(async () => {
    store = await openPostgresStore(url, options)
    org = await TestOrganization.open(store, { entropy: systemEntropy, duePlan: () => Promise.reject(new Error('not here')) })
  })
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL')
  })
  afterAll(async () => {
    await store.close()
    await database?.drop()
  })

  const aliveOf = async (id: string) => (await store.nodes.list()).find((report) => report.id === id)?.alive
  const startNode = async (id: string, connection?: ConnectionId) => {
    const child = nodeProcess(id, connection)
    children.push(child)
    await once(child.stdout as NodeJS.ReadableStream, 'data')
    return child
  }

  test('a node that is killed frees its lock at once; a paused one keeps it, and its leases', async () => {
    const connection = await org.connect()
    const child = await startNode('doomed', connection)
    const { epoch, intent } = (await org.row(connection)).credential
    expect(await aliveOf('doomed')).toBe(true)
    child.kill('SIGSTOP')
    expect(await aliveOf('doomed')).toBe(true)
    expect(await store.nodes.takeOver(connection, 'doomed', epoch)).toBe(false)
    child.kill('SIGKILL')
    await vi.waitFor(async () => expect(await aliveOf('doomed')).toBe(false))
    expect(await store.nodes.leasesOf('doomed', null, 10)).toEqual([connection])
    expect(await store.nodes.takeOver(connection, 'doomed', epoch)).toBe(true)
    const { credential, health } = await org.row(connection)
    expect(credential).toMatchObject({ lease: null, intent: null, suspicion: { intent: intent?.id, at: intent?.at, answered: false } })
    expect(health.dueAt).toBeLessThanOrEqual(Date.now() + 1_000)
  })

  test('two survivors who look at the same lost node free a lease once', async () => {
    const connection = await org.connect()
    const child = await startNode('shared', connection)
    child.kill('SIGKILL')
    await vi.waitFor(async () => expect(await aliveOf('shared')).toBe(false))
    const other = await openPostgresStore(url, options)
    const { epoch } = (await org.row(connection)).credential
    const freed = await Promise.all([store, other, store, other].map(({ nodes }) => nodes.takeOver(connection, 'shared', epoch)))
    expect(freed.filter(Boolean)).toHaveLength(1)
    await other.close()
  })

  test('a second live process of the same id is refused as soon as the first one’s heart beats, naming the key and the remedy', async () => {
    const first = await store.nodes.join({ id: 'twin', incarnation: 'a' }, 0)
    const beating = beatUntil(first)
    const other = await openPostgresStore(url, options)
    await expect(other.nodes.join({ id: 'twin', incarnation: 'b' }, 60_000)).rejects.toMatchObject({
      code: 'invalid_request',
      details: NODE_ID,
      message: expect.stringMatching(/another process with this id is running. Give every node an EVERGRANT_NODE_ID of its own/),
    })
    await beating.stop()
    expect(first.held()).toBe(true)
    await other.close()
    await first.leave()
  })

  test('a silent holder is waited for, for a stated time', async () => {
    const first = await store.nodes.join({ id: 'silent', incarnation: 'a' }, 0)
    const other = await openPostgresStore(url, options)
    await expect(other.nodes.join({ id: 'silent', incarnation: 'b' }, 600)).rejects.toMatchObject({
      details: NODE_ID,
      message: expect.stringMatching(/perhaps paused, still has its lock after 1 s/),
    })
    const waiting = other.nodes.join({ id: 'silent', incarnation: 'b' }, 30_000)
    await first.leave()
    const second = await waiting
    expect(second.held()).toBe(true)
    expect(first.held()).toBe(false)
    expect((await store.nodes.list()).find((report) => report.id === 'silent')).toMatchObject({ incarnation: 'b', alive: true })
    await other.close()
  })

  test('a node whose connection is cut knows it, may not beat, and takes its lock again by itself', async () => {
    const member = await store.nodes.join({ id: 'cut', incarnation: 'a' }, 0)
    await member.beat(false)
    const before = warnings.length
    await killHolder('cut')
    await vi.waitFor(() => expect(member.held()).toBe(false), { interval: 5 })
    await expect(member.beat(false)).rejects.toMatchObject({ code: 'store_unavailable' })
    await vi.waitFor(() => expect(member.held()).toBe(true))
    expect(await aliveOf('cut')).toBe(true)
    expect(warnings.slice(before)).toEqual([expect.stringMatching(/lock is lost/), expect.stringMatching(/taken again/)])
    await member.leave()
  })

  test('while another process has the lock of a node that was cut off, that node does not hold it', async () => {
    const member = await store.nodes.join({ id: 'usurped', incarnation: 'a' }, 0)
    const client = await admin()
    // Queued behind the holder, so that it has the lock in the instant in which the holder's session ends.
    const taken = client.query("select pg_advisory_lock(hashtextextended('evergrant node ' || 'usurped', 0))")
    await vi.waitFor(async () => expect((await asAdmin("select 1 from pg_locks where locktype = 'advisory' and not granted")).length).toBe(1))
    await killHolder('usurped')
    await taken
    await vi.waitFor(() => expect(warnings.at(-1)).toMatch(/another process has the liveness lock of this node/))
    expect(member.held()).toBe(false)
    await client.end()
    await vi.waitFor(() => expect(member.held()).toBe(true), { timeout: 10_000 })
    await member.leave()
  })

  test('the lock’s connection asks the server to look after a peer that vanished, and is never ended for being idle', async () => {
    const client = new pg.Client(lockConfig(connectionConfig(url, true)))
    await client.connect()
    const settings = [
      'tcp_keepalives_idle',
      'tcp_keepalives_interval',
      'tcp_keepalives_count',
      'tcp_user_timeout',
      'idle_session_timeout',
      'synchronous_commit',
    ]
    const found = await client.query(`select ${settings.map((name) => `current_setting('${name}') as ${name}`).join(', ')}`)
    await client.end()
    expect(settings.map((name) => found.rows[0][name])).toEqual(['15', '5', '3', '30000', '0', 'off'])
  })

  test('a heartbeat waits for the one before it: the connection takes one statement at a time', async () => {
    const warned: string[] = []
    const hear = ({ message }: Error): void => void warned.push(message)
    process.on('warning', hear)
    const member = await store.nodes.join({ id: 'twice', incarnation: 'a' }, 0)
    const beats = await Promise.all([member.beat(false), member.beat(false), member.beat(true)])
    await new Promise((resolve) => setImmediate(resolve))
    process.off('warning', hear)
    expect(beats.every((at) => at > 0)).toBe(true)
    expect(warned).toEqual([])
    await member.leave()
  })

  test('a node that leaves takes its row away', async () => {
    const member = await store.nodes.join({ id: 'leaving', incarnation: 'a' }, 0)
    await member.leave()
    expect(await asAdmin("select 1 from node where id = 'leaving'")).toEqual([])
  })

  test('the heartbeat is the database’s time, and a row that somebody removed comes back with it', async () => {
    const member = await store.nodes.join({ id: 'beating', incarnation: 'a' }, 0)
    await asAdmin("delete from node where id = 'beating'")
    const at = await member.beat(true)
    const [row] = await asAdmin("select heartbeat_at::text as at from node where id = 'beating'")
    expect(row).toEqual({ at: String(at) })
    const [{ now } = { now: 0 }] = await asAdmin('select now_ms()::text as now')
    expect(Math.abs(Number(now) - at)).toBeLessThan(5_000)
    await member.leave()
  })
})

/** A process of its own that joins, claims if it is told to, and then only lives. */
function nodeProcess(id: string, connection?: ConnectionId): ChildProcess {
  const claim =
    connection === undefined
      ? ''
      : `const outcome = await store.credentials.claim({ connection: '${connection}', generation: 1, epoch: 0, node, intent: 'itn_of_${id}', leaseMs: 600000 })
         if (outcome.kind !== 'claimed') throw new Error(outcome.kind)`
  const program = `
    import { systemClock, systemTimers } from '${new URL('../../system.ts', import.meta.url)}'
    import { openPostgresStore } from '${new URL('./postgres-store.ts', import.meta.url)}'
    const store = await openPostgresStore(${JSON.stringify(url)}, { clock: systemClock, timers: systemTimers })
    const node = { id: '${id}', incarnation: '1' }
    await store.nodes.join(node, 0)
    ${claim}
    process.stdout.write('joined')
    setInterval(() => {}, 1000)`
  return spawn(process.execPath, ['--input-type=module', '--eval', program], { stdio: ['ignore', 'pipe', 'inherit'] })
}

function beatUntil(member: Membership): { stop(): Promise<void> } {
  let stopped = false
  const running = (async () => {
    while (!stopped) {
      await member.beat(false)
      await systemTimers.sleep(50)
    }
  })()
  return {
    stop: () => {
      stopped = true
      return running
    },
  }
}

const killHolder = (id: string) =>
  asAdmin(`select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and granted
    and (classid::bigint << 32 | objid::bigint) = hashtextextended('evergrant node ' || '${id}', 0)`)

async function admin(): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  return client
}

async function asAdmin(sql: string): Promise<readonly Record<string, unknown>[]> {
  const client = await admin()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}
