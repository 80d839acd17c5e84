import type { NewEvent } from '../../core/audit/event.ts'
import type { IntegrationId, OrganizationId, PushNoticeId } from '../../core/ids.ts'
import type { PushRule } from '../../core/provider/record-around.ts'
import type { NewPushNotice, Pushes, PushNotice, PushSecrets } from '../../core/push/pushes.ts'
import type { Instant } from '../../core/time.ts'
import { append } from './event-rows.ts'
import { type Database, type Dialect, type Program, type Row, row, rows, run } from './program.ts'
import { bytes, bytesOrNull, integer, integerOrNull, json, text, textOrNull } from './rows.ts'

function* secrets(integration: IntegrationId): Program<PushSecrets | undefined> {
  const found = yield* row('select secret, secret_before, before_until, set_at from push_secret where integration_id = ?', integration)
  if (found === undefined) return undefined
  return {
    integration,
    secret: bytes(found, 'secret'),
    before: bytesOrNull(found, 'secret_before'),
    beforeUntil: integerOrNull(found, 'before_until'),
    setAt: integer(found, 'set_at'),
  }
}

function* setSecret({ integration, secret, before, beforeUntil, setAt }: PushSecrets, event: NewEvent): Program<void> {
  yield* run(
    `insert into push_secret (integration_id, secret, secret_before, before_until, set_at) values (?, ?, ?, ?, ?)
     on conflict (integration_id) do update set secret = excluded.secret, secret_before = excluded.secret_before,
       before_until = excluded.before_until, set_at = excluded.set_at`,
    integration,
    secret,
    before,
    beforeUntil,
    setAt,
  )
  yield* append(event)
}

function* accept(notices: readonly NewPushNotice[]): Program<number> {
  let fresh = 0
  for (const notice of [...notices].sort((left, right) => (left.digest < right.digest ? -1 : 1))) fresh += yield* acceptOne(notice)
  return fresh
}

/** A push that is known and done says nothing that it has not proved once: asked again, it is a hint. */
function* acceptOne(notice: NewPushNotice): Program<number> {
  const inserted = yield* run(
    `insert into push_notice (id, organization_id, integration_id, digest, means, account, proven, happened_at, received_at, code, facts, attempts, due_at)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, now_ms()) on conflict (integration_id, digest) do nothing`,
    notice.id,
    notice.organization,
    notice.integration,
    notice.digest,
    notice.means,
    notice.account,
    notice.proven ? 1 : 0,
    notice.happenedAt,
    notice.receivedAt,
    notice.code,
    JSON.stringify(notice.facts),
  )
  if (inserted === 1) return 1
  yield* run(
    `update push_notice set done_at = null, due_at = now_ms(), attempts = 0, proven = 0
     where integration_id = ? and digest = ? and done_at is not null and means = 'revoked'`,
    notice.integration,
    notice.digest,
  )
  return 0
}

function* take(dialect: Dialect, limit: number, visibilityMs: number): Program<readonly PushNotice[]> {
  const due = yield* rows(`select p.* from push_notice p where p.due_at <= (select now_ms()) order by p.due_at limit ? ${dialect.skipLocked('p')}`, limit)
  if (due.length === 0) return []
  yield* run(
    `update push_notice set due_at = now_ms() + ?, attempts = attempts + 1 where ${dialect.among('id')}`,
    visibilityMs,
    JSON.stringify(due.map((found) => found.id)),
  )
  return due.map(toNotice)
}

function toNotice(found: Row): PushNotice {
  return {
    id: text(found, 'id') as PushNoticeId,
    organization: text(found, 'organization_id') as OrganizationId,
    integration: text(found, 'integration_id') as IntegrationId,
    digest: text(found, 'digest'),
    means: text(found, 'means') as PushRule['means'],
    account: textOrNull(found, 'account'),
    proven: integer(found, 'proven') === 1,
    happenedAt: integerOrNull(found, 'happened_at'),
    receivedAt: integer(found, 'received_at'),
    code: bytesOrNull(found, 'code'),
    facts: json<Readonly<Record<string, string>>>(found, 'facts'),
    attempts: integer(found, 'attempts') + 1,
  }
}

function* finish(id: PushNoticeId, events: readonly NewEvent[]): Program<void> {
  const finished = yield* run('update push_notice set done_at = now_ms(), due_at = null, code = null where id = ? and done_at is null', id)
  if (finished === 0) return
  for (const event of events) yield* append(event)
}

function* retry(id: PushNoticeId, dueAt: Instant): Program<void> {
  yield* run('update push_notice set due_at = ? where id = ? and done_at is null', dueAt, id)
}

function* forget(dialect: Dialect, before: Instant, limit: number): Program<number> {
  const old = yield* rows('select id from push_notice where done_at is not null and done_at < ? order by done_at limit ?', before, limit)
  if (old.length === 0) return 0
  return yield* run(`delete from push_notice where ${dialect.among('id')}`, JSON.stringify(old.map((found) => found.id)))
}

export function pushesStore(database: Database): Pushes {
  const { dialect } = database
  return {
    secrets: (integration) => database.read(() => secrets(integration)),
    setSecret: (changed, event) => database.write(() => setSecret(changed, event)),
    accept: (notices) => database.write(() => accept(notices), { repeatable: true }),
    take: (limit, visibilityMs) => database.write(() => take(dialect, limit, visibilityMs)),
    finish: (id, events) => database.write(() => finish(id, events), { repeatable: true }),
    retry: (id, dueAt) => database.write(() => retry(id, dueAt), { repeatable: true }),
    forget: (before, limit) => database.write(() => forget(dialect, before, limit), { repeatable: true }),
  }
}
