import type { NewEvent } from '../../core/audit/event.ts'
import type { Page, PageRequest } from '../../core/connection/connections.ts'
import type { OrganizationId, SessionId, UserId } from '../../core/ids.ts'
import type { Instant } from '../../core/time.ts'
import type { Membership, Role, User } from '../../core/user/user.ts'
import type { Decision, ErasureBasis, Identity, Member, PersonEnding, Spending, Users } from '../../core/user/users.ts'
import { append } from './event-rows.ts'
import { emptyEventsOf } from './owners-store.ts'
import { afterOf, limitOf, toPage } from './paging.ts'
import { lockPerson } from './person-lock.ts'
import { endOfUser } from './person-session-ends.ts'
import { changed, type Database, type Dialect, type Program, row, rows, run, type SqlValue } from './program.ts'
import { text } from './rows.ts'
import { endAll as endTickets, spend } from './tickets-store.ts'
import { MEMBERSHIP, PERSON, PERSON_COLUMNS, personValues, toIdentity, toMembership, toUser } from './user-rows.ts'

/** Written with the first person and never removed: whoever comes after everybody was erased is not the first. */
const FIRST_PERSON = 'person.first'
const SET_PERSON = PERSON_COLUMNS.slice(1)
  .map((column) => `${column} = ?`)
  .join(', ')

type Taken = 'email_taken' | 'external_id_taken'

/** Looked up before it is written. Of two who come at once, the second runs into the unique index, starts again, and finds the row of the first. */
function* takenBy(user: User): Program<Taken | null> {
  const { id, email, externalId } = user
  if (email !== null && (yield* row('select id from person where email = ? and id <> ?', email, id)) !== undefined) return 'email_taken'
  if (externalId !== null && (yield* row('select id from person where external_id = ? and id <> ?', externalId, id)) !== undefined) return 'external_id_taken'
  return null
}

function* insertMembership({ organization, user, role, createdAt }: Membership): Program<boolean> {
  const inserted = yield* run(
    'insert into membership (organization_id, user_id, role, created_at) values (?, ?, ?, ?) on conflict do nothing',
    organization,
    user,
    role,
    createdAt,
  )
  return inserted === 1
}

const INSERT_IDENTITY = 'insert into person_identity (issuer, subject, user_id, created_at) values (?, ?, ?, ?)'
const identityValues = ({ issuer, subject, user, createdAt }: Identity): readonly SqlValue[] => [issuer, subject, user, createdAt]

/** The first write: nothing else happens with a ticket that was used before. */
function* spent(spends: Spending | undefined): Program<boolean> {
  return spends === undefined || (yield* spend(spends.hash, spends.purpose)) !== undefined
}

/** Also the last step of a sign-in through a provider. */
export function* insertPerson(
  user: User,
  membership: Membership,
  identity: Identity | null,
  event: NewEvent,
  spends?: Spending,
): Program<'inserted' | Taken | 'identity_taken' | 'ticket_spent'> {
  const taken = yield* takenBy(user)
  if (taken !== null) return taken
  if (identity !== null && (yield* identityUser(identity.issuer, identity.subject)) !== undefined) return 'identity_taken'
  if (!(yield* spent(spends))) return 'ticket_spent'
  const marks = PERSON_COLUMNS.map(() => '?').join(', ')
  yield* run(`insert into person (${PERSON_COLUMNS.join(', ')}) values (${marks})`, ...personValues(user))
  yield* insertMembership(membership)
  if (identity !== null) yield* run(INSERT_IDENTITY, ...identityValues(identity))
  yield* run('insert into meta (name, value) values (?, ?) on conflict do nothing', FIRST_PERSON, new Uint8Array())
  yield* append(event)
  yield* changed({ kind: 'user', user: user.id })
  return 'inserted'
}

function* find(condition: string, ...params: readonly SqlValue[]): Program<User | undefined> {
  const found = yield* row(`select ${PERSON} from person p where ${condition}`, ...params)
  return found === undefined ? undefined : toUser(found)
}

export function* identityUser(issuer: string, subject: string): Program<User | undefined> {
  const found = yield* row(`select ${PERSON} from person_identity i join person p on p.id = i.user_id where i.issuer = ? and i.subject = ?`, issuer, subject)
  return found === undefined ? undefined : toUser(found)
}

export function* addIdentity(identity: Identity, event: NewEvent): Program<'added' | 'taken'> {
  if ((yield* run(`${INSERT_IDENTITY} on conflict do nothing`, ...identityValues(identity))) === 0) return 'taken'
  yield* append(event)
  return 'added'
}

function* identitiesOf(user: UserId): Program<readonly Identity[]> {
  const found = yield* rows('select issuer, subject, user_id, created_at from person_identity where user_id = ? order by created_at, issuer, subject', user)
  return found.map(toIdentity)
}

interface PersonUpdate {
  readonly event: NewEvent
  readonly ending: PersonEnding | undefined
  readonly within: readonly OrganizationId[] | undefined
}

function* update(
  dialect: Dialect,
  user: User,
  { event, ending, within }: PersonUpdate,
): Program<'updated' | 'moved' | 'ticket_spent' | 'last_owner' | 'elsewhere' | Taken> {
  const stored = yield* lockPerson(dialect, user.id)
  if (stored === undefined || stored.version !== user.version - 1) return 'moved'
  if (within !== undefined && isElsewhere(yield* membershipsOf(user.id), within)) return 'elsewhere'
  if (stored.disabledAt === null && user.disabledAt !== null && (yield* isAnyLastOwner(dialect, user.id))) return 'last_owner'
  const taken = yield* takenBy(user)
  if (taken !== null) return taken
  if (!(yield* spent(ending?.spends))) return 'ticket_spent'
  yield* run(`update person set ${SET_PERSON} where id = ?`, ...personValues(user).slice(1), user.id)
  yield* append(event)
  if (ending !== undefined) yield* endWith(dialect, user.id, ending)
  yield* changed({ kind: 'user', user: user.id })
  return 'updated'
}

/** The person's row is locked: a session that is being opened is found here, or its opener sees the change. */
function* endWith(dialect: Dialect, user: UserId, { end, except, tickets, identities, at, event, joins }: PersonEnding): Program<void> {
  const ended = yield* endOfUser(dialect, { user, organization: null, except }, { end, at })
  if (ended.length > 0) yield* append(event)
  yield* endTickets(user, tickets)
  if (identities) yield* run('delete from person_identity where user_id = ?', user)
  if (joins !== undefined) yield* addMember(dialect, joins.membership, joins.event)
}

/** Whatever hangs on a person goes with the row, also what was being written beside this. */
function* erase(
  dialect: Dialect,
  id: UserId,
  event: NewEvent,
  basis: ErasureBasis | undefined,
): Program<'erased' | 'gone' | 'last_owner' | 'elsewhere' | 'moved'> {
  // Whoever joins an organization takes this lock, too: from here on the person belongs nowhere else.
  if ((yield* lockPerson(dialect, id)) === undefined) return 'gone'
  const memberships = yield* membershipsOf(id)
  if (basis !== undefined && isElsewhere(memberships, basis.within)) return 'elsewhere'
  for (const { organization } of memberships) {
    const decision = organization === basis?.within[0] ? basis.decision : undefined
    const held = yield* lockedRole(dialect, { organization, user: id, decision })
    if (held === 'last_owner' || held === 'moved') return held
  }
  const sessions = yield* rows('select id from session where user_id = ?', id)
  yield* emptyEventsOf(dialect, id)
  yield* run('delete from person where id = ?', id)
  yield* append(event)
  for (const session of sessions) yield* changed({ kind: 'session', session: text(session, 'id') as SessionId })
  yield* changed({ kind: 'user', user: id })
  return 'erased'
}

function isElsewhere(memberships: readonly Membership[], within: readonly OrganizationId[]): boolean {
  return memberships.some(({ organization }) => !within.includes(organization))
}

/** In the order of their ids, as everybody locks them. */
function* isAnyLastOwner(dialect: Dialect, user: UserId): Program<boolean> {
  for (const { organization } of yield* membershipsOf(user))
    if ((yield* lockedRole(dialect, { organization, user, decision: undefined })) === 'last_owner') return true
  return false
}

function* membershipsOf(user: UserId): Program<readonly Membership[]> {
  return (yield* rows(`select ${MEMBERSHIP} from membership m where m.user_id = ? order by m.organization_id`, user)).map(toMembership)
}

function* list(organization: OrganizationId, page: PageRequest): Program<Page<Member>> {
  const limit = limitOf(page)
  const found = yield* rows(
    `select ${PERSON}, ${MEMBERSHIP} from membership m join person p on p.id = m.user_id
     where m.organization_id = ? and m.user_id > ? order by m.user_id limit ?`,
    organization,
    afterOf(page) ?? '',
    limit + 1,
  )
  const members = found.map((member) => ({ user: toUser(member), membership: toMembership(member) }))
  return toPage(members, limit, (member) => member.user.id)
}

export function* addMember(
  dialect: Dialect,
  membership: Membership,
  event: NewEvent,
  spends?: Spending,
  version?: number,
): Program<'added' | 'already' | 'ticket_spent' | 'gone' | 'moved'> {
  const person = yield* lockPerson(dialect, membership.user)
  if (person === undefined) return 'gone'
  if (version !== undefined && person.version !== version) return 'moved'
  if (!(yield* spent(spends))) return 'ticket_spent'
  if (!(yield* insertMembership(membership))) return 'already'
  yield* append(event)
  yield* changed({ kind: 'user', user: membership.user })
  return 'added'
}

interface OfMember {
  readonly organization: OrganizationId
  readonly user: UserId
  readonly decision: Decision | undefined
}

/**
 * What the person is, with every owner of the organization locked, so that two owners who leave at once leave one; and with whoever decides, so that
 * nobody decides with a role that is theirs no more.
 */
function* lockedRole(dialect: Dialect, { organization, user, decision }: OfMember): Program<Role | 'last_owner' | 'gone' | 'moved'> {
  yield* rows(`select m.user_id from membership m where m.organization_id = ? and m.role = 'owner' order by m.user_id ${dialect.forUpdate('m')}`, organization)
  const by = decision?.by ?? null
  const concerned = yield* rows(
    `select m.user_id, m.role from membership m where m.organization_id = ? and m.user_id in (?, ?) order by m.user_id ${dialect.forUpdate('m')}`,
    organization,
    user,
    by?.user ?? user,
  )
  const roles = new Map(concerned.map((found) => [text(found, 'user_id'), text(found, 'role') as Role]))
  const role = roles.get(user)
  if (role === undefined) return 'gone'
  if (decision !== undefined && (role !== decision.held || (by !== null && roles.get(by.user) !== by.role))) return 'moved'
  return role === 'owner' && (yield* isLastOwner(organization, user)) ? 'last_owner' : role
}

/**
 * Asked once the owners are locked, in a statement of its own: one that waits for a lock still sees who was enabled before. A disabled owner could mend
 * nothing: they are the last one only where nobody else is.
 */
function* isLastOwner(organization: OrganizationId, user: UserId): Program<boolean> {
  const owners = yield* rows(
    "select p.id, p.disabled_at from membership m join person p on p.id = m.user_id where m.organization_id = ? and m.role = 'owner'",
    organization,
  )
  const others = owners.filter(({ id }) => id !== user)
  const enabled = owners.filter(({ disabled_at: at }) => at === null)
  return enabled.some(({ id }) => id === user) ? enabled.length === 1 : others.length === 0
}

function* changeRole(dialect: Dialect, member: OfMember, role: Role, event: NewEvent): Program<'changed' | 'gone' | 'last_owner' | 'moved'> {
  const { organization, user } = member
  const held = yield* lockedRole(dialect, member)
  if (held === 'gone' || held === 'moved') return held
  if (held === 'last_owner' && role !== 'owner') return 'last_owner'
  yield* run('update membership set role = ? where organization_id = ? and user_id = ?', role, organization, user)
  yield* append(event)
  yield* changed({ kind: 'user', user })
  return 'changed'
}

function* removeMember(dialect: Dialect, member: OfMember, at: Instant, event: NewEvent): Program<'removed' | 'gone' | 'last_owner' | 'moved'> {
  const { organization, user } = member
  const held = yield* lockedRole(dialect, member)
  if (held === 'gone' || held === 'last_owner' || held === 'moved') return held
  yield* run('delete from membership where organization_id = ? and user_id = ?', organization, user)
  yield* endOfUser(dialect, { user, organization, except: null }, { end: 'membership_ended', at })
  yield* append(event)
  yield* changed({ kind: 'user', user })
  return 'removed'
}

function* none(): Program<boolean> {
  return (yield* row('select name from meta where name = ?', FIRST_PERSON)) === undefined
}

export function usersStore(database: Database): Users {
  const { dialect } = database
  return {
    insert: (user, membership, identity, event, spends) => database.write(() => insertPerson(user, membership, identity, event, spends)),
    get: (id) => database.read(() => find('p.id = ?', id)),
    byEmail: (email) => database.read(() => find('p.email = ?', email)),
    byExternalId: (externalId) => database.read(() => find('p.external_id = ?', externalId)),
    byIdentity: (issuer, subject) => database.read(() => identityUser(issuer, subject)),
    addIdentity: (identity, event) => database.write(() => addIdentity(identity, event)),
    identitiesOf: (user) => database.read(() => identitiesOf(user)),
    update: (user, event, ending, within) => database.write(() => update(dialect, user, { event, ending, within })),
    erase: (id, _at, event, basis) => database.write(() => erase(dialect, id, event, basis)),
    membershipsOf: (user) => database.read(() => membershipsOf(user)),
    list: (organization, page) => database.read(() => list(organization, page)),
    addMember: (membership, event, spends, version) => database.write(() => addMember(dialect, membership, event, spends, version)),
    changeRole: (organization, user, role, event, decision) => database.write(() => changeRole(dialect, { organization, user, decision }, role, event)),
    removeMember: (organization, user, at, event, decision) => database.write(() => removeMember(dialect, { organization, user, decision }, at, event)),
    none: () => database.read(none),
  }
}
