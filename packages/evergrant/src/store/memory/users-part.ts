import type { NewEvent } from '../../core/audit/event.ts'
import type { Page, PageRequest } from '../../core/connection/connections.ts'
import type { OrganizationId, UserId } from '../../core/ids.ts'
import type { Instant } from '../../core/time.ts'
import type { Membership, Role, User } from '../../core/user/user.ts'
import type { Decision, ErasureBasis, Identity, Member, PersonEnding, Spending, Users } from '../../core/user/users.ts'
import { afterOf, limitOf, toPage } from '../sql/paging.ts'
import { endTickets, spend } from './identity-part.ts'
import { emptyEventsOf } from './owners-part.ts'
import { endOfUser } from './person-sessions-part.ts'
import type { Tables } from './tables.ts'

const FIRST_PERSON = 'person.first'
const memberKey = (organization: OrganizationId, user: UserId): string => `${organization} ${user}`
const identityKey = (issuer: string, subject: string): string => JSON.stringify([issuer, subject])

type Taken = 'email_taken' | 'external_id_taken'

function find(tables: Tables, matches: (user: User) => boolean): User | undefined {
  for (const user of tables.people.values()) if (matches(user)) return user
  return undefined
}

function takenBy(tables: Tables, user: User): Taken | null {
  const { id, email, externalId } = user
  if (email !== null && find(tables, (other) => other.email === email && other.id !== id) !== undefined) return 'email_taken'
  if (externalId !== null && find(tables, (other) => other.externalId === externalId && other.id !== id) !== undefined) return 'external_id_taken'
  return null
}

/** Also of the founder of an organization. Returns false when the person is a member already. */
export function addMembership(tables: Tables, membership: Membership): boolean {
  const { organization, user } = membership
  if (!tables.organizations.has(organization)) throw new Error(`${organization} is not stored`)
  if (!tables.people.has(user)) throw new Error(`${user} is not stored`)
  if (tables.memberships.has(memberKey(organization, user))) return false
  tables.memberships.set(memberKey(organization, user), membership)
  return true
}

function spent(tables: Tables, spends: Spending | undefined): boolean {
  return spends === undefined || spend(tables, spends.hash, spends.purpose) !== undefined
}

/** Also the last step of a sign-in through a provider. */
export function insertPerson(
  tables: Tables,
  user: User,
  membership: Membership,
  identity: Identity | null,
  event: NewEvent,
  spends?: Spending,
): 'inserted' | Taken | 'identity_taken' | 'ticket_spent' {
  if (tables.people.has(user.id)) throw new Error(`${user.id} is stored already`)
  if (!tables.organizations.has(membership.organization)) throw new Error(`${membership.organization} is not stored`)
  const taken = takenBy(tables, user)
  if (taken !== null) return taken
  if (identity !== null && tables.identities.has(identityKey(identity.issuer, identity.subject))) return 'identity_taken'
  if (!spent(tables, spends)) return 'ticket_spent'
  tables.people.set(user.id, user)
  addMembership(tables, membership)
  if (identity !== null) tables.identities.set(identityKey(identity.issuer, identity.subject), identity)
  tables.meta.set(FIRST_PERSON, new Uint8Array())
  tables.append(event)
  tables.changed({ kind: 'user', user: user.id })
  return 'inserted'
}

export function addIdentity(tables: Tables, identity: Identity, event: NewEvent): 'added' | 'taken' {
  const key = identityKey(identity.issuer, identity.subject)
  if (!tables.people.has(identity.user)) throw new Error(`${identity.user} is not stored`)
  if (tables.identities.has(key)) return 'taken'
  tables.identities.set(key, identity)
  tables.append(event)
  return 'added'
}

interface PersonUpdate {
  readonly event: NewEvent
  readonly ending: PersonEnding | undefined
  readonly within: readonly OrganizationId[] | undefined
}

function update(
  tables: Tables,
  user: User,
  { event, ending, within }: PersonUpdate,
): 'updated' | 'moved' | 'ticket_spent' | 'last_owner' | 'elsewhere' | Taken {
  const stored = tables.people.get(user.id)
  if (stored?.version !== user.version - 1) return 'moved'
  const memberships = membershipsOf(tables, user.id)
  if (within !== undefined && isElsewhere(memberships, within)) return 'elsewhere'
  if (stored.disabledAt === null && user.disabledAt !== null && memberships.some((one) => isLastOwner(tables, one))) return 'last_owner'
  const taken = takenBy(tables, user)
  if (taken !== null) return taken
  if (!spent(tables, ending?.spends)) return 'ticket_spent'
  tables.people.set(user.id, user)
  tables.append(event)
  if (ending !== undefined) endWith(tables, user.id, ending)
  tables.changed({ kind: 'user', user: user.id })
  return 'updated'
}

function endWith(tables: Tables, user: UserId, { end, except, tickets, identities, at, event, joins }: PersonEnding): void {
  if (endOfUser(tables, user, { organization: null, except }, { end, at }).length > 0) tables.append(event)
  endTickets(tables, user, tickets)
  if (identities) dropIdentities(tables, user)
  if (joins !== undefined) addMember(tables, joins.membership, joins.event)
}

function dropIdentities(tables: Tables, user: UserId): void {
  for (const [key, identity] of tables.identities) if (identity.user === user) tables.identities.delete(key)
}

/** Whatever hangs on a person goes with them. */
function erase(tables: Tables, id: UserId, event: NewEvent, basis: ErasureBasis | undefined): 'erased' | 'gone' | 'last_owner' | 'elsewhere' | 'moved' {
  if (!tables.people.has(id)) return 'gone'
  const memberships = membershipsOf(tables, id)
  if (basis !== undefined && isElsewhere(memberships, basis.within)) return 'elsewhere'
  for (const membership of memberships) {
    if (membership.organization === basis?.within[0] && hasMoved(tables, membership, basis?.decision)) return 'moved'
    if (isLastOwner(tables, membership)) return 'last_owner'
  }
  emptyEventsOf(tables, id)
  tables.people.delete(id)
  for (const [key, membership] of tables.memberships) if (membership.user === id) tables.memberships.delete(key)
  dropIdentities(tables, id)
  for (const [hash, { ticket }] of tables.tickets) if (ticket.user === id) tables.tickets.delete(hash)
  for (const [key, factor] of tables.factors) if (factor.user === id) tables.factors.delete(key)
  for (const key of tables.recoveryCodes.keys()) if (key.startsWith(`${id} `)) tables.recoveryCodes.delete(key)
  tables.append(event)
  for (const [session, { user }] of tables.personSessions) {
    if (user !== id) continue
    tables.personSessions.delete(session)
    tables.changed({ kind: 'session', session })
  }
  tables.changed({ kind: 'user', user: id })
  return 'erased'
}

function list(tables: Tables, organization: OrganizationId, page: PageRequest): Page<Member> {
  const limit = limitOf(page)
  const after = afterOf(page) ?? ''
  const members: Member[] = []
  for (const membership of tables.memberships.values()) {
    const user = tables.people.get(membership.user)
    if (membership.organization === organization && user !== undefined && user.id > after) members.push({ user, membership })
  }
  members.sort((left, right) => (left.user.id < right.user.id ? -1 : 1))
  return toPage(members.slice(0, limit + 1), limit, (member) => member.user.id)
}

interface OfMember {
  readonly organization: OrganizationId
  readonly user: UserId
  readonly decision: Decision | undefined
}

function membershipsOf(tables: Tables, user: UserId): readonly Membership[] {
  return [...tables.memberships.values()]
    .filter((membership) => membership.user === user)
    .sort((left, right) => (left.organization < right.organization ? -1 : 1))
}

function isElsewhere(memberships: readonly Membership[], within: readonly OrganizationId[]): boolean {
  return memberships.some(({ organization }) => !within.includes(organization))
}

/** A disabled owner could mend nothing: they are the last one only where nobody else is. */
function isLastOwner(tables: Tables, { organization, user, role }: Membership): boolean {
  if (role !== 'owner') return false
  const others = [...tables.memberships.values()].filter((other) => other.organization === organization && other.role === 'owner' && other.user !== user)
  const isEnabled = (id: UserId): boolean => tables.people.get(id)?.disabledAt === null
  return isEnabled(user) ? !others.some((other) => isEnabled(other.user)) : others.length === 0
}

function hasMoved(tables: Tables, { organization, role }: Membership, decision: Decision | undefined): boolean {
  if (decision === undefined) return false
  const { held, by } = decision
  return role !== held || (by !== null && tables.memberships.get(memberKey(organization, by.user))?.role !== by.role)
}

function changeRole(tables: Tables, { organization, user, decision }: OfMember, role: Role, event: NewEvent): 'changed' | 'gone' | 'last_owner' | 'moved' {
  const membership = tables.memberships.get(memberKey(organization, user))
  if (membership === undefined) return 'gone'
  if (hasMoved(tables, membership, decision)) return 'moved'
  if (role !== 'owner' && isLastOwner(tables, membership)) return 'last_owner'
  tables.memberships.set(memberKey(organization, user), { ...membership, role })
  tables.append(event)
  tables.changed({ kind: 'user', user })
  return 'changed'
}

function removeMember(tables: Tables, { organization, user, decision }: OfMember, at: Instant, event: NewEvent): 'removed' | 'gone' | 'last_owner' | 'moved' {
  const membership = tables.memberships.get(memberKey(organization, user))
  if (membership === undefined) return 'gone'
  if (hasMoved(tables, membership, decision)) return 'moved'
  if (isLastOwner(tables, membership)) return 'last_owner'
  tables.memberships.delete(memberKey(organization, user))
  endOfUser(tables, user, { organization, except: null }, { end: 'membership_ended', at })
  tables.append(event)
  tables.changed({ kind: 'user', user })
  return 'removed'
}

export function identityUser(tables: Tables, issuer: string, subject: string): User | undefined {
  const identity = tables.identities.get(identityKey(issuer, subject))
  return identity === undefined ? undefined : tables.people.get(identity.user)
}

const identityOrder = ({ createdAt, issuer, subject }: Identity): string => `${String(createdAt).padStart(16, '0')} ${issuer} ${subject}`

export function addMember(
  tables: Tables,
  membership: Membership,
  event: NewEvent,
  spends?: Spending,
  version?: number,
): 'added' | 'already' | 'ticket_spent' | 'gone' | 'moved' {
  const person = tables.people.get(membership.user)
  if (person === undefined) return 'gone'
  if (version !== undefined && person.version !== version) return 'moved'
  if (!spent(tables, spends)) return 'ticket_spent'
  if (!addMembership(tables, membership)) return 'already'
  tables.append(event)
  tables.changed({ kind: 'user', user: membership.user })
  return 'added'
}

export function usersPart(tables: Tables): Users {
  return {
    insert: async (user, membership, identity, event, spends) => insertPerson(tables, user, membership, identity, event, spends),
    get: async (id) => tables.people.get(id),
    byEmail: async (email) => find(tables, (user) => user.email === email),
    byExternalId: async (externalId) => find(tables, (user) => user.externalId === externalId),
    byIdentity: async (issuer, subject) => identityUser(tables, issuer, subject),
    addIdentity: async (identity, event) => addIdentity(tables, identity, event),
    identitiesOf: async (user) =>
      [...tables.identities.values()].filter((identity) => identity.user === user).sort((left, right) => (identityOrder(left) < identityOrder(right) ? -1 : 1)),
    update: async (user, event, ending, within) => update(tables, user, { event, ending, within }),
    erase: async (id, _at, event, basis) => erase(tables, id, event, basis),
    membershipsOf: async (user) => membershipsOf(tables, user),
    list: async (organization, page) => list(tables, organization, page),
    addMember: async (membership, event, spends, version) => addMember(tables, membership, event, spends, version),
    changeRole: async (organization, user, role, event, decision) => changeRole(tables, { organization, user, decision }, role, event),
    removeMember: async (organization, user, at, event, decision) => removeMember(tables, { organization, user, decision }, at, event),
    none: async () => !tables.meta.has(FIRST_PERSON),
  }
}
