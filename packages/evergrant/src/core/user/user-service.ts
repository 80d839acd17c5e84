import type { NewOrganization, Organization, Organizations } from '../access/organization.ts'
import type { Actor, EventType, NewEvent } from '../audit/event.ts'
import type { Connections, Page, PageRequest } from '../connection/connections.ts'
import { everyItem } from '../connection/every-item.ts'
import { Fault } from '../fault/fault.ts'
import { newId, type OrganizationId, type UserId } from '../ids.ts'
import type { JsonObject } from '../json.ts'
import { isVouchedOnly } from '../session/recent-proof.ts'
import type { Sessions, SignedIn } from '../session/sessions.ts'
import type { AcceptedIssuers } from '../sign-in/accepted-issuers.ts'
import type { Clock, Entropy } from '../time.ts'
import { decisionOf, type Governor, memberOf, requireGovern, requireGovernWhole, userNotFound } from './governor.ts'
import { mayAssign } from './roles.ts'
import { type Membership, ownerOf, ROLES, type Role, type User } from './user.ts'
import { isUserId } from './user-of-owner.ts'
import type { Member, PersonEnding, Users } from './users.ts'

interface UserPorts {
  readonly users: Users
  readonly organizations: Organizations
  readonly sessions: Pick<Sessions, 'endAll' | 'switchOrganization'>
  readonly connections: Pick<Connections, 'list'>
  readonly issuers: Pick<AcceptedIssuers, 'accepts'>
  readonly clock: Clock
  readonly entropy: Entropy
}

/** What is not named stays. */
interface UserChange {
  readonly name?: string | null
  readonly disabled?: boolean
  readonly externalId?: string | null
}

interface OwnOrganization {
  readonly organization: Organization
  readonly role: Role
}

const TRIES = 10
const ORGANIZATIONS_MAX = 100

/** People as those who administer them see them, and organizations as their members see them. */
export class UserService {
  readonly #ports: UserPorts

  constructor(ports: UserPorts) {
    this.#ports = ports
  }

  list(organization: OrganizationId, page: PageRequest): Promise<Page<Member>> {
    return this.#ports.users.list(organization, page)
  }

  /** @throws Fault `not_found` */
  get(organization: OrganizationId, id: UserId): Promise<Member> {
    return memberOf(this.#ports.users, organization, id)
  }

  /** The person changes what they are called. @throws Fault */
  async rename(id: UserId, organization: OrganizationId, name: string | null): Promise<User> {
    return this.#update(id, (user) => ({ ...user, name }), this.#event('user.updated', organization, { kind: 'user', id }, id, { changed: ['name'] }))
  }

  /**
   * Name, whether they may sign in, and the application's name for them. A disabled person's sessions end at once, everywhere.
   * @throws Fault `not_found`, `role_missing`, `conflict` (also for the last owner who is enabled), `already_exists`
   */
  async change(governor: Governor, id: UserId, change: UserChange): Promise<Member> {
    const { user, membership } = await this.get(governor.organization, id)
    requireGovern(governor, membership)
    const within = await requireGovernWhole(this.#ports.users, governor, id)
    if (change.disabled === true && governor.user === id)
      throw new Fault('conflict', { field: '/disabled', detail: 'Nobody disables themselves: ask another administrator, or sign out everywhere.' })
    if (change.externalId !== undefined && change.externalId !== user.externalId) {
      await this.#requireNobodysId(id, change.externalId)
      await this.#requireNoConnections(user)
    }
    if (change.name !== undefined || change.externalId !== undefined) await this.#describe(governor, id, change, within)
    if (change.disabled === true) await this.#disable(governor, id, within)
    if (change.disabled === false) await this.#enable(governor, id, within)
    return this.get(governor.organization, id)
  }

  /** Ends what the person has open in this organization; they may sign in again. Returns how many that were. @throws Fault `not_found`, `role_missing` */
  async endSessions(governor: Governor, id: UserId): Promise<number> {
    const { organization, actor } = governor
    const { membership } = await this.get(organization, id)
    if (governor.user !== id) requireGovern(governor, membership)
    const event = this.#event('session.ended', organization, actor, id, { end: 'ended_by_admin' })
    return (await this.#ports.sessions.endAll(id, { except: null, organization }, 'ended_by_admin', this.#ports.clock.wall(), event)).length
  }

  /** Effective at once, in every session that is open. @throws Fault `not_found`, `role_missing`, `conflict` for the last owner */
  async changeRole(governor: Governor, id: UserId, role: Role): Promise<Member> {
    const { membership } = await this.get(governor.organization, id)
    requireGovern(governor, membership)
    if (!mayAssign(governor.role, role))
      throw new Fault('role_missing', {
        field: '/role',
        detail: `The role \`${governor.role}\` cannot give the role \`${role}\`: nobody lifts anybody above themselves.`,
      })
    if (membership.role === role) return this.get(governor.organization, id)
    const event = this.#event('user.role_changed', governor.organization, governor.actor, id, { from: membership.role, to: role })
    const outcome = await this.#ports.users.changeRole(governor.organization, id, role, event, decisionOf(governor, membership))
    if (outcome !== 'changed') throw notChanged(outcome, id)
    return this.get(governor.organization, id)
  }

  /** Ends the membership and the person's sessions here; the person stays. @throws Fault `not_found`, `role_missing`, `conflict` */
  async removeMember(governor: Governor, id: UserId): Promise<void> {
    const { membership } = await this.get(governor.organization, id)
    // Everybody may leave.
    if (governor.user !== id) requireGovern(governor, membership)
    const event = this.#event('user.left', governor.organization, governor.actor, id, { role: membership.role })
    const decision = governor.user === id ? undefined : decisionOf(governor, membership)
    const outcome = await this.#ports.users.removeMember(governor.organization, id, this.#ports.clock.wall(), event, decision)
    if (outcome !== 'removed') throw notChanged(outcome, id)
  }

  /** Where this person belongs, oldest first. */
  async organizationsOf(user: UserId): Promise<readonly OwnOrganization[]> {
    const memberships = await this.#ports.users.membershipsOf(user)
    const found = await Promise.all(
      memberships.map(async ({ organization, role }) => ({ organization: await this.#ports.organizations.get(organization), role })),
    )
    return found.flatMap(({ organization, role }) => (organization === undefined ? [] : [{ organization, role }]))
  }

  /** A new organization, whose maker is its owner. @throws Fault `already_exists`, `conflict` */
  async createOrganization(maker: UserId, wanted: Pick<Organization, 'name' | 'slug'>): Promise<OwnOrganization> {
    if ((await this.#ports.users.membershipsOf(maker)).length >= ORGANIZATIONS_MAX)
      throw new Fault('conflict', { detail: `A person belongs to ${ORGANIZATIONS_MAX} organizations at most. Leave one first.` })
    const createdAt = this.#ports.clock.wall()
    const organization: NewOrganization = { id: newId('org', this.#ports.entropy), name: wanted.name, slug: wanted.slug, createdAt }
    const actor: Actor = { kind: 'user', id: maker }
    const created = this.#event('organization.created', organization.id, actor, organization.id, {})
    const membership: Membership = { organization: organization.id, user: maker, role: 'owner', createdAt }
    const joined = this.#event('user.joined', organization.id, actor, maker, { role: 'owner' })
    const outcome = await this.#ports.organizations.insert(organization, created, { membership, event: joined })
    if (outcome === 'slug_taken')
      throw new Fault('already_exists', { field: '/slug', detail: `There is an organization "${wanted.slug}" on this server. Choose another slug.` })
    return { organization: { ...organization, requireSecondFactor: [] }, role: 'owner' }
  }

  /**
   * Asks these roles for a second factor, and no others. It counts at once, in sessions that are open: nobody is signed out, and who has none may add one.
   * Nobody decides about roles above their own. @throws Fault `role_missing`, `not_found`, `conflict` where somebody else decided meanwhile
   */
  async requireSecondFactor(governor: Governor, wanted: readonly Role[]): Promise<Organization> {
    const { organization: id, actor } = governor
    const found = await this.#ports.organizations.get(id)
    if (found === undefined) throw new Fault('not_found', { detail: `There is no organization ${id}.` })
    const roles = ROLES.filter((role) => wanted.includes(role))
    for (const role of ROLES) if (roles.includes(role) !== found.requireSecondFactor.includes(role)) requireGovern(governor, { role })
    const event = this.#event('organization.updated', id, actor, id, { require_second_factor: roles })
    const outcome = await this.#ports.organizations.requireSecondFactor(id, roles, event, found.requireSecondFactor)
    if (outcome === 'moved') throw new Fault('conflict', { detail: 'Somebody else has changed this at the same moment. Look at it, and send it again.' })
    return { ...found, requireSecondFactor: roles }
  }

  /**
   * The session goes on in another organization of the person, when that one takes its proof: a provider's word alone counts where people sign in with the
   * same issuer. @throws Fault `not_found` for every organization that is not theirs, `reauthentication_required`, `provider_unavailable`
   */
  async switchOrganization({ user, session }: Pick<SignedIn, 'user' | 'session'>, organization: OrganizationId): Promise<void> {
    const own = (await this.#ports.users.membershipsOf(user.id)).some((one) => one.organization === organization)
    if (!own)
      throw new Fault('not_found', { field: '/organization', detail: `There is no organization ${organization} of yours. GET organizations lists them.` })
    if (organization !== session.organization && isVouchedOnly(session) && !(await this.#takesWord(organization, session.issuer)))
      throw new Fault('reauthentication_required', {
        field: '/organization',
        detail:
          'You signed in through a provider that this organization does not take for it. Prove with your password, a code or a passkey that it is you (auth/reauthenticate), then this again; or sign in there.',
      })
    await this.#ports.sessions.switchOrganization(session.id, organization)
  }

  async #takesWord(organization: OrganizationId, issuer: string | null): Promise<boolean> {
    return issuer !== null && this.#ports.issuers.accepts(organization, issuer)
  }

  async #describe(governor: Governor, id: UserId, { name, externalId }: UserChange, within: readonly OrganizationId[]): Promise<void> {
    const changed = [...(name === undefined ? [] : ['name']), ...(externalId === undefined ? [] : ['external_id'])]
    const event = this.#event('user.updated', governor.organization, governor.actor, id, { changed })
    const described = (user: User): User => ({ ...user, ...(name === undefined ? {} : { name }), ...(externalId === undefined ? {} : { externalId }) })
    await this.#update(id, described, event, { within })
  }

  /** With the sessions in one transaction: of what was left open by a crash between the two, a thief would have the use when the person is enabled. */
  async #disable(governor: Governor, id: UserId, within: readonly OrganizationId[]): Promise<void> {
    const at = this.#ports.clock.wall()
    const event = this.#event('user.disabled', governor.organization, governor.actor, id, {})
    const ended = () => this.#event('session.ended', governor.organization, governor.actor, id, { end: 'user_disabled' })
    const ending: PersonEnding = { end: 'user_disabled', except: null, tickets: [], identities: false, at, event: ended() }
    await this.#update(id, (user) => (user.disabledAt === null ? { ...user, disabledAt: at } : user), event, { ending, within })
    // And, repeated, what a sign-in that was under way has opened since.
    await this.#ports.sessions.endAll(id, { except: null, organization: null }, 'user_disabled', at, ended())
  }

  async #enable(governor: Governor, id: UserId, within: readonly OrganizationId[]): Promise<void> {
    const event = this.#event('user.enabled', governor.organization, governor.actor, id, {})
    await this.#update(id, (user) => (user.disabledAt === null ? user : { ...user, disabledAt: null }), event, { within })
  }

  /**
   * Whoever has no external id is named by their own id: as the name of somebody else it would lead there what is meant for them, in every organization.
   */
  async #requireNobodysId(id: UserId, externalId: string | null): Promise<void> {
    if (externalId === null || externalId === id || !isUserId(externalId)) return
    if ((await this.#ports.users.get(externalId)) !== undefined) throw externalIdTaken()
  }

  /** Connections are found by their owner: under a new name this person would lose them, or meet somebody else's. */
  async #requireNoConnections(user: User): Promise<void> {
    for (const { organization } of await this.#ports.users.membershipsOf(user.id)) {
      for await (const { connection } of everyItem((page) => this.#ports.connections.list(organization, { owner: ownerOf(user) }, page))) {
        if (connection.state === 'disconnected') continue
        throw new Fault('conflict', {
          field: '/external_id',
          detail:
            'This person has connections under their present name, which would not be theirs any more. Disconnect them first, or give the name when the person is invited.',
        })
      }
    }
  }

  /** Applies a change to whatever is stored, so that no concurrent one is lost; no change writes nothing. @throws Fault */
  async #update(
    id: UserId,
    change: (user: User) => User,
    event: NewEvent,
    { ending, within }: { readonly ending?: PersonEnding; readonly within?: readonly OrganizationId[] } = {},
  ): Promise<User> {
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const user = await this.#ports.users.get(id)
      if (user === undefined) throw userNotFound(id)
      const next = change(user)
      if (next === user) return user
      const stored = { ...next, updatedAt: this.#ports.clock.wall(), version: user.version + 1 }
      const outcome = await this.#ports.users.update(stored, event, ending, within)
      if (outcome === 'updated') return stored
      if (outcome === 'last_owner') throw lastOwner()
      if (outcome === 'elsewhere')
        throw new Fault('conflict', { detail: 'This person has joined another organization while this was decided, and nothing was done. Send it again.' })
      if (outcome === 'external_id_taken') throw externalIdTaken()
      if (outcome === 'email_taken') throw new Fault('already_exists', { field: '/email', detail: 'Another user of this server has this address.' })
    }
    throw new Fault('conflict', { detail: 'The user kept changing while it was updated. Try again.' })
  }

  #event(type: EventType, organization: OrganizationId, actor: Actor, subject: string, data: JsonObject): NewEvent {
    const { clock, entropy } = this.#ports
    return { id: newId('evt', entropy), organization, type, at: clock.wall(), actor, connection: null, subject, data }
  }
}

function notChanged(outcome: 'gone' | 'last_owner' | 'moved', id: UserId): Fault {
  if (outcome === 'gone') return userNotFound(id)
  if (outcome === 'last_owner') return lastOwner()
  return new Fault('conflict', { detail: 'Your role or theirs was changed while this was decided, and nothing was done. Look at both, and send it again.' })
}

function externalIdTaken(): Fault {
  return new Fault('already_exists', { field: '/external_id', detail: 'Another user of this server has this external id. It names one person.' })
}

export function lastOwner(): Fault {
  return new Fault('conflict', {
    detail:
      'This is the last owner of the organization who is not disabled, and without one nobody could mend it. Make somebody else an owner, or enable one, first.',
  })
}
