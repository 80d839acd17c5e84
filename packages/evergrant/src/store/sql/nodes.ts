import type { ConnectionId } from '../../core/ids.ts'
import type { NodeIdentity } from '../../core/refresh/credentials.ts'
import type { NodeAbout, NodeKeyring, NodeReport } from '../../core/refresh/nodes.ts'
import type { Instant } from '../../core/time.ts'
import { freeLease } from './claims.ts'
import { type Dialect, type Program, type Row, row, rows, run } from './program.ts'
import { integer, jsonOrNull, text, textOrNull } from './rows.ts'

/** A row that is there already, of an earlier process or of this one before it lost its lock, becomes this process's. */
const ENTER = `
  insert into node (id, incarnation, started_at, heartbeat_at, draining) select ?, ?, at, at, 0 from (select now_ms() as at) as clock where true
  on conflict (id) do update set incarnation = excluded.incarnation, heartbeat_at = excluded.heartbeat_at, draining = 0,
    started_at = case when node.incarnation = excluded.incarnation then node.started_at else excluded.started_at end,
    keyring = case when node.incarnation = excluded.incarnation then node.keyring end,
    about = case when node.incarnation = excluded.incarnation then node.about end
  returning heartbeat_at`

/** The heartbeat of a row that is still this process's. */
export const BEAT = 'update node set heartbeat_at = now_ms(), draining = ? where id = ? and incarnation = ?'

export function* enter(node: NodeIdentity): Program<Instant> {
  const entered = yield* row(ENTER, node.id, node.incarnation)
  return entered === undefined ? 0 : integer(entered, 'heartbeat_at')
}

export function* beat(node: NodeIdentity, draining: boolean): Program<Instant> {
  const beaten = yield* row(`${BEAT} returning heartbeat_at`, draining ? 1 : 0, node.id, node.incarnation)
  return beaten === undefined ? yield* enter(node) : integer(beaten, 'heartbeat_at')
}

/** `alive`: an expression over `n`, 1 or true where the liveness lock is held. */
export const listed = (alive: string): string =>
  `select n.id, n.incarnation, n.started_at, n.heartbeat_at, n.draining, n.keyring, n.about, ${alive} as alive from node n order by n.id`

export function* list(alive: string): Program<readonly NodeReport[]> {
  return (yield* rows(listed(alive))).map(toReport)
}

export function toReport(found: Row): NodeReport {
  return {
    id: text(found, 'id'),
    incarnation: text(found, 'incarnation'),
    startedAt: integer(found, 'started_at'),
    heartbeatAt: integer(found, 'heartbeat_at'),
    draining: integer(found, 'draining') === 1,
    alive: integer(found, 'alive') === 1,
    keyring: jsonOrNull<NodeKeyring>(found, 'keyring'),
    about: aboutOf(found),
  }
}

/** With the process that said it: one of an earlier version that has taken the name over does not clear the column. */
interface StoredAbout {
  readonly incarnation: string
  readonly kind: NodeAbout['kind']
  readonly public_url: string
}

function aboutOf(found: Row): NodeAbout | null {
  const said = jsonOrNull<StoredAbout>(found, 'about')
  return said === null || said.incarnation !== text(found, 'incarnation') ? null : { kind: said.kind, publicUrl: said.public_url }
}

export function* tell({ id, incarnation }: NodeIdentity, keyring: NodeKeyring, { kind, publicUrl }: NodeAbout): Program<boolean> {
  const about: StoredAbout = { incarnation, kind, public_url: publicUrl }
  const update = 'update node set keyring = ?, about = ? where id = ? and incarnation = ?'
  return (yield* run(update, JSON.stringify(keyring), JSON.stringify(about), id, incarnation)) > 0
}

export function* leasesOf(node: string, after: ConnectionId | null, limit: number): Program<readonly ConnectionId[]> {
  const found = yield* rows(
    'select connection_id from health where leased_by = ? and connection_id > ? order by connection_id limit ?',
    node,
    after ?? '',
    limit,
  )
  return found.map((lease) => text(lease, 'connection_id') as ConnectionId)
}

/** `gone`: is the holder's lock free, and does it stay so until this transaction ends? */
export function* takeOver(dialect: Dialect, gone: () => Program<boolean>, connection: ConnectionId, holder: string, epoch: number): Program<boolean> {
  const found = yield* row(`select k.state from connection k where k.id = ? ${dialect.forUpdate('k')}`, connection)
  const current = yield* row('select lease_owner, lease_epoch from credential where connection_id = ?', connection)
  if (found === undefined || current === undefined) return false
  if (textOrNull(current, 'lease_owner') !== holder || integer(current, 'lease_epoch') !== epoch) return false
  if (!(yield* gone())) return false
  yield* freeLease(connection, text(found, 'state'))
  return true
}

/** A row stays while leases name it: whoever looks for lost nodes finds them by it. */
const UNLEASED = 'not exists (select 1 from health h where h.leased_by = node.id)'

export function* leave(node: NodeIdentity): Program<void> {
  yield* run(`delete from node where id = ? and incarnation = ? and ${UNLEASED}`, node.id, node.incarnation)
}

export function* forget(dialect: Dialect, lost: readonly NodeReport[], olderThan: Instant): Program<number> {
  const ids = JSON.stringify(lost.map((report) => report.id))
  return yield* run(`delete from node where heartbeat_at < ? and ${UNLEASED} and ${dialect.among('id')}`, olderThan, ids)
}
