import type { Actor, AuditEvent, EventType, NewEvent } from '../audit/event.ts'
import type { Events } from '../audit/events.ts'
import type { ConnectSession } from '../connect/connect-sessions.ts'
import type { ConnectionDetails, ConnectionService } from '../connection/connection-service.ts'
import type { Revocation } from '../connection/connections.ts'
import { everyItem } from '../connection/every-item.ts'
import { Fault } from '../fault/fault.ts'
import { type ConnectionId, newId, type OrganizationId, type UserId } from '../ids.ts'
import type { JsonObject } from '../json.ts'
import type { Seal } from '../seal/seal.ts'
import type { Session } from '../session/session.ts'
import type { Sessions } from '../session/sessions.ts'
import { type Clock, type Entropy, MINUTE, SECOND, type Timers } from '../time.ts'
import { decisionOf, type Governor, memberOf, requireGovern } from './governor.ts'
import type { Owners } from './owners.ts'
import { type Membership, ownerOf, type User } from './user.ts'
import { userOfOwner } from './user-of-owner.ts'
import { lastOwner } from './user-service.ts'
import type { ErasureBasis, Identity, Users } from './users.ts'

interface OwnerPorts {
  readonly owners: Owners
  readonly users: Users
  readonly sessions: Pick<Sessions, 'listOf'>
  readonly connections: Pick<ConnectionService, 'list' | 'disconnect'>
  readonly events: Pick<Events, 'list' | 'append'>
  /** Tells the provider, and says what came of it; never rejects for the provider's sake. */
  readonly revoke: (revocation: Revocation) => Promise<'done' | 'failed' | 'retry'>
  /** Gives back a grant that waits for its confirmation. Never rejects. */
  readonly discard: (session: ConnectSession) => Promise<void>
  readonly seal: Pick<Seal, 'mac'>
  readonly clock: Clock
  readonly timers: Pick<Timers, 'after'>
  readonly entropy: Entropy
}

/** A person as they are stored, without what proves who they are. Memberships and sessions: of all organizations for the person, else of the asking one. */
export interface ExportedUser {
  readonly user: User
  readonly memberships: readonly Membership[]
  readonly identities: readonly Identity[]
  readonly sessions: readonly Session[]
}

/** Everything that is held about an owner in one organization. No secret is opened. */
export interface OwnerExport {
  readonly owner: string
  readonly connections: readonly ConnectionDetails[]
  readonly connectSessions: readonly ConnectSession[]
  /** Newest first. */
  readonly events: readonly AuditEvent[]
  /** False: of some connection only the newest {@link EVENTS_MAX} are here. */
  readonly eventsComplete: boolean
  readonly user: ExportedUser | null
}

/** `done`: the provider took its grant back. `kept_by_sibling`: another connection lives on it. `unsupported`: the provider offers no way. */
export type EndedGrant = 'done' | 'failed' | 'not_answered' | 'kept_by_sibling' | 'unsupported' | 'ended_before'

export interface ErasedConnection {
  readonly id: ConnectionId
  readonly provider: string
  readonly grant: EndedGrant
}

export interface OwnerErased {
  readonly connections: readonly ErasedConnection[]
  readonly connectSessions: number
  /** `erased`, `removed` (they live on in other organizations), or null: no user has this owner here. */
  readonly user: { readonly id: UserId; readonly outcome: 'erased' | 'removed' } | null
}

const PAGE = 200
/** Of one connection. */
const EVENTS_MAX = 2_000
/** How long providers are waited for, all together. What is erased after that, is erased whatever they say. */
const PROVIDERS_WAIT_MS = 10 * SECOND
const REVOCATION_HIDDEN_MS = 2 * MINUTE
/** Connections that somebody makes while their owner is erased. */
const TRIES = 5

/** What an application owes its people: all that is held about one of them, and its end. */
export class OwnerData {
  readonly #ports: OwnerPorts

  constructor(ports: OwnerPorts) {
    this.#ports = ports
  }

  /** @throws Fault when the store does not answer */
  async export(organization: OrganizationId, owner: string, actor: Actor): Promise<OwnerExport> {
    const { owners } = this.#ports
    const member = await this.#userOf(organization, owner)
    const [connections, connectSessions] = await Promise.all([this.#connectionsOf(organization, owner), owners.connectSessions(organization, owner)])
    const own = actor.kind === 'user' && actor.id === member?.user.id
    const user = member === null ? null : await this.#exportUser(member.user, own ? null : organization)
    const subjects = await owners.eventSubjects(organization, owner, user?.user.id ?? null)
    const told = await this.#eventsOf(organization, [
      ...connections.map(({ row }) => ({ connection: row.connection.id })),
      ...subjects.map((subject) => ({ subject })),
    ])
    await this.#ports.events.append(
      this.#event('owner.exported', organization, actor, this.#pseudonym(organization, owner), { connections: connections.length }),
    )
    return { owner, connections, connectSessions, user, ...told }
  }

  /** Erases now. Repeating it finds nothing more and says so. @throws Fault `role_missing`, `conflict` for the last owner of an organization */
  async erase(governor: Governor, owner: string): Promise<OwnerErased> {
    const member = await this.#userOf(governor.organization, owner)
    if (member === null) return this.#eraseHere(governor, owner, null)
    return this.erasePerson(governor, member.user.id)
  }

  /**
   * The person with everything of theirs. Who belongs to another organization, too, is taken out of this one alone, unless it is themselves who ask.
   * @throws Fault `not_found`, `role_missing`, `conflict`
   */
  async erasePerson(governor: Governor, id: UserId): Promise<OwnerErased> {
    const { users } = this.#ports
    const { user, membership } = await memberOf(users, governor.organization, id)
    const self = governor.user === id
    if (!self) requireGovern(governor, membership)
    const parts = new Map<OrganizationId, OwnerErased>()
    const eraseIn = (organization: OrganizationId, whose: UserId | null) => this.#eraseHere({ ...governor, organization }, ownerOf(user), whose)
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const leaving = (self ? await users.membershipsOf(id) : [membership]).filter(({ organization }) => !parts.has(organization))
      for (const one of leaving) await this.#requireAnotherOwner(one, user)
      for (const { organization } of leaving) parts.set(organization, await eraseIn(organization, id))
      // Providers were waited for: where the person belongs by now is looked at by the transaction that erases them.
      const within = [...parts.keys()]
      const outcome = self ? await this.#eraseUser(governor, id, { within }) : await this.#eraseOther(governor, membership)
      if (outcome === 'elsewhere') continue
      // What they connected until then: from here on nobody does it as them.
      const late: OwnerErased[] = []
      for (const organization of within) late.push(await eraseIn(organization, null))
      return { ...sumOf([...parts.values(), ...late]), user: { id, outcome } }
    }
    throw new Fault('conflict', { detail: 'You keep joining organizations while you are erased. Stop that, and erase again: what is done so far is done.' })
  }

  async #eraseUser(governor: Governor, id: UserId, basis: ErasureBasis): Promise<'erased' | 'elsewhere'> {
    const event = this.#event('user.erased', governor.organization, governor.actor, id, {})
    const outcome = await this.#ports.users.erase(id, this.#ports.clock.wall(), event, basis)
    if (outcome === 'last_owner' || outcome === 'moved') throw notEnded(outcome)
    return outcome === 'elsewhere' ? outcome : 'erased'
  }

  async #eraseOther(governor: Governor, membership: Membership): Promise<'erased' | 'removed'> {
    const { organization, user: id } = membership
    const decision = decisionOf(governor, membership)
    if ((await this.#eraseUser(governor, id, { within: [organization], decision })) === 'erased') return 'erased'
    const event = this.#event('user.left', organization, governor.actor, id, {})
    const outcome = await this.#ports.users.removeMember(organization, id, this.#ports.clock.wall(), event, decision)
    if (outcome === 'last_owner' || outcome === 'moved') throw notEnded(outcome)
    return 'removed'
  }

  async #eraseHere(governor: Pick<Governor, 'organization' | 'actor'>, owner: string, user: UserId | null): Promise<OwnerErased> {
    const { organization, actor } = governor
    const pseudonym = this.#pseudonym(organization, owner)
    const grants = new Map<ConnectionId, ErasedConnection>()
    for (let attempt = 0; attempt < TRIES; attempt++) {
      await this.#endGrants(organization, owner, actor, grants)
      for (const session of await this.#ports.owners.connectSessions(organization, owner)) await this.#ports.discard(session)
      const at = this.#ports.clock.wall()
      const event = this.#event('owner.erased', organization, actor, pseudonym, { connections: grants.size })
      const outcome = await this.#ports.owners.erase({ organization, owner, pseudonym, at, event, user })
      if (outcome.kind === 'erased') return { connections: [...grants.values()], connectSessions: outcome.connectSessions, user: null }
    }
    throw new Fault('conflict', { detail: 'This owner keeps connecting while they are erased. Stop that, and erase again: what is done so far is done.' })
  }

  /** Disconnects what lives, and asks the providers to take their grants back: those that answer in time have done so. */
  async #endGrants(organization: OrganizationId, owner: string, actor: Actor, grants: Map<ConnectionId, ErasedConnection>): Promise<void> {
    for (const { row, providerName: provider } of await this.#connectionsOf(organization, owner)) {
      const { id } = row.connection
      const { revocation } = await this.#ports.connections.disconnect(organization, id, actor)
      const known = grants.get(id)
      if (known === undefined || revocation !== 'already') grants.set(id, { id, provider, grant: FIRST_WORD[revocation] })
    }
    const open = await this.#ports.owners.takeRevocations(organization, owner, REVOCATION_HIDDEN_MS)
    const note = (id: ConnectionId, grant: EndedGrant): void => {
      const known = grants.get(id)
      if (known !== undefined) grants.set(id, { ...known, grant })
    }
    for (const { connection } of open) note(connection, 'not_answered')
    const told = open.map(async (revocation) => {
      const outcome = await this.#ports.revoke(revocation)
      note(revocation.connection, outcome === 'retry' ? 'not_answered' : outcome)
    })
    await settledWithin(told, PROVIDERS_WAIT_MS, this.#ports.timers)
  }

  async #connectionsOf(organization: OrganizationId, owner: string): Promise<readonly ConnectionDetails[]> {
    const found: ConnectionDetails[] = []
    for await (const details of everyItem((page) => this.#ports.connections.list(organization, { owner }, page))) found.push(details)
    return found
  }

  async #eventsOf(
    organization: OrganizationId,
    about: readonly Parameters<Events['list']>[1][],
  ): Promise<{ readonly events: readonly AuditEvent[]; readonly eventsComplete: boolean }> {
    const found = new Map<string, AuditEvent>()
    let complete = true
    for (const filter of about) {
      let seen = 0
      for (let cursor: string | null = null; seen < EVENTS_MAX; ) {
        const page = await this.#ports.events.list(organization, filter, { limit: PAGE, cursor })
        for (const event of page.items) found.set(event.id, event)
        seen += page.items.length
        cursor = page.cursor
        if (cursor === null) break
        if (seen >= EVENTS_MAX) complete = false
      }
    }
    return { events: [...found.values()].sort((left, right) => (left.id < right.id ? 1 : -1)), eventsComplete: complete }
  }

  /** `within`: where else somebody belongs, and from where they are signed in there, is nothing to this organization. Null: they ask themselves. */
  async #exportUser(user: User, within: OrganizationId | null): Promise<ExportedUser> {
    const { users, sessions } = this.#ports
    const [memberships, identities, open] = await Promise.all([users.membershipsOf(user.id), users.identitiesOf(user.id), sessions.listOf(user.id)])
    const told = ({ organization }: { readonly organization: OrganizationId }): boolean => within === null || organization === within
    return { user, memberships: memberships.filter(told), identities, sessions: open.filter(told) }
  }

  /** The member of this organization whose connections have this owner. */
  async #userOf(organization: OrganizationId, owner: string): Promise<{ readonly user: User; readonly membership: Membership } | null> {
    const user = await userOfOwner(this.#ports.users, owner)
    if (user === undefined) return null
    const membership = (await this.#ports.users.membershipsOf(user.id)).find((one) => one.organization === organization)
    return membership === undefined ? null : { user, membership }
  }

  /** Asked before anything is erased: a refusal afterwards leaves half a person, and only who comes at once with another owner gets it. @throws Fault `conflict` */
  async #requireAnotherOwner({ organization, role }: Membership, { id, disabledAt }: User): Promise<void> {
    if (role !== 'owner') return
    for await (const { user, membership } of everyItem((page) => this.#ports.users.list(organization, page)))
      if (membership.role === 'owner' && user.id !== id && (user.disabledAt === null || disabledAt !== null)) return
    throw lastOwner()
  }

  /** The same owner has the same one, so that it can be proven, to whoever names them, that they were erased. */
  #pseudonym(organization: OrganizationId, owner: string): string {
    return pseudonymOf(this.#ports.seal, organization, owner)
  }

  #event(type: EventType, organization: OrganizationId, actor: Actor, subject: string, data: JsonObject): NewEvent {
    const { clock, entropy } = this.#ports
    return { id: newId('evt', entropy), organization, type, at: clock.wall(), actor, connection: null, subject, data }
  }
}

const FIRST_WORD = { queued: 'not_answered', sibling_lives: 'kept_by_sibling', unsupported: 'unsupported', already: 'ended_before' } as const

function sumOf(parts: readonly OwnerErased[]): Pick<OwnerErased, 'connections' | 'connectSessions'> {
  return {
    connections: parts.flatMap((part) => part.connections),
    connectSessions: parts.reduce((sum, part) => sum + part.connectSessions, 0),
  }
}

/** Their connections are ended by then. */
function notEnded(outcome: 'last_owner' | 'moved'): Fault {
  if (outcome === 'last_owner') return lastOwner()
  return new Fault('conflict', {
    detail: 'Your role or theirs was changed while this was under way: their connections are ended, and the person stays. Look at both, and send it again.',
  })
}

/** Names an owner in the events without telling who they are. */
export function pseudonymOf(seal: Pick<Seal, 'mac'>, organization: OrganizationId, owner: string): string {
  return `owner-${seal.mac('erased owner', `${organization}.${owner}`).slice(0, 24)}`
}

/** Resolves when all are settled, or after `ms`; what is still under way goes on by itself. */
function settledWithin(work: readonly Promise<unknown>[], ms: number, timers: Pick<Timers, 'after'>): Promise<void> {
  if (work.length === 0) return Promise.resolve()
  return new Promise((resolve) => {
    const cancel = timers.after(ms, resolve)
    void Promise.allSettled(work).then(() => {
      cancel()
      resolve()
    })
  })
}
