import type { NewEvent } from '../../core/audit/event.ts'
import type { Added, Demanded, Factor, FactorConfirmation, FactorKind, Factors, RemovedFactors } from '../../core/identity/factor.ts'
import { FACTOR_TICKETS } from '../../core/identity/ticket.ts'
import type { FactorId, SessionId, UserId } from '../../core/ids.ts'
import type { Instant } from '../../core/time.ts'
import { append } from './event-rows.ts'
import { lockPerson } from './person-lock.ts'
import { endOfUser } from './person-session-ends.ts'
import { changed, type Database, type Dialect, type Program, type Row, row, rows, run } from './program.ts'
import { bytesOrNull, integer, integerOrNull, json, text, textOrNull } from './rows.ts'
import { endAll as endTickets } from './tickets-store.ts'

const COLUMNS = 'id, user_id, kind, name, secret, last_step, credential_id, public_key, sign_count, transports, created_at, confirmed_at, last_used_at'

function toFactor(found: Row): Factor {
  return {
    id: text(found, 'id') as FactorId,
    user: text(found, 'user_id') as UserId,
    kind: text(found, 'kind') as FactorKind,
    name: text(found, 'name'),
    secret: bytesOrNull(found, 'secret'),
    lastStep: integerOrNull(found, 'last_step'),
    credentialId: textOrNull(found, 'credential_id'),
    publicKey: bytesOrNull(found, 'public_key'),
    signCount: integer(found, 'sign_count'),
    transports: json<readonly string[]>(found, 'transports'),
    createdAt: integer(found, 'created_at'),
    confirmedAt: integerOrNull(found, 'confirmed_at'),
    lastUsedAt: integerOrNull(found, 'last_used_at'),
  }
}

function* listOf(user: UserId): Program<readonly Factor[]> {
  return (yield* rows(`select ${COLUMNS} from factor where user_id = ? order by id`, user)).map(toFactor)
}

function* byCredential(credentialId: string): Program<Factor | undefined> {
  const found = yield* row(`select ${COLUMNS} from factor where credential_id = ?`, credentialId)
  return found === undefined ? undefined : toFactor(found)
}

interface Adding {
  readonly codes: readonly string[] | null
  readonly event: NewEvent | null
  readonly by: SessionId | undefined
}

/**
 * The person is locked: whoever removes everything comes before this, and has ended the session, or after it, and finds what is written here. Of two who
 * add their first at once one brings the codes.
 */
function* isOver(dialect: Dialect, user: UserId, by: SessionId | undefined): Program<boolean> {
  yield* lockPerson(dialect, user)
  if (by === undefined) return false
  const found = yield* row('select s.revoked_at from session s where s.id = ?', by)
  return found === undefined || found.revoked_at !== null
}

function* insert(dialect: Dialect, factor: Factor, { codes, event, by }: Adding): Program<Added | 'taken' | 'session_over'> {
  if (yield* isOver(dialect, factor.user, by)) return 'session_over'
  if (factor.credentialId !== null && (yield* byCredential(factor.credentialId)) !== undefined) return 'taken'
  if (factor.kind === 'totp') yield* run("delete from factor where user_id = ? and kind = 'totp' and confirmed_at is null", factor.user)
  yield* run(
    `insert into factor (${COLUMNS}) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    factor.id,
    factor.user,
    factor.kind,
    factor.name,
    factor.secret,
    factor.lastStep,
    factor.credentialId,
    factor.publicKey,
    factor.signCount,
    JSON.stringify(factor.transports),
    factor.createdAt,
    factor.confirmedAt,
    factor.lastUsedAt,
  )
  const kept = yield* firstCodes(factor.user, codes)
  if (event !== null) yield* append(event)
  return { kind: 'added', codes: kept }
}

/** Codes that the person still has stay good. */
function* firstCodes(user: UserId, codes: readonly string[] | null): Program<boolean> {
  if (codes === null || (yield* codesLeft(user)) > 0) return false
  yield* insertCodes(user, codes)
  return true
}

function* insertCodes(user: UserId, hashes: readonly string[]): Program<void> {
  for (const hash of hashes)
    yield* run('insert into recovery_code (user_id, hash, spent_at) values (?, ?, null) on conflict (user_id, hash) do nothing', user, hash)
}

function* confirm(
  dialect: Dialect,
  { user, id, step, codes, at, event }: FactorConfirmation,
  by: SessionId | undefined,
): Program<Added | 'gone' | 'session_over'> {
  if (yield* isOver(dialect, user, by)) return 'session_over'
  const confirmed = yield* run(
    'update factor set confirmed_at = ?, last_step = ?, last_used_at = ? where id = ? and user_id = ? and confirmed_at is null',
    at,
    step,
    at,
    id,
    user,
  )
  if (confirmed === 0) return 'gone'
  const kept = yield* firstCodes(user, codes)
  yield* append(event)
  return { kind: 'added', codes: kept }
}

/** The person is locked: of two who remove the last two at once, the second sees that theirs is the last. */
function* remove(dialect: Dialect, user: UserId, id: FactorId, event: NewEvent): Program<'removed' | 'gone' | Demanded> {
  yield* lockPerson(dialect, user)
  const found = yield* row('select confirmed_at from factor where id = ? and user_id = ?', id, user)
  if (found === undefined) return 'gone'
  const others = yield* rows('select id from factor where user_id = ? and confirmed_at is not null and id <> ? limit 1', user, id)
  const by = found.confirmed_at === null || others.length > 0 ? undefined : yield* whoDemands(user)
  if (by !== undefined) return { kind: 'demanded', by }
  yield* run('delete from factor where id = ? and user_id = ?', id, user)
  if (!(yield* isProtected(user))) yield* run('delete from recovery_code where user_id = ?', user)
  yield* append(event)
  return 'removed'
}

/** The name of an organization that asks the person's role there for a second factor. */
function* whoDemands(user: UserId): Program<string | undefined> {
  const memberships = yield* rows(
    `select m.role, o.name, o.require_second_factor from membership m join organization o on o.id = m.organization_id
     where m.user_id = ? order by m.organization_id`,
    user,
  )
  const demanding = memberships.find((one) => json<readonly string[]>(one, 'require_second_factor').includes(text(one, 'role')))
  return demanding === undefined ? undefined : text(demanding, 'name')
}

function* isProtected(user: UserId): Program<boolean> {
  return (yield* row('select id from factor where user_id = ? and confirmed_at is not null limit 1', user)) !== undefined
}

function* removeAll(
  dialect: Dialect,
  user: UserId,
  { at, removed, ended }: { readonly at: Instant; readonly removed: NewEvent; readonly ended: NewEvent },
): Program<RemovedFactors | 'none'> {
  // In the order in which everybody locks: the person, then their sessions. Of two who come at once the second finds nothing.
  yield* lockPerson(dialect, user)
  const of = (kind: FactorKind) => run('delete from factor where user_id = ? and kind = ? and confirmed_at is not null', user, kind)
  const totp = yield* of('totp')
  const passkeys = yield* of('passkey')
  if (totp + passkeys === 0) return 'none'
  yield* run('delete from factor where user_id = ?', user)
  const recoveryCodes = yield* codesLeft(user)
  yield* run('delete from recovery_code where user_id = ?', user)
  yield* endTickets(user, FACTOR_TICKETS)
  const sessions = (yield* endOfUser(dialect, { user, organization: null, except: null }, { end: 'ended_by_admin', at })).length
  yield* append({ ...removed, data: { ...removed.data, totp, passkeys, recovery_codes: recoveryCodes, sessions } })
  if (sessions > 0) yield* append(ended)
  yield* changed({ kind: 'user', user })
  return { totp, passkeys, recoveryCodes, sessions }
}

function* replaceCodes(
  dialect: Dialect,
  user: UserId,
  hashes: readonly string[],
  { event, by }: { readonly event: NewEvent; readonly by: SessionId | undefined },
): Program<'replaced' | 'none' | 'session_over'> {
  if (yield* isOver(dialect, user, by)) return 'session_over'
  // Codes of somebody without a factor would wait for their next one, in whoever's hands they are.
  if (!(yield* isProtected(user))) return 'none'
  yield* run('delete from recovery_code where user_id = ?', user)
  yield* insertCodes(user, hashes)
  yield* append(event)
  return 'replaced'
}

function* useStep(id: FactorId, step: number, at: Instant): Program<boolean> {
  const used = yield* run('update factor set last_step = ?, last_used_at = ? where id = ? and coalesce(last_step, -1) < ?', step, at, id, step)
  return used === 1
}

/** A passkey that always says 0 does not count (WebAuthn Level 3 section 6.1.1). */
function* useCount(id: FactorId, signCount: number, at: Instant): Program<boolean> {
  const used = yield* run(
    'update factor set sign_count = ?, last_used_at = ? where id = ? and (sign_count < ? or (sign_count = 0 and ? = 0))',
    signCount,
    at,
    id,
    signCount,
    signCount,
  )
  return used === 1
}

function* codesLeft(user: UserId): Program<number> {
  const found = yield* row('select count(*) as n from recovery_code where user_id = ? and spent_at is null', user)
  return found === undefined ? 0 : integer(found, 'n')
}

function* purge(dialect: Dialect, before: Instant, limit: number): Program<number> {
  const old = yield* rows('select id from factor where confirmed_at is null and created_at < ? order by created_at limit ?', before, limit)
  if (old.length === 0) return 0
  return yield* run(`delete from factor where confirmed_at is null and ${dialect.among('id')}`, JSON.stringify(old.map((found) => found.id)))
}

export function factorsStore(database: Database): Factors {
  const { dialect } = database
  return {
    listOf: (user) => database.read(() => listOf(user)),
    byCredential: (credentialId) => database.read(() => byCredential(credentialId)),
    insert: (factor, codes, event, by) => database.write(() => insert(dialect, factor, { codes, event, by })),
    confirm: (confirmation, by) => database.write(() => confirm(dialect, confirmation, by)),
    remove: (user, id, event) => database.write(() => remove(dialect, user, id, event)),
    removeAll: (user, at, events) => database.write(() => removeAll(dialect, user, { at, ...events })),
    useStep: (id, step, at) => database.write(() => useStep(id, step, at)),
    useCount: (id, signCount, at) => database.write(() => useCount(id, signCount, at)),
    replaceCodes: (user, hashes, event, by) => database.write(() => replaceCodes(dialect, user, hashes, { event, by }), { repeatable: true }),
    spendCode: async (user, hash, at) =>
      (await database.write(() => run('update recovery_code set spent_at = ? where user_id = ? and hash = ? and spent_at is null', at, user, hash))) === 1,
    codesLeft: (user) => database.read(() => codesLeft(user)),
    purge: (before, limit) => database.write(() => purge(dialect, before, limit), { repeatable: true }),
  }
}
