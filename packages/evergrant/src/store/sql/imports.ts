import type { ImportIdentity, ImportOutcome, NewConnection, NewImport } from '../../core/connection/connections.ts'
import type { ConnectionId, IntegrationId } from '../../core/ids.ts'
import { NO_END } from '../../core/refresh/grant-lifetime.ts'
import { store } from './connection-writes.ts'
import { KnownGrants } from './import-decisions.ts'
import { changed, type Dialect, type Program, rows, run } from './program.ts'
import { text, textOrNull, toJson } from './rows.ts'

/** Many grants of an import in one transaction. What stands in the way of one line stops no other. */
export function* importMany(dialect: Dialect, batch: readonly NewImport[]): Program<readonly ImportOutcome[]> {
  const known = yield* knownOf(
    dialect,
    batch.map(({ identity }) => identity),
  )
  const decisions = batch.map(({ identity, row }) => known.decide(identity, row.connection.id))
  const fresh = batch.filter((_, index) => isInserted(decisions[index])).map(({ row }) => row)
  if (dialect.oneWriter) for (const row of fresh) yield* store(row)
  else if (fresh.length > 0) yield* storeTogether(fresh)
  // No conflict clause: where two imports of one grant meet, the second is tried again and finds the first.
  const marks = batch.filter((_, index) => isInserted(decisions[index]))
  if (marks.length > 0) yield* markAll(dialect, marks)
  return decisions.map((decision) => (decision === 'committed' ? { kind: 'inserted' } : decision))
}

export function* foreseeImport(dialect: Dialect, batch: readonly ImportIdentity[]): Program<readonly ImportOutcome[]> {
  const known = yield* knownOf(dialect, batch)
  return batch.map((identity) => {
    const decision = known.decide(identity, null)
    return decision === 'committed' ? { kind: 'inserted' } : decision
  })
}

function isInserted(decision: ImportOutcome | 'committed' | undefined): boolean {
  return decision !== undefined && decision !== 'committed' && decision.kind === 'inserted'
}

/** A cross join keeps its order on SQLite: the few of the batch come first, and what is stored is looked up by its index. */
function* knownOf(dialect: Dialect, batch: readonly ImportIdentity[]): Program<KnownGrants> {
  const known = new KnownGrants()
  const marks = yield* rows(
    `select m.integration_id, m.fingerprint, m.owner, m.connection_id, k.state from ${dialect.records('r', ['integration', 'fingerprint'])}
       cross join imported_grant m cross join connection k
       where m.integration_id = r.integration and m.fingerprint = r.fingerprint and k.id = m.connection_id`,
    JSON.stringify([...new Map(batch.map(({ integration, fingerprint }) => [`${integration} ${fingerprint}`, { integration, fingerprint }])).values()]),
  )
  for (const mark of marks) {
    const grant = { integration: text(mark, 'integration_id') as IntegrationId, fingerprint: text(mark, 'fingerprint') }
    const connection = text(mark, 'connection_id') as ConnectionId
    known.mark(grant, { owner: text(mark, 'owner'), connection, live: text(mark, 'state') !== 'disconnected' })
  }
  const holders = yield* rows(
    `select k.integration_id, k.owner, k.account, k.id, d.fingerprint from ${dialect.records('r', ['integration', 'owner', 'account'])}
       cross join connection k cross join credential d
       where k.integration_id = r.integration and k.owner = r.owner and k.account = r.account and k.account is not null and k.state <> 'disconnected'
         and d.connection_id = k.id`,
    JSON.stringify(batch.flatMap(({ integration, owner, account }) => (account === null ? [] : [{ integration, owner, account }]))),
  )
  for (const holder of holders) {
    const account = { integration: text(holder, 'integration_id') as IntegrationId, owner: text(holder, 'owner'), account: text(holder, 'account') }
    known.hold(account, { connection: text(holder, 'id') as ConnectionId, fingerprint: textOrNull(holder, 'fingerprint') })
  }
  return known
}

const RECORDS: Readonly<Record<Dialect['name'], (columns: readonly string[]) => string>> = {
  sqlite: (columns) => `select ${columns.map((column) => `value ->> '${column}'`).join(', ')} from json_each(?)`,
  postgres: (columns) => `select ${columns.map((column) => `r.${column}`).join(', ')} from json_populate_recordset(null::imported_grant, ?::json) r`,
}

function* markAll(dialect: Dialect, batch: readonly NewImport[]): Program<void> {
  const columns = ['integration_id', 'fingerprint', 'owner', 'connection_id', 'imported_at']
  const marks = batch.map(({ identity, row }) => ({
    integration_id: identity.integration,
    fingerprint: identity.fingerprint,
    owner: identity.owner,
    connection_id: row.connection.id,
    imported_at: row.event.at,
  }))
  yield* run(`insert into imported_grant (${columns.join(', ')}) ${RECORDS[dialect.name](columns)}`, JSON.stringify(marks))
}

/** PostgreSQL types each column of a JSON row by the table's own; bytes travel as text in its hexadecimal form. */
function together(table: string, columns: readonly string[]): string {
  return `insert into ${table} (${columns.join(', ')}) select ${columns.map((column) => `r.${column}`).join(', ')}
    from json_populate_recordset(null::${table}, ?::json) r`
}

/** One statement a table, whatever the number of connections. */
function* storeTogether(fresh: readonly NewConnection[]): Program<void> {
  for (const [table, record] of TABLES) {
    const records = fresh.map(record)
    yield* run(together(table, Object.keys(records[0] ?? {})), JSON.stringify(records))
  }
  for (const { connection } of fresh) yield* changed({ kind: 'connection', connection: connection.id })
}

type Recorded = readonly [table: string, record: (row: NewConnection) => Readonly<Record<string, string | number | null>>]

const TABLES: readonly Recorded[] = [
  [
    'connection',
    ({ connection: of }) => ({
      id: of.id,
      organization_id: of.organization,
      integration_id: of.integration,
      owner: of.owner,
      account: of.account,
      account_label: of.accountLabel,
      state: of.state,
      fault: toJson(of.fault),
      metadata: JSON.stringify(of.metadata),
      tags: JSON.stringify(of.tags),
      scopes: toJson(of.scopes),
      variables: JSON.stringify(of.variables),
      facts: JSON.stringify(of.facts),
      consented_at: of.consentedAt,
      created_at: of.createdAt,
      updated_at: of.updatedAt,
      disconnected_at: of.disconnectedAt,
      version: of.version,
    }),
  ],
  [
    'health',
    ({ connection: of, dueAt, end = NO_END }) => ({
      connection_id: of.id,
      due_at: of.state === 'active' ? dueAt : null,
      failures: 0,
      last_read_at: of.lastReadAt,
      last_refreshed_at: of.lastRefreshedAt,
      ends_at: end.at,
      warn_at: end.warnAt,
    }),
  ],
  [
    'credential',
    ({ connection: of, credential }) => ({
      connection_id: of.id,
      generation: 1,
      lease_epoch: 0,
      access_token: hexadecimal(credential.accessToken),
      refresh_token: hexadecimal(credential.refreshToken),
      fingerprint: credential.fingerprint,
      token_type: credential.tokenType,
      obtained_at: credential.obtainedAt,
      access_expires_at: credential.accessExpiresAt,
      refresh_expires_at: credential.refreshExpiresAt,
      soft_at: credential.softAt,
      hard_at: credential.hardAt,
    }),
  ],
  [
    'event',
    ({ event }) => ({
      id: event.id,
      organization_id: event.organization,
      type: event.type,
      at: event.at,
      actor_kind: event.actor.kind,
      actor_id: event.actor.id,
      connection_id: event.connection,
      subject: event.subject,
      data: JSON.stringify(event.data),
    }),
  ],
]

function hexadecimal(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : `\\x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')}`
}
