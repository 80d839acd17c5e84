import type { SideDatabase } from './side-database.ts'

const HOUR_MS = 3_600_000

/** Nothing is due before an hour from now, whatever an earlier measurement left behind. */
async function clearDue(side: SideDatabase): Promise<void> {
  const later = Date.now() + 40 * HOUR_MS
  const soon = Date.now() + HOUR_MS
  await side.query(
    `update credential set soft_at = ?, hard_at = ?, access_expires_at = ?
     where connection_id in (select connection_id from health where due_at < ? union select connection_id from parked)`,
    later,
    later + HOUR_MS,
    later + 2 * HOUR_MS,
    soon,
  )
  await side.query('update health set due_at = ? where due_at < ? or connection_id in (select connection_id from parked)', later, soon)
  await side.query('delete from parked')
}

/**
 * Makes `count` connections due, `perSecond` of them each second from `from` on; all at `from` when it is null. Which ones
 * is as good as random, so that due rows lie all over the table.
 */
export async function makeDue(
  side: SideDatabase,
  options: { readonly count: number; readonly from: number; readonly perSecond: number | null },
): Promise<void> {
  const { count, from, perSecond } = options
  await clearDue(side)
  await drawOrder(side)
  const stepMs = perSecond === null ? 0 : 1_000 / perSecond
  await side.query('create table if not exists scale_due (connection_id text primary key, due_at bigint not null)')
  await side.query('delete from scale_due')
  await side.query(
    `insert into scale_due (connection_id, due_at)
     select o.id, cast(${from} + o.place * ${stepMs} as bigint) from scale_order o join connection c on c.id = o.id
     where o.place <= ? and c.state = 'active'`,
    count,
  )
  await side.query(
    `update credential set soft_at = s.due_at, hard_at = s.due_at + 600000, access_expires_at = s.due_at + 700000 from scale_due s where s.connection_id = credential.connection_id`,
  )
  await side.query('update health set due_at = s.due_at, last_refreshed_at = null from scale_due s where s.connection_id = health.connection_id')
}

/** The order in which connections come due, drawn once: to sort a million rows before each measurement takes longer than some of them. */
async function drawOrder(side: SideDatabase): Promise<void> {
  await side.query('create table if not exists scale_order (place bigint primary key, id text not null)')
  const [drawn] = await side.query('select place from scale_order limit 1')
  if (drawn !== undefined) return
  await side.query('insert into scale_order (place, id) select row_number() over (order by substr(id, 28)), id from connection')
}

/** How late the connections that {@link makeDue} chose were renewed, in milliseconds, and how many were not. */
export async function lateness(side: SideDatabase): Promise<{ readonly lags: readonly number[]; readonly left: number }> {
  const rows = await side.query('select h.last_refreshed_at - s.due_at as lag from scale_due s join health h on h.connection_id = s.connection_id')
  const lags = rows.filter((row) => row.lag !== null).map((row) => Number(row.lag))
  return { lags, left: rows.length - lags.length }
}
