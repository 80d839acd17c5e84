import type { ApiKey, ApiKeyScope, ApiKeys } from '../../core/access/api-key.ts'
import type { Idempotency, IdempotencyOutcome } from '../../core/access/idempotency.ts'
import type { Founder, NewOrganization, Organization, Organizations } from '../../core/access/organization.ts'
import { type OrganizationSettings, SETTINGS_DEFAULTS, type SettingsChange } from '../../core/access/organization-settings.ts'
import type { NewEvent } from '../../core/audit/event.ts'
import type { ApiKeyId, OrganizationId } from '../../core/ids.ts'
import { type Instant, MINUTE } from '../../core/time.ts'
import type { Role } from '../../core/user/user.ts'
import { append } from './event-rows.ts'
import { lockPerson } from './person-lock.ts'
import { changed, type Database, type Dialect, type Program, type Row, row, rows, run, type SqlValue } from './program.ts'
import { bytesOrNull, integer, integerOrNull, json, text, textOrNull } from './rows.ts'

const LONGEST_REQUEST_MS = 5 * MINUTE
const KEY_COLUMNS = 'id, organization_id, name, hint, hash, scopes, created_at, last_used_at, expires_at, revoked_at, replaces'

function toKey(found: Row): ApiKey {
  return {
    id: text(found, 'id') as ApiKeyId,
    organization: text(found, 'organization_id') as OrganizationId,
    name: text(found, 'name'),
    hint: text(found, 'hint'),
    hash: text(found, 'hash'),
    scopes: json<readonly ApiKeyScope[]>(found, 'scopes'),
    createdAt: integer(found, 'created_at'),
    lastUsedAt: integerOrNull(found, 'last_used_at'),
    expiresAt: integerOrNull(found, 'expires_at'),
    revokedAt: integerOrNull(found, 'revoked_at'),
    replaces: textOrNull(found, 'replaces') as ApiKeyId | null,
  }
}

function* insertKey(key: ApiKey, event: NewEvent): Program<void> {
  yield* run(
    `insert into api_key (${KEY_COLUMNS}) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    key.id,
    key.organization,
    key.name,
    key.hint,
    key.hash,
    JSON.stringify(key.scopes),
    key.createdAt,
    key.lastUsedAt,
    key.expiresAt,
    key.revokedAt,
    key.replaces,
  )
  yield* append(event)
  yield* changed({ kind: 'api_key' })
}

function* findKey(condition: string, ...params: readonly SqlValue[]): Program<ApiKey | undefined> {
  const found = yield* row(`select ${KEY_COLUMNS} from api_key where ${condition}`, ...params)
  return found === undefined ? undefined : toKey(found)
}

function* listKeys(organization: OrganizationId): Program<readonly ApiKey[]> {
  return (yield* rows(`select ${KEY_COLUMNS} from api_key where organization_id = ? order by id`, organization)).map(toKey)
}

/** The overlap only ever shortens the old key's life. */
function* rotate(old: ApiKeyId, successor: ApiKey, overlapUntil: Instant, event: NewEvent): Program<'rotated' | 'gone'> {
  const ended = yield* run(
    `update api_key set expires_at = case when expires_at is null or expires_at > ? then ? else expires_at end
     where id = ? and organization_id = ? and revoked_at is null`,
    overlapUntil,
    overlapUntil,
    old,
    successor.organization,
  )
  if (ended === 0) return 'gone'
  yield* insertKey(successor, event)
  return 'rotated'
}

function* revoke(organization: OrganizationId, id: ApiKeyId, at: Instant, event: NewEvent): Program<'revoked' | 'already' | 'gone'> {
  const revoked = yield* run('update api_key set revoked_at = ? where id = ? and organization_id = ? and revoked_at is null', at, id, organization)
  if (revoked === 0) return (yield* findKey('id = ? and organization_id = ?', id, organization)) === undefined ? 'gone' : 'already'
  yield* append(event)
  yield* changed({ kind: 'api_key' })
  return 'revoked'
}

function* touch(marks: readonly { readonly id: ApiKeyId; readonly at: Instant }[]): Program<void> {
  const ordered = [...marks].sort((left, right) => (left.id < right.id ? -1 : 1))
  for (const { id, at } of ordered) yield* run('update api_key set last_used_at = ? where id = ? and coalesce(last_used_at, 0) < ?', at, id, at)
}

export function apiKeysStore(database: Database): ApiKeys {
  return {
    insert: (key, event) => database.write(() => insertKey(key, event)),
    byHash: (hash) => database.read(() => findKey('hash = ?', hash)),
    get: (organization, id) => database.read(() => findKey('id = ? and organization_id = ?', id, organization)),
    list: (organization) => database.read(() => listKeys(organization)),
    rotate: (old, successor, overlapUntil, event) => database.write(() => rotate(old, successor, overlapUntil, event)),
    revoke: (organization, id, at, event) => database.write(() => revoke(organization, id, at, event)),
    touch: (marks) => (marks.length === 0 ? Promise.resolve() : database.write(() => touch(marks))),
  }
}

const ORGANIZATION = 'id, name, slug, created_at, require_second_factor'

function toOrganization(found: Row): Organization {
  return {
    id: text(found, 'id') as OrganizationId,
    name: text(found, 'name'),
    slug: text(found, 'slug'),
    createdAt: integer(found, 'created_at'),
    requireSecondFactor: json<readonly Role[]>(found, 'require_second_factor'),
  }
}

function* insertOrganization(dialect: Dialect, organization: NewOrganization, event: NewEvent, founder?: Founder): Program<'inserted' | 'slug_taken'> {
  const { id, name, slug, createdAt } = organization
  if ((yield* row('select id from organization where slug = ?', slug)) !== undefined) return 'slug_taken'
  yield* run('insert into organization (id, name, slug, created_at) values (?, ?, ?, ?)', id, name, slug, createdAt)
  yield* append(event)
  if (founder !== undefined) yield* join(dialect, founder)
  return 'inserted'
}

function* join(dialect: Dialect, { membership, event }: Founder): Program<void> {
  const { organization, user, role, createdAt } = membership
  yield* lockPerson(dialect, user)
  yield* run('insert into membership (organization_id, user_id, role, created_at) values (?, ?, ?, ?)', organization, user, role, createdAt)
  yield* append(event)
  yield* changed({ kind: 'user', user })
}

function* findOrganization(column: 'id' | 'slug', value: string): Program<Organization | undefined> {
  const found = yield* row(`select ${ORGANIZATION} from organization where ${column} = ?`, value)
  return found === undefined ? undefined : toOrganization(found)
}

function* listOrganizations(): Program<readonly Organization[]> {
  return (yield* rows(`select ${ORGANIZATION} from organization order by id`)).map(toOrganization)
}

interface FactorRule {
  readonly roles: readonly Role[]
  readonly held: readonly Role[] | undefined
}

function* requireSecondFactor(
  dialect: Dialect,
  id: OrganizationId,
  { roles, held }: FactorRule,
  event: NewEvent,
): Program<'changed' | 'already' | 'gone' | 'moved'> {
  const next = JSON.stringify(roles)
  const found = yield* row(`select o.require_second_factor from organization o where o.id = ? ${dialect.forUpdate('o')}`, id)
  if (found === undefined) return 'gone'
  if (found.require_second_factor === next) return 'already'
  if (held !== undefined && found.require_second_factor !== JSON.stringify(held)) return 'moved'
  yield* run('update organization set require_second_factor = ? where id = ?', next, id)
  yield* append(event)
  yield* changed({ kind: 'organization', organization: id })
  return 'changed'
}

function* readSettings(id: OrganizationId): Program<OrganizationSettings> {
  const found = yield* row('select settings from organization where id = ?', id)
  return found === undefined ? SETTINGS_DEFAULTS : { ...SETTINGS_DEFAULTS, ...json<Partial<OrganizationSettings>>(found, 'settings') }
}

/** Two who change different things at once lose none of them. */
function* saveSettings(dialect: Dialect, id: OrganizationId, change: SettingsChange, event: NewEvent): Program<OrganizationSettings> {
  yield* row(`select o.id from organization o where o.id = ? ${dialect.forUpdate('o')}`, id)
  const next = { ...(yield* readSettings(id)), ...change }
  yield* run('update organization set settings = ? where id = ?', JSON.stringify(next), id)
  yield* append(event)
  return next
}

export function organizationsStore(database: Database): Organizations {
  const { dialect } = database
  return {
    insert: (organization, event, founder) => database.write(() => insertOrganization(dialect, organization, event, founder)),
    get: (id) => database.read(() => findOrganization('id', id)),
    bySlug: (slug) => database.read(() => findOrganization('slug', slug)),
    list: () => database.read(listOrganizations),
    settings: (id) => database.read(() => readSettings(id)),
    saveSettings: (id, change, event) => database.write(() => saveSettings(dialect, id, change, event)),
    rename: async (id, name) => {
      await database.write(() => run('update organization set name = ? where id = ?', name, id))
    },
    requireSecondFactor: (id, roles, event, held) => database.write(() => requireSecondFactor(dialect, id, { roles, held }, event)),
  }
}

function* begin(organization: OrganizationId, key: string, requestHash: string, at: Instant): Program<IdempotencyOutcome> {
  const first = yield* run(
    'insert into idempotency_key (organization_id, key, request_hash, at) values (?, ?, ?, ?) on conflict do nothing',
    organization,
    key,
    requestHash,
    at,
  )
  if (first === 1) return { kind: 'first' }
  const found = yield* row('select request_hash, status, body from idempotency_key where organization_id = ? and key = ?', organization, key)
  if (found === undefined) return { kind: 'running' }
  if (found.request_hash !== requestHash) return { kind: 'mismatch' }
  const status = integerOrNull(found, 'status')
  if (status === null && (yield* takeOver(organization, key, at))) return { kind: 'first' }
  return status === null ? { kind: 'running' } : { kind: 'replay', status, body: bytesOrNull(found, 'body') ?? new Uint8Array() }
}

/** A request that has run for longer than any may run died with its process: the same key starts again. */
function* takeOver(organization: string, key: string, at: Instant): Program<boolean> {
  const taken = yield* run(
    'update idempotency_key set at = ? where organization_id = ? and key = ? and status is null and at < ?',
    at,
    organization,
    key,
    at - LONGEST_REQUEST_MS,
  )
  return taken === 1
}

function* purge(dialect: Dialect, before: Instant, limit: number): Program<number> {
  const old = yield* rows('select organization_id, key from idempotency_key where at < ? order by at limit ?', before, limit)
  return yield* run(
    `delete from idempotency_key where at < ? and ${dialect.among('organization_id')} and ${dialect.among('key')}`,
    before,
    JSON.stringify(old.map((found) => found.organization_id)),
    JSON.stringify(old.map((found) => found.key)),
  )
}

export function idempotencyStore(database: Database): Idempotency {
  return {
    begin: (organization, key, requestHash, at) => database.write(() => begin(organization, key, requestHash, at)),
    finish: async (organization, key, status, body) => {
      await database.write(() =>
        run('update idempotency_key set status = ?, body = ? where organization_id = ? and key = ? and status is null', status, body, organization, key),
      )
    },
    forget: async (organization, key) => {
      await database.write(() => run('delete from idempotency_key where organization_id = ? and key = ? and status is null', organization, key))
    },
    purge: (before, limit) => database.write(() => purge(database.dialect, before, limit)),
  }
}
