import type { NewEvent } from '../../core/audit/event.ts'
import type { OrganizationId, SessionId, UserId } from '../../core/ids.ts'
import { judgeInput, misplaced } from '../../core/session/presentation.ts'
import type { Session, SessionEnd } from '../../core/session/session.ts'
import type { EndScope, PresentationInput, Presented, Sessions, SignedIn } from '../../core/session/sessions.ts'
import type { Instant } from '../../core/time.ts'
import { append } from './event-rows.ts'
import { endBranches, endOfUser, endRows } from './person-session-ends.ts'
import {
  INSERT_PERSON_SESSION,
  lookAt,
  PERSON_SESSION,
  personSessionValues,
  SIGNED_IN,
  SIGNED_IN_TABLES,
  toPersonSession,
  toSignedIn,
} from './person-session-rows.ts'
import { changed, type Database, type Dialect, type Program, row, rows, run } from './program.ts'
import { integer, integerOrNull, text, textOrNull } from './rows.ts'

/** A branch of a session that is over is over from its beginning: nobody who ends a session can miss one that is being opened. */
function* open(dialect: Dialect, session: Session, event: NewEvent): Program<void> {
  const { parent } = session
  const over = parent === null ? null : yield* endOfParent(dialect, parent, session.createdAt)
  yield* run(INSERT_PERSON_SESSION, ...personSessionValues({ ...session, ...over }))
  yield* append(event)
}

function* endOfParent(dialect: Dialect, parent: SessionId, at: Instant): Program<Pick<Session, 'revokedAt' | 'end'> | null> {
  const found = yield* row(`select s.revoked_at, s.ended from session s where s.id = ? ${dialect.forUpdate('s')}`, parent)
  if (found === undefined) return { revokedAt: at, end: 'signed_out' }
  const revokedAt = integerOrNull(found, 'revoked_at')
  return revokedAt === null ? null : { revokedAt, end: textOrNull(found, 'ended') as SessionEnd | null }
}

function* get(id: SessionId): Program<SignedIn | undefined> {
  const found = yield* row(`select ${SIGNED_IN} from ${SIGNED_IN_TABLES} where s.id = ?`, id)
  return found === undefined ? undefined : toSignedIn(found)
}

function* present(dialect: Dialect, input: PresentationInput): Program<Presented> {
  const found = yield* row(`select ${SIGNED_IN}, now_ms() as now from ${SIGNED_IN_TABLES} where s.id = ? ${dialect.forUpdate('s')}`, input.session)
  if (found === undefined) return { kind: 'unknown' }
  const signedIn = toSignedIn(found)
  const why = misplaced(signedIn.session, input.shown)
  if (why !== null) return { kind: 'refused', why }
  const at = integer(found, 'now')
  const { judgement, session, write, event } = judgeInput(signedIn.session, input, at)
  if (write === 'end') yield* endWithBranches(dialect, yield* deviceOf(session), 'reuse_detected', at)
  if (write === 'rotation') yield* rotate(session)
  if (write === 'recent') yield* run('update session set recent = ? where id = ?', JSON.stringify(session.recent), session.id)
  if (event !== null) yield* append(event)
  return { kind: 'known', judgement, signedIn: { ...signedIn, session } }
}

/** No column of an index is among these: a rotation costs the row alone. */
function* rotate(session: Session): Program<void> {
  yield* run(
    'update session set generation = ?, previous = ?, issued_at = ?, used_at = null, recent = ?, idle_expires_at = ?, user_agent = ?, address = ? where id = ?',
    session.generation,
    session.previous,
    session.issuedAt,
    JSON.stringify(session.recent),
    session.idleExpiresAt,
    session.userAgent,
    session.address,
    session.id,
  )
  yield* changed({ kind: 'session', session: session.id })
}

/** Two nodes that mark the same sessions take them in one order. */
function* markUsed(marks: Parameters<Sessions['markUsed']>[0]): Program<void> {
  const ordered = [...marks].sort((left, right) => (left.session < right.session ? -1 : 1))
  for (const { session, generation, at } of ordered)
    yield* run('update session set used_at = ? where id = ? and generation = ? and used_at is null', at, session, generation)
}

function* listOf(user: UserId): Program<readonly Session[]> {
  const found = yield* rows(
    `select ${PERSON_SESSION} from session s
     where s.user_id = ? and s.revoked_at is null and s.idle_expires_at > now_ms() and s.expires_at > now_ms() order by s.id desc`,
    user,
  )
  return found.map(toPersonSession)
}

/**
 * The session that all tabs of the device came from. Whoever stole the credential of one tab may have opened another with it, beside it: only together they
 * end the thief. It may be over by itself, and its row gone; its branches still name it.
 */
function* deviceOf({ id, parent }: Pick<Session, 'id' | 'parent'>): Program<SessionId> {
  let device = id
  for (let above = parent; above !== null; ) {
    device = above
    const found = yield* row('select s.parent_id from session s where s.id = ?', device)
    above = found === undefined ? null : (textOrNull(found, 'parent_id') as SessionId | null)
  }
  return device
}

function* endWithBranches(dialect: Dialect, id: SessionId, end: SessionEnd, at: Instant): Program<void> {
  yield* endRows(dialect, [id], { end, at })
  yield* endBranches(dialect, [id], { end, at })
}

function* endOne(dialect: Dialect, id: SessionId, end: SessionEnd, at: Instant, event: NewEvent): Program<'ended' | 'already' | 'gone'> {
  const found = yield* row(`select s.revoked_at, now_ms() as now from session s where s.id = ? ${dialect.forUpdate('s')}`, id)
  if (found === undefined) return 'gone'
  if (found.revoked_at !== null) return 'already'
  // What a browser hears of a session that was replaced depends on how long ago that was, by the clock that presentations are judged by.
  yield* endWithBranches(dialect, id, end, end === 'replaced' ? integer(found, 'now') : at)
  yield* append(event)
  return 'ended'
}

function* endAll(dialect: Dialect, user: UserId, scope: EndScope, end: SessionEnd, at: Instant, event: NewEvent): Program<readonly SessionId[]> {
  const ended = yield* endOfUser(dialect, { user, ...scope }, { end, at })
  if (ended.length > 0) yield* append(event)
  return ended
}

function* reauthenticated(id: SessionId, methods: Session['methods'], at: Instant): Program<void> {
  const done = yield* run('update session set methods = ?, authenticated_at = ? where id = ? and revoked_at is null', JSON.stringify(methods), at, id)
  if (done === 1) yield* changed({ kind: 'session', session: id })
}

function* switchOrganization(id: SessionId, organization: OrganizationId): Program<void> {
  const done = yield* run('update session set organization_id = ? where id = ? and revoked_at is null', organization, id)
  if (done === 1) yield* changed({ kind: 'session', session: id })
}

/** A session that went on since the purge last looked is looked at again when it may be over. */
function* purge(dialect: Dialect, before: Instant, limit: number): Program<number> {
  const found = yield* rows(
    `select s.id, s.idle_expires_at, s.expires_at, s.revoked_at from session s where s.look_at < ? order by s.look_at limit ? ${dialect.skipLocked('s')}`,
    before,
    limit,
  )
  const over: string[] = []
  for (const one of found) {
    const at = lookAt({ idleExpiresAt: integer(one, 'idle_expires_at'), expiresAt: integer(one, 'expires_at'), revokedAt: integerOrNull(one, 'revoked_at') })
    if (at < before) over.push(text(one, 'id'))
    else yield* run('update session set look_at = ? where id = ?', at, text(one, 'id'))
  }
  if (over.length > 0) yield* run(`delete from session where ${dialect.among('id')}`, JSON.stringify(over))
  return over.length
}

export function personSessionsStore(database: Database): Sessions {
  const { dialect } = database
  return {
    open: (session, event) => database.write(() => open(dialect, session, event)),
    get: (id) => database.read(() => get(id)),
    // Whoever presents twice gets the same again, so an unknown commit may be repeated.
    present: (input) => database.write(() => present(dialect, input), { repeatable: true }),
    markUsed: (marks) => (marks.length === 0 ? Promise.resolve() : database.write(() => markUsed(marks), { repeatable: true })),
    listOf: (user) => database.read(() => listOf(user)),
    end: (id, end, at, event) => database.write(() => endOne(dialect, id, end, at, event)),
    endAll: (user, scope, end, at, event) => database.write(() => endAll(dialect, user, scope, end, at, event)),
    reauthenticated: (id, methods, at) => database.write(() => reauthenticated(id, methods, at), { repeatable: true }),
    switchOrganization: (id, organization) => database.write(() => switchOrganization(id, organization), { repeatable: true }),
    purge: (before, limit) => database.write(() => purge(dialect, before, limit), { repeatable: true }),
  }
}
