import type { ConnectSession } from '../../core/connect/connect-sessions.ts'
import type { Revocation } from '../../core/connection/connections.ts'
import type { ConnectionId, OrganizationId, UserId } from '../../core/ids.ts'
import type { JsonObject } from '../../core/json.ts'
import { type ErasureOutcome, type OwnerErasure, type Owners, withoutPerson } from '../../core/user/owners.ts'
import { append } from './event-rows.ts'
import { changed, type Database, type Dialect, type Program, type Row, rows, run } from './program.ts'
import { REVOCATION_COLUMNS, toRevocation } from './revocations.ts'
import { CLEAR_FLIGHT, json, text, textOrNull } from './rows.ts'
import { SESSION_COLUMNS, toSession } from './session-rows.ts'

const SESSIONS_SHOWN = 200

function* connectSessions(organization: OrganizationId, owner: string): Program<readonly ConnectSession[]> {
  const found = yield* rows(
    `select ${SESSION_COLUMNS.join(', ')} from connect_session where organization_id = ? and owner = ? order by id desc limit ?`,
    organization,
    owner,
    SESSIONS_SHOWN,
  )
  return found.map(toSession)
}

const OPENED = "select organization_id, subject from event where type = 'session.opened' and actor_id = ? and subject is not null"

/** What an event's own words for an owner are, and a ticket's, in each database. */
const TOLD_OWNER = { sqlite: "data ->> 'owner'", postgres: "data::json ->> 'owner'" } as const

function* eventSubjects(dialect: Dialect, { organization, owner, user }: Pick<OwnerErasure, 'organization' | 'owner' | 'user'>): Program<readonly string[]> {
  const connecting = yield* rows(
    `select subject from event where organization_id = ? and type = 'connect.session_created' and (${TOLD_OWNER[dialect.name]}) = ? and subject is not null`,
    organization,
    owner,
  )
  const here = user === null ? [] : (yield* rows(OPENED, user)).filter((event) => event.organization_id === organization)
  const subjects = [...connecting, ...here].map((found) => text(found, 'subject'))
  return [...new Set(user === null ? subjects : [...subjects, user])]
}

function* takeRevocations(dialect: Dialect, organization: OrganizationId, owner: string, visibilityMs: number): Program<readonly Revocation[]> {
  const own = yield* rows('select id from connection where organization_id = ? and owner = ?', organization, owner)
  const open = yield* rows(
    `select ${REVOCATION_COLUMNS} from revocation r where r.done_at is null and ${dialect.among('r.connection_id')} order by r.id ${dialect.forUpdate('r')}`,
    ids(own, 'id'),
  )
  yield* run(`update revocation set due_at = now_ms() + ?, attempts = attempts + 1 where ${dialect.among('id')}`, visibilityMs, ids(open, 'id'))
  return open.map(toRevocation)
}

function* erase(dialect: Dialect, erasure: OwnerErasure): Program<ErasureOutcome> {
  const { organization, owner } = erasure
  const own = yield* rows(
    `select k.id, k.state, k.integration_id, k.account from connection k where k.organization_id = ? and k.owner = ? order by k.id ${dialect.forUpdate('k')}`,
    organization,
    owner,
  )
  const live = own.filter((found) => found.state !== 'disconnected')
  if (live.length > 0) return { kind: 'live', connections: live.map(idOf) }
  const sessions = yield* rows('select id, flow_intent from connect_session where organization_id = ? and owner = ?', organization, owner)
  yield* forgetAnswers(dialect, organization, own, sessions)
  yield* forgetTokens(dialect, ids(own, 'id'))
  yield* forgetTraces(dialect, own)
  yield* run(`delete from connect_session where ${dialect.among('id')}`, ids(sessions, 'id'))
  yield* closePages(dialect, organization, owner)
  // The rule of its disconnect stays: the tokens of an answer that is still on its way are revoked by it, and purged in their time.
  yield* run(
    `update connection set owner = ?, account = null, account_label = null, fault = null, metadata = '{}', tags = '[]', scopes = null, variables = '{}',
       facts = '{}', consented_at = null, updated_at = ?, version = version + 1 where ${dialect.among('id')}`,
    erasure.pseudonym,
    erasure.at,
    ids(own, 'id'),
  )
  yield* emptyEvents(dialect, erasure, ids(own, 'id'))
  if (own.length + sessions.length > 0 || erasure.user !== null) yield* append(erasure.event)
  for (const found of own) yield* changed({ kind: 'connection', connection: idOf(found) })
  return { kind: 'erased', connections: own.map(idOf), connectSessions: sessions.length }
}

/** Links to their own page, opened or not: they name the owner, and would show the connections of whoever has the name next. A ticket is kept for a day. */
function* closePages(dialect: Dialect, organization: OrganizationId, owner: string): Program<void> {
  const theirs = `purpose in ('owner_page', 'owner_visit') and (${TOLD_OWNER[dialect.name]}) = ?`
  yield* run(`delete from ticket where organization_id = ? and ${theirs}`, organization, owner)
}

/** Found by the intents that the events name: a search through all answers would cost what everybody has. */
function* forgetAnswers(dialect: Dialect, organization: OrganizationId, own: readonly Row[], sessions: readonly Row[]): Program<void> {
  yield* run(
    `delete from answer where intent_id in (select e.subject from event e where ${dialect.among('e.connection_id')} and e.subject like 'itn%')`,
    ids(own, 'id'),
  )
  yield* run(`delete from answer where applied = 0 and ${dialect.among('connection_id')}`, ids(own, 'id'))
  yield* run(`delete from answer where ${dialect.among('intent_id')}`, ids(sessions, 'flow_intent'))
  yield* run(`delete from answer where organization_id = ? and applied = 0 and ${dialect.among('session_id')}`, organization, ids(sessions, 'id'))
}

function* forgetTokens(dialect: Dialect, own: string): Program<void> {
  yield* run(
    `update credential set access_token = null, refresh_token = null, fingerprint = null, ${CLEAR_FLIGHT} where ${dialect.among('connection_id')}`,
    own,
  )
  yield* run(
    `update revocation set due_at = null, done_at = now_ms(), staged_access_token = null, staged_refresh_token = null
     where done_at is null and ${dialect.among('connection_id')}`,
    own,
  )
}

/** What stands about a connection elsewhere. A push about its account goes where nobody else here has that account. */
function* forgetTraces(dialect: Dialect, own: readonly Row[]): Program<void> {
  yield* run(
    `update health set due_at = null, next_attempt_at = null, warn_at = null, failed_intent = null, leased_by = null where ${dialect.among('connection_id')}`,
    ids(own, 'id'),
  )
  for (const table of ['death', 'parked', 'connection_check', 'imported_grant'])
    yield* run(`delete from ${table} where ${dialect.among('connection_id')}`, ids(own, 'id'))
  for (const found of own) {
    yield* run('delete from quota where integration_id = ? and scope = ?', text(found, 'integration_id'), idOf(found))
    const account = textOrNull(found, 'account')
    if (account === null) continue
    yield* run(
      `delete from push_notice where integration_id = ? and account = ? and not exists (
         select 1 from connection k where k.integration_id = ? and k.account = ? and k.state <> 'disconnected')`,
      text(found, 'integration_id'),
      account,
      text(found, 'integration_id'),
      account,
    )
  }
}

/** Events stay, with their ids and times; what they tell of the person goes. Routine ones never told anything. */
function* emptyEvents(dialect: Dialect, { organization, owner, user }: OwnerErasure, own: string): Program<void> {
  const found = yield* rows(`select organization_id, id, data from event where ${dialect.among('connection_id')} and ${TELLING}`, own)
  const named = yield* eventsAbout(dialect, yield* eventSubjects(dialect, { organization, owner, user }))
  yield* empty([...found, ...named.filter((event) => event.organization_id === organization)])
}

/** In every organization: only who goes as a whole asks for that. */
export function* emptyEventsOf(dialect: Dialect, user: UserId): Program<void> {
  const sessions = (yield* rows(OPENED, user)).map((found) => text(found, 'subject'))
  yield* empty(yield* eventsAbout(dialect, [...new Set([user, ...sessions])]))
}

const TELLING = "data <> '{}' and type <> 'connection.refreshed'"

function eventsAbout(dialect: Dialect, subjects: readonly string[]): Program<readonly Row[]> {
  return rows(`select organization_id, id, data from event where ${dialect.among('subject')} and ${TELLING}`, JSON.stringify(subjects))
}

function* empty(events: readonly Row[]): Program<void> {
  for (const event of events) {
    const emptied = JSON.stringify(withoutPerson(json<JsonObject>(event, 'data')))
    yield* run('update event set data = ? where organization_id = ? and id = ?', emptied, text(event, 'organization_id'), text(event, 'id'))
  }
}

const idOf = (found: Row): ConnectionId => text(found, 'id') as ConnectionId

function ids(found: readonly Row[], column: string): string {
  return JSON.stringify(found.map((one) => one[column]).filter((id) => id !== null))
}

export function ownersStore(database: Database): Owners {
  const { dialect } = database
  return {
    connectSessions: (organization, owner) => database.read(() => connectSessions(organization, owner)),
    eventSubjects: (organization, owner, user) => database.read(() => eventSubjects(dialect, { organization, owner, user })),
    takeRevocations: (organization, owner, visibilityMs) => database.write(() => takeRevocations(dialect, organization, owner, visibilityMs)),
    erase: (erasure) => database.write(() => erase(dialect, erasure)),
  }
}
