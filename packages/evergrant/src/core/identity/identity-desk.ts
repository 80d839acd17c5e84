import type { Actor, EventType, NewEvent } from '../audit/event.ts'
import { Fault } from '../fault/fault.ts'
import { newId, type OrganizationId, type UserId } from '../ids.ts'
import type { JsonObject } from '../json.ts'
import type { Membership, Role, User } from '../user/user.ts'
import type { PersonEnding, Spending } from '../user/users.ts'
import { FactorProofs } from './factor-proofs.ts'
import type { IdentityPorts } from './identity-ports.ts'
import type { Letter } from './letter.ts'
import type { Sender } from './letters.ts'
import { SignInThrottle } from './sign-in-throttle.ts'
import { spentFault } from './ticket.ts'

/** What the parts of this folder do alike. */
export class IdentityDesk {
  readonly ports: IdentityPorts
  readonly throttle: SignInThrottle
  readonly proofs: FactorProofs

  constructor(ports: IdentityPorts) {
    this.ports = ports
    this.throttle = new SignInThrottle(ports)
    this.proofs = new FactorProofs(ports)
  }

  event(type: EventType, organization: OrganizationId, about: { readonly user: UserId | null; readonly actor: Actor; readonly data?: JsonObject }): NewEvent {
    const { entropy, clock } = this.ports
    const { user, actor, data = {} } = about
    return { id: newId('evt', entropy), organization, type, at: clock.wall(), actor, connection: null, subject: user, data }
  }

  /** An event of what a person did to their own account. */
  ownEvent(type: EventType, user: UserId, organization: OrganizationId, data: JsonObject = {}): NewEvent {
    return this.event(type, organization, { user, actor: { kind: 'user', id: user }, data })
  }

  /** The organization in which a person's own changes are recorded: their first. */
  async homeOf(user: UserId): Promise<OrganizationId> {
    return (await this.ports.users.membershipsOf(user))[0]?.organization ?? this.ports.organization
  }

  /** Writes a change over the newest version of a user, with what ends by it. @throws Fault `not_found`, `conflict`, `link_spent` */
  async change(id: UserId, change: (user: User) => Partial<User>, event: NewEvent, ending?: PersonEnding): Promise<User> {
    const { users, clock } = this.ports
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const user = await users.get(id)
      if (user === undefined) throw new Fault('not_found', { detail: `There is no user ${id}.` })
      const next: User = { ...user, ...change(user), updatedAt: clock.wall(), version: user.version + 1 }
      const outcome = await users.update(next, event, ending)
      if (outcome === 'updated') return next
      if (outcome === 'ticket_spent') throw spentFault()
    }
    throw new Fault('conflict', { detail: 'This user is being changed by somebody else at this moment. Try again.' })
  }

  /** Somebody new with a first membership; null when the address is taken, or the ticket used. `actor` null: they did it themselves. */
  async add(
    account: { readonly email: string; readonly name: string | null; readonly passwordHash: string; readonly verified: boolean },
    { organization, role }: { readonly organization: OrganizationId; readonly role: Role },
    { actor, spends }: { readonly actor: Actor | null; readonly spends?: Spending },
  ): Promise<User | null> {
    const { users, entropy, clock } = this.ports
    const at = clock.wall()
    const id = newId('usr', entropy)
    const user: User = {
      id,
      email: account.email,
      emailVerifiedAt: account.verified ? at : null,
      name: account.name,
      externalId: null,
      passwordHash: account.passwordHash,
      passwordChangedAt: at,
      disabledAt: null,
      createdAt: at,
      updatedAt: at,
      version: 1,
    }
    const event = this.event('user.created', organization, { user: id, actor: actor ?? { kind: 'user', id }, data: { role } })
    const inserted = await users.insert(user, { organization, user: id, role, createdAt: at }, null, event, spends)
    return inserted === 'inserted' ? user : null
  }

  /** The organization to sign in to: the one asked for, else the first that the person joined. @throws Fault `role_missing` */
  async organizationOf(user: UserId, wanted: string | null): Promise<OrganizationId> {
    const memberships = await this.ports.users.membershipsOf(user)
    if (wanted === null) return firstOf(memberships, 'You are a member of no organization. Ask an administrator to invite you.')
    const id = wanted.startsWith('org_') ? wanted : (await this.ports.organizations.bySlug(wanted))?.id
    return firstOf(
      memberships.filter(({ organization }) => organization === id),
      `You are not a member of the organization \`${wanted}\`. Leave \`organization\` out, or ask its administrators to invite you.`,
    )
  }

  /** After the change it speaks of is durable. `about`: the organization that is told when it could not be sent; null: the person's own. */
  async post(letter: Letter, purpose: string, user: UserId | null, about: OrganizationId | null = null): Promise<void> {
    const organization = about ?? (user === null ? this.ports.organization : await this.homeOf(user))
    this.ports.postbox.post(letter, purpose, () => {
      const event = this.event('user.mail_failed', organization, { user, actor: { kind: 'system', id: null }, data: { purpose } })
      this.ports.events.append(event).catch((error: unknown) => this.ports.log.error({ error: String(error) }, 'an event could not be written'))
    })
  }

  async sender(organization: OrganizationId = this.ports.organization): Promise<Sender> {
    const found = await this.ports.organizations.get(organization)
    return { publicUrl: this.ports.publicUrl, application: found?.name ?? 'Evergrant' }
  }
}

const ATTEMPTS = 5

function firstOf(memberships: readonly Membership[], detail: string): OrganizationId {
  const [first] = [...memberships].sort((left, right) => left.createdAt - right.createdAt)
  if (first === undefined) throw new Fault('role_missing', { detail })
  return first.organization
}
