import type { AlertCommit, Alerts, FailingConnection } from '../../core/alert/alerts.ts'
import type { AlertRule } from '../../core/alert/rule.ts'
import type { AuditEvent } from '../../core/audit/event.ts'
import type { ConnectionId, OrganizationId } from '../../core/ids.ts'
import { idFrom } from '../../core/ids.ts'
import type { Instant } from '../../core/time.ts'
import { ALERT, ITEM, LETTER, NOTICE, toAlert, toItem, toLetter, toNotice, writeAlert, writeItem, writeLetter, writeNotice } from './alert-rows.ts'
import { append, toEvent } from './event-rows.ts'
import { afterOf, limitOf, toPage } from './paging.ts'
import { changed, type Database, type Dialect, type Program, row, rows, run } from './program.ts'
import { integer, json, text } from './rows.ts'
import { insertDelivery } from './webhooks-store.ts'

const OPEN_SHOWN = 500

/** One that ends later than any clock near ours could have said was taken by a clock that was wrong: nobody waits for it. */
function* lease(...[name, holder, now, until]: Parameters<Alerts['lease']>): Program<boolean> {
  const taken = yield* run(
    `insert into chore_lease (name, holder, until) values (?, ?, ?)
     on conflict (name) do update set holder = excluded.holder, until = excluded.until
       where chore_lease.holder = excluded.holder or chore_lease.until <= ? or chore_lease.until > ?`,
    name,
    holder,
    until,
    now,
    until + (until - now),
  )
  return taken === 1
}

/**
 * The queue by itself, then what it names: in one statement, a planner whose statistics were taken while the queue was empty walks
 * all events to look each up in it.
 */
function* pending(dialect: Dialect, limit: number, without: readonly OrganizationId[]): Program<readonly AuditEvent[]> {
  const others = without.length === 0 ? '' : `where not (${dialect.among('organization_id')})`
  const named = without.length === 0 ? [] : [JSON.stringify(without)]
  const waiting = yield* rows(`select organization_id, event_id from event_outbox ${others} order by event_id limit ?`, ...named, limit)
  const found: AuditEvent[] = []
  for (const organization of new Set(waiting.map((note) => text(note, 'organization_id')))) {
    const ids = waiting.filter((note) => note.organization_id === organization).map((note) => text(note, 'event_id'))
    const events = yield* rows(
      `select e.id, e.organization_id, e.type, e.at, e.actor_kind, e.actor_id, e.connection_id, e.subject, e.data
       from event e where e.organization_id = ? and ${dialect.among('e.id')}`,
      organization,
      JSON.stringify(ids),
    )
    found.push(...events.map(toEvent))
  }
  return found.sort((one, other) => (one.id < other.id ? -1 : 1))
}

/** Thrown through a transaction, so that nothing of it stays. */
class Raced extends Error {}

function* commit(dialect: Dialect, { done, alerts, items, notices, deliveries, letters, events }: AlertCommit): Program<void> {
  if (done.length > 0 && (yield* run(`delete from event_outbox where ${dialect.among('event_id')}`, JSON.stringify(done))) !== done.length) throw new Raced()
  for (const { alert, before } of alerts) {
    if (!(yield* writeAlert(alert, before))) throw new Raced()
    yield* changed({ kind: 'alert', alert: alert.id })
  }
  for (const item of items) yield* writeItem(item)
  for (const notice of notices) yield* writeNotice(notice)
  for (const event of events) yield* append(event)
  for (const delivery of deliveries) yield* insertDelivery(dialect, delivery)
  for (const letter of letters) yield* writeLetter(letter)
}

async function committed(database: Database, change: AlertCommit): Promise<'committed' | 'raced'> {
  try {
    await database.write(() => commit(database.dialect, change))
    return 'committed'
  } catch (error) {
    if (error instanceof Raced) return 'raced'
    throw error
  }
}

function* putRules(...[organization, rules, event]: Parameters<Alerts['putRules']>): Program<void> {
  for (const rule of rules)
    yield* run(
      'insert into alert_rule (organization_id, kind, rule) values (?, ?, ?) on conflict (organization_id, kind) do update set rule = excluded.rule',
      organization,
      rule.kind,
      JSON.stringify(rule),
    )
  yield* append(event)
}

function* list(...[organization, resolved, page]: Parameters<Alerts['list']>): Program<Awaited<ReturnType<Alerts['list']>>> {
  const limit = limitOf(page)
  const after = afterOf(page)
  const state = resolved === null ? '' : resolved ? 'and a.resolved_at is not null' : 'and a.resolved_at is null'
  const found = yield* rows(
    `select ${ALERT} from alert a where a.organization_id = ? ${state} ${after === null ? '' : 'and a.id < ?'} order by a.id desc limit ?`,
    organization,
    ...(after === null ? [] : [after]),
    limit + 1,
  )
  return toPage(found.map(toAlert), limit, ({ id }) => id)
}

/** Kinds without a connection are healed by events and looks of their own. */
function* healed(organization: OrganizationId, limit: number): Program<Awaited<ReturnType<Alerts['healed']>>> {
  const found = yield* rows(
    `select ${ITEM} from alert_item i join connection k on k.id = i.connection_id join health h on h.connection_id = k.id
     where i.organization_id = ? and i.resolved_at is null and (
       (i.kind = 'connection_needs_reauth' and k.state <> 'needs_reauth')
       or (i.kind = 'refresh_failing' and (k.state <> 'active' or h.failures = 0))
       or (i.kind = 'expires_soon' and (k.state <> 'active' or h.ends_at is null or h.ends_at > now_ms() + 2678400000))
     ) limit ?`,
    organization,
    limit,
  )
  return found.map(toItem)
}

function* failing(organization: OrganizationId, before: Instant, limit: number): Program<readonly FailingConnection[]> {
  const found = yield* rows(
    `select k.id, h.first_failed_at from health h join connection k on k.id = h.connection_id
     where h.failures > 0 and h.first_failed_at <= ? and k.organization_id = ? and k.state = 'active' and not exists
       (select 1 from alert_item i where i.organization_id = k.organization_id and i.subject = k.id and i.kind = 'refresh_failing' and i.resolved_at is null)
     limit ?`,
    before,
    organization,
    limit,
  )
  return found.map((one) => ({ connection: text(one, 'id') as ConnectionId, firstFailedAt: integer(one, 'first_failed_at') }))
}

function* outcomes(organization: OrganizationId, from: Instant, limit: number): Program<{ readonly refreshed: number; readonly failing: number }> {
  const refreshed = yield* row(
    `select count(*) as found from (select e.type from event e where e.organization_id = ? and e.id >= ? order by e.id desc limit ?) t
     where t.type = 'connection.refreshed'`,
    organization,
    idFrom('evt', from),
    limit,
  )
  const trouble = yield* row(
    `select count(*) as found from (select 1 from health h join connection k on k.id = h.connection_id
       where h.failures > 0 and k.organization_id = ? and k.state = 'active' limit ?) t`,
    organization,
    limit,
  )
  return { refreshed: refreshed === undefined ? 0 : integer(refreshed, 'found'), failing: trouble === undefined ? 0 : integer(trouble, 'found') }
}

function* takeNotices(dialect: Dialect, now: Instant, until: Instant, limit: number): Program<Awaited<ReturnType<Alerts['takeNotices']>>> {
  const due = (yield* rows(`select ${NOTICE} from notice n where n.next_at <= ? order by n.next_at, n.id limit ? ${dialect.skipLocked('n')}`, now, limit)).map(
    toNotice,
  )
  if (due.length > 0)
    yield* run(`update notice set next_at = ?, attempts = attempts + 1 where ${dialect.among('id')}`, until, JSON.stringify(due.map(({ id }) => id)))
  return due
}

function* settleNotices(settled: Parameters<Alerts['settleNotices']>[0]): Program<void> {
  for (const { id, state, nextAt } of settled) yield* run('update notice set state = ?, next_at = ? where id = ?', state, nextAt, id)
}

function* takeLetters(dialect: Dialect, now: Instant, limit: number): Program<Awaited<ReturnType<Alerts['takeLetters']>>> {
  const found = yield* rows(`select ${LETTER} from owner_letter l where l.next_at <= ? order by l.next_at limit ? ${dialect.skipLocked('l')}`, now, limit)
  const due = found.map(toLetter)
  if (due.length > 0)
    yield* run(
      `update owner_letter set state = 'sending', next_at = null, attempts = attempts + 1 where ${dialect.among('id')}`,
      JSON.stringify(due.map(({ id }) => id)),
    )
  return due
}

function* settleLetter(...[id, state, nextAt, event]: Parameters<Alerts['settleLetter']>): Program<void> {
  yield* run('update owner_letter set state = ?, next_at = ? where id = ?', state, nextAt, id)
  if (event !== null) yield* append(event)
}

function* purge(dialect: Dialect, before: Instant, limit: number): Program<number> {
  const old = yield* rows('select a.id from alert a where a.resolved_at < ? order by a.resolved_at limit ?', before, limit)
  const letters = yield* rows('select l.id from owner_letter l where l.created_at < ? and l.next_at is null order by l.created_at limit ?', before, limit)
  if (old.length > 0) yield* run(`delete from alert where ${dialect.among('id')}`, JSON.stringify(old.map(({ id }) => id)))
  if (letters.length > 0) yield* run(`delete from owner_letter where ${dialect.among('id')}`, JSON.stringify(letters.map(({ id }) => id)))
  return Math.max(old.length, letters.length)
}

export function alertsStore(database: Database): Alerts {
  const { dialect } = database
  const itemsOf = (condition: string, ...params: readonly (string | number)[]) =>
    database.read(function* () {
      return (yield* rows(`select ${ITEM} from alert_item i where ${condition}`, ...params)).map(toItem)
    })
  return {
    lease: (...asked) => database.write(() => lease(...asked)),
    pending: (limit, without = []) => database.read(() => pending(dialect, limit, without)),
    commit: (change) => committed(database, change),
    rules: (organization) =>
      database.read(function* () {
        return (yield* rows('select rule from alert_rule where organization_id = ?', organization)).map((found) => json<AlertRule>(found, 'rule'))
      }),
    putRules: (...asked) => database.write(() => putRules(...asked)),
    get: (organization, id) =>
      database.read(function* () {
        const found = yield* row(`select ${ALERT} from alert a where a.id = ? and a.organization_id = ?`, id, organization)
        return found === undefined ? undefined : toAlert(found)
      }),
    find: (id) =>
      database.read(function* () {
        const found = yield* row(`select ${ALERT} from alert a where a.id = ?`, id)
        return found === undefined ? undefined : toAlert(found)
      }),
    open: (organization) =>
      database.read(function* () {
        const found = yield* rows(
          `select ${ALERT} from alert a where a.organization_id = ? and a.resolved_at is null order by a.id limit ?`,
          organization,
          OPEN_SHOWN,
        )
        return found.map(toAlert)
      }),
    list: (...asked) => database.read(() => list(...asked)),
    itemsOf: (organization, subjects) =>
      itemsOf(`i.organization_id = ? and i.resolved_at is null and ${dialect.among('i.subject')}`, organization, JSON.stringify(subjects)),
    items: (alert, limit) => itemsOf('i.alert_id = ? order by i.at, i.subject limit ?', alert, limit),
    healed: (organization, limit) => database.read(() => healed(organization, limit)),
    failing: (organization, before, limit) => database.read(() => failing(organization, before, limit)),
    outcomes: (organization, from, limit) => database.read(() => outcomes(organization, from, limit)),
    takeNotices: (now, until, limit) => database.write(() => takeNotices(dialect, now, until, limit)),
    settleNotices: (settled) => (settled.length === 0 ? Promise.resolve() : database.write(() => settleNotices(settled))),
    takeLetters: (now, limit) => database.write(() => takeLetters(dialect, now, limit)),
    settleLetter: (...asked) => database.write(() => settleLetter(...asked)),
    purge: (before, limit) => database.write(() => purge(dialect, before, limit), { repeatable: true }),
  }
}
