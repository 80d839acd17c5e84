import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { freshDatabase } from '../../../../../tests/fresh-database.ts'
import type { OrganizationId } from '../../core/ids.ts'
import { systemClock, systemEntropy, systemTimers } from '../../system.ts'
import { TestOrganization } from '../conformance/test-organization.ts'
import { storeCases } from '../conformance.ts'
import type { Change, Store } from '../contract.ts'
import { MIGRATIONS } from '../migrations/index.ts'
import { dueQuery } from '../sql/due.ts'
import { numberParameters, POSTGRES } from './postgres-dialect.ts'
import { postgresMigrations } from './postgres-migrations.ts'
import { openPostgresStore } from './postgres-store.ts'

const { database, skip } = await freshDatabase()
const url = database?.url ?? ''
const VERSIONS = MIGRATIONS.map((migration) => migration.version)
const options = { clock: systemClock, timers: systemTimers, migrate: true }

describe.skipIf(database === null)(`the contract on PostgreSQL${skip ?? ''}`, () => {
  let store: Store

  beforeAll(async () => {
    store = await openPostgresStore(url, options)
  })
  afterAll(async () => {
    await store.close()
    await database?.drop()
  })

  for (const { name, run } of storeCases) test(name, () => run(store, { entropy: systemEntropy, duePlan }))

  test('another node hears of a change, and a node that lost its channel is told to forget everything', async () => {
    const other = await openPostgresStore(url, options)
    const heard: Change[] = []
    const trustedWhenTold: boolean[] = []
    other.changes.subscribe((change) => {
      heard.push(change)
      if (change.kind === 'unknown') trustedWhenTold.push(other.changes.fresh())
    })
    const org = await TestOrganization.open(store, { entropy: systemEntropy, duePlan })
    const connection = await org.connect()
    await store.credentials.commitGrant(org.grant(connection, await org.claimed(connection), 1))
    await vi.waitFor(() => expect(heard.filter((change) => change.kind === 'connection' && change.connection === connection).length).toBeGreaterThanOrEqual(2))
    await vi.waitFor(() => expect(other.changes.fresh()).toBe(true))
    await cutEveryConnection()
    await vi.waitFor(() => expect(heard).toContainEqual({ kind: 'unknown' }))
    expect(trustedWhenTold[0]).toBe(false)
    await vi.waitFor(() => expect(other.changes.fresh()).toBe(true))
    await other.close()
  })

  test('whom an organization asks for a second factor is heard by every node (S69)', async () => {
    const other = await openPostgresStore(url, options)
    const heard: Change[] = []
    other.changes.subscribe((change) => void heard.push(change))
    const org = await TestOrganization.open(store, { entropy: systemEntropy, duePlan })
    await store.organizations.requireSecondFactor(org.organization, ['admin'], org.event('organization.updated'))
    await vi.waitFor(() => expect(heard).toContainEqual({ kind: 'organization', organization: org.organization }))
    await other.close()
  })

  test('what one node learns of quotas reaches another as it was told, however many come together', async () => {
    const other = await openPostgresStore(url, options)
    const heard: Change[] = []
    other.changes.subscribe((change) => void heard.push(change))
    const { integration } = await TestOrganization.open(store, { entropy: systemEntropy, duePlan })
    const states = Array.from({ length: 50 }, (_, index) => ({
      integration: integration.id,
      connection: null,
      name: `window api/v1/${'long-name-'.repeat(5)}${index}`,
      limit: 2_000,
      remaining: index,
      resetsAt: 4_000_000_000_000,
      observedAt: 1_600_000_000_000,
    }))
    await store.quotas.put(states)
    await vi.waitFor(() => expect(heard.flatMap((change) => (change.kind === 'quota' ? [change.state] : []))).toEqual(expect.arrayContaining(states)))
    await other.close()
  })

  test('writes survive the loss of every connection, and are told as store_unavailable when they cannot', async () => {
    const org = await TestOrganization.open(store, { entropy: systemEntropy, duePlan })
    const connections = await Promise.all(Array.from({ length: 40 }, () => org.connect()))
    const refresh = async (connection: (typeof connections)[number]) => {
      const intent = await org.claimed(connection)
      return store.credentials.commitGrant(org.grant(connection, intent, 1))
    }
    const running = Promise.allSettled(connections.map(refresh))
    await cutEveryConnection()
    for (const result of await running) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'store_unavailable' })
      else expect(result.value).toMatchObject({ generation: 2 })
    }
    for (const connection of connections) {
      const { credential } = await org.row(connection)
      expect(Buffer.from(credential.refreshToken ?? []).toString()).toBe(`refresh ${credential.generation}`)
    }
  })

  test('a commit whose answer is lost is told to this node as well, at once and when the server tells it', async () => {
    // Of its own: nothing of an earlier test is in doubt at it.
    const own = await openPostgresStore(url, options)
    let heard: Change[] = []
    const deaf = own.changes.subscribe((change) => void heard.push(change))
    const org = await TestOrganization.open(store, { entropy: systemEntropy, duePlan })
    const connection = await org.connect()
    // Told in order: whoever heard of this heard of all before.
    await store.organizations.requireSecondFactor(org.organization, ['admin'], org.event('organization.updated'))
    await vi.waitFor(() => expect(heard).toContainEqual({ kind: 'organization', organization: org.organization }))
    heard = []
    const told = { kind: 'connection', connection }
    const query = pg.Client.prototype.query as (...args: unknown[]) => Promise<unknown>
    const lost = vi.spyOn(pg.Client.prototype, 'query').mockImplementation(function (this: pg.Client, ...args: unknown[]) {
      const answer = query.apply(this, args)
      if (args[0] !== 'commit') return answer
      answer.catch(() => {})
      return Promise.reject(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }))
    } as typeof pg.Client.prototype.query)
    const ended = { connection, at: 0, event: org.event('connection.disconnected', connection), revocation: null }
    await expect(own.connections.disconnect({ organization: org.organization, ...ended })).rejects.toMatchObject({ code: 'store_unavailable' })
    lost.mockRestore()
    expect(heard).toEqual([told])
    await vi.waitFor(async () => expect((await org.row(connection)).connection.state).toBe('disconnected'))
    await vi.waitFor(() => expect(heard).toEqual([told, told]))
    deaf()
    await own.close()
  })

  test('who looks at an empty database leaves it empty, so that a backup can be restored there', async () => {
    const offer = await freshDatabase()
    const path = offer.database?.url ?? ''
    expect((await postgresMigrations(path).status()).map(({ version, appliedAt }) => [version, appliedAt])).toEqual(VERSIONS.map((version) => [version, null]))
    const client = new pg.Client(path)
    await client.connect()
    expect((await client.query("select tablename from pg_tables where schemaname = 'public'")).rows).toEqual([])
    await client.end()
    await offer.database?.drop()
  })

  test('each migration can be taken back and applied again, though not under a running node, and several nodes may migrate at once', async () => {
    const offer = await freshDatabase()
    const path = offer.database?.url ?? ''
    await expect(openPostgresStore(path, { ...options, migrate: false })).rejects.toThrow(/run `evergrant migrate up`/)
    const migrations = postgresMigrations(path)
    const applied = await Promise.all([migrations.up(), migrations.up(), migrations.up()])
    expect(applied.flat()).toEqual(VERSIONS)
    const node = await openPostgresStore(path, options)
    await expect(migrations.rollback()).rejects.toThrow(/stop every node, then roll back/)
    await node.close()
    for (const version of VERSIONS.toReversed()) expect(await migrations.rollback()).toBe(version)
    expect(await migrations.rollback()).toBeNull()
    expect(await migrations.up()).toEqual(VERSIONS)
    expect((await migrations.status()).every((migration) => migration.appliedAt !== null)).toBe(true)
    await offer.database?.drop()
  })

  test('a column that a newer version adds stops no statement of a node that runs', async () => {
    const offer = await freshDatabase()
    const path = offer.database?.url ?? ''
    const node = await openPostgresStore(path, options)
    const read = () => node.observed.history('org_none' as OrganizationId, 0, 1)
    const often = () => Promise.all(Array.from({ length: 40 }, read))
    await often()
    const other = new pg.Client(path)
    await other.connect()
    await other.query('alter table history_hour add column of_a_newer_version text')
    await other.end()
    expect((await often()).flat()).toEqual([])
    await node.close()
    await offer.database?.drop()
  })

  test('a server that is not there is a store that is not available', async () => {
    await expect(openPostgresStore('postgres://nobody:nothing@127.0.0.1:1/none', options)).rejects.toMatchObject({ code: 'store_unavailable' })
  })
})

async function asAdmin(sql: string): Promise<readonly Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

const cutEveryConnection = () =>
  asAdmin('select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()')

/** The generic plan on many connections of which few are due. */
async function duePlan(): Promise<string> {
  await asAdmin('truncate organization cascade')
  await asAdmin(`
    insert into organization values ('org_plan', 'plan', 'plan', 0);
    insert into integration (id, organization_id, slug, name, provider, client_id, scopes, variables, settings, created_at, updated_at, version)
      values ('int_plan', 'org_plan', 'plan', '', '', '', '[]', '{}', '{}', 0, 0, 1);
    insert into connection (id, organization_id, integration_id, owner, state, metadata, tags, variables, facts, created_at, updated_at, version)
      select 'con_' || n, 'org_plan', 'int_plan', n, 'active', '{}', '[]', '{}', '{}', 0, 0, 1 from generate_series(1, 20000) n;
    insert into health (connection_id, due_at, failures) select 'con_' || n, 4000000000000 + n, 0 from generate_series(1, 20000) n;
    analyze connection; analyze health;`)
  const plan = await asAdmin(`explain ${numberParameters(dueQuery(POSTGRES)).replace('$1', '100')}`)
  return plan.map((row) => row['QUERY PLAN']).join('\n')
}
