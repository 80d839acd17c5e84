import type { Actor, NewEvent } from '../audit/event.ts'
import { Fault } from '../fault/fault.ts'
import type { OrganizationId, UserId } from '../ids.ts'
import { mayAssign } from '../user/roles.ts'
import { type Membership, normalEmail, ROLES, type Role, type User } from '../user/user.ts'
import { type Accounts, type Chosen, textOf } from './accounts.ts'
import type { IdentityDesk } from './identity-desk.ts'
import type { IdentityPorts, Visitor } from './identity-ports.ts'
import { invitationLetter } from './letters.ts'
import type { SignedInHere, SignIn } from './sign-in.ts'
import type { SignInThrottle } from './sign-in-throttle.ts'
import { spentFault, TICKET_LIFE_MS, type Ticket } from './ticket.ts'

interface Invitation {
  readonly organization: OrganizationId
  readonly email: string
  readonly role: Role
  readonly name: string | null
  readonly actor: Actor
  /** What the inviting person is; null for a backend or the command line with full rights. */
  readonly inviter: { readonly role: Role; readonly name: string | null } | null
}

interface SentInvitation {
  readonly email: string
  readonly role: Role
  readonly expiresAt: number
  /** The permission itself: for the one who hands it over in person, never for an answer to a browser. */
  readonly link: string
}

interface PendingInvitation {
  /** Says which one; it is not the token, and opens nothing. */
  readonly id: string
  readonly email: string
  readonly role: Role
  readonly name: string | null
  readonly createdAt: number
  readonly expiresAt: number
}

interface NewAccount {
  readonly email: string
  readonly name: string | null
  readonly password: string
}

/** Of a join that meets a change of the person. */
const TRIES = 5

/** What an invitation makes somebody. */
type Offered = Pick<Membership, 'organization' | 'role'>

/** How people get in: by invitation, and the very first one by the token that the server printed. */
export class Joining {
  readonly #ports: IdentityPorts
  readonly #desk: IdentityDesk
  readonly #throttle: SignInThrottle
  readonly #accounts: Accounts
  readonly #signIn: SignIn

  constructor(desk: IdentityDesk, { accounts, signIn }: { readonly accounts: Accounts; readonly signIn: SignIn }) {
    this.#ports = desk.ports
    this.#desk = desk
    this.#throttle = desk.throttle
    this.#accounts = accounts
    this.#signIn = signIn
  }

  /** Invites one person; `mail: false` only makes the link. @throws Fault `role_missing`, `already_exists` */
  async invite(invitation: Invitation, mail = true): Promise<SentInvitation> {
    const { organization, role, name, actor, inviter } = invitation
    const email = normalEmail(invitation.email)
    if (inviter !== null && !mayAssign(inviter.role, role))
      throw new Fault('role_missing', {
        field: '/role',
        detail: `You are ${inviter.role} and cannot make somebody ${role}. Choose a role that is not above your own.`,
      })
    const known = await this.#ports.users.byEmail(email)
    if (known !== undefined && (await this.#isMember(known.id, organization)))
      throw new Fault('already_exists', { field: '/email', detail: 'Somebody with this address is a member already. Change their role instead.' })
    const token = await this.#accounts.issue('invitation', null, organization, { email, role, name })
    const at = this.#ports.clock.wall()
    await this.#ports.events.append(this.#desk.event('user.invited', organization, { user: known?.id ?? null, actor, data: { role } }))
    if (mail) {
      const sender = await this.#desk.sender()
      const about = { organization: (await this.#desk.sender(organization)).application, role, from: inviter?.name ?? null }
      await this.#desk.post(invitationLetter(email, token, about, sender), 'invitation', known?.id ?? null, organization)
    }
    return { email, role, expiresAt: at + TICKET_LIFE_MS.invitation, link: `${this.#ports.publicUrl}/auth/invitation#${token}` }
  }

  /** Those that can still be accepted, newest first. */
  async pending(organization: OrganizationId): Promise<readonly PendingInvitation[]> {
    return (await this.#ports.tickets.invitations(organization)).map((ticket) => {
      const { email, role, name } = invitedOf(ticket)
      return { id: ticket.hash, email, role, name, createdAt: ticket.createdAt, expiresAt: ticket.expiresAt }
    })
  }

  /** Its link does nothing any more. @throws Fault `not_found`, the same for another organization's */
  async withdraw(organization: OrganizationId, id: string, actor: Actor): Promise<void> {
    const found = (await this.#ports.tickets.invitations(organization)).find(({ hash }) => hash === id)
    if (found === undefined || (await this.#ports.tickets.spend(id, 'invitation')) === undefined)
      throw new Fault('not_found', { detail: 'There is no such invitation: it was accepted, withdrawn, or is too old. GET users/invitations lists them.' })
    const data = { role: invitedOf(found).role }
    await this.#ports.events.append(this.#desk.event('user.invitation_withdrawn', organization, { user: null, actor, data }))
  }

  /** What a page shows before the person accepts. @throws Fault `link_spent` */
  async look(
    token: string,
    visitor: Visitor,
  ): Promise<{ readonly email: string; readonly organization: string; readonly role: Role; readonly known: boolean }> {
    await this.#throttle.request(visitor.bucket)
    const ticket = await this.#accounts.look(token, 'invitation')
    if (ticket === undefined) throw spentFault()
    const { email, role, organization } = invitedOf(ticket)
    const known = await this.#ports.users.byEmail(email)
    return { email, role, organization: (await this.#desk.sender(organization)).application, known: known !== undefined && known.emailVerifiedAt !== null }
  }

  /**
   * The link came to the invited mailbox, so its holder may join. Somebody new chooses a password and is signed in; somebody who has an account joins
   * and signs in as ever (null): a link is no way past their password. @throws Fault `link_spent`, `password_refused`, `rate_limited`
   */
  async accept(token: string, chosen: Chosen, visitor: Visitor): Promise<SignedInHere | null> {
    await this.#throttle.request(visitor.bucket)
    const ticket = await this.#accounts.look(token, 'invitation')
    if (ticket === undefined) throw spentFault()
    const { email, role, name, organization } = invitedOf(ticket)
    const known = await this.#ports.users.byEmail(email)
    if (known !== undefined && (known.emailVerifiedAt !== null || known.disabledAt !== null)) return this.#join(known, ticket, { organization, role })
    if (chosen.password === null) throw new Fault('invalid_request', { field: '/password', detail: 'Choose a password: send it as `password`.' })
    const called = chosen.name ?? name
    await this.#accounts.checkChosen(chosen.password, { email, name: called }, organization)
    const passwordHash = await this.#ports.hasher.hash(chosen.password)
    if (known !== undefined) await this.#requireOwnName(known, organization)
    const user =
      known === undefined
        ? await this.#desk.add({ email, name: called, passwordHash, verified: true }, { organization, role }, { actor: null, spends: ticket })
        : await this.#claim(known, passwordHash, ticket, { organization, role })
    if (user === null) throw spentFault()
    const { mode, key } = chosen
    return this.#signIn.open({ user, organization, mode, key, methods: ['pwd', 'link'] }, visitor)
  }

  /** An account made by an operator. On the word of the command line alone its address counts as confirmed. @throws Fault `already_exists`, `password_refused` */
  async create(account: NewAccount, membership: { readonly organization: OrganizationId; readonly role: Role }, actor: Actor): Promise<User> {
    const email = normalEmail(account.email)
    await this.#accounts.checkChosen(account.password, { email, name: account.name }, membership.organization)
    const passwordHash = await this.#ports.hasher.hash(account.password)
    const user = await this.#desk.add({ email, name: account.name, passwordHash, verified: actor.kind === 'cli' }, membership, { actor })
    if (user === null) throw new Fault('already_exists', { field: '/email', detail: 'Somebody with this address is there already.' })
    return user
  }

  /** While nobody is there at all: a token for the first owner. Null once somebody is. */
  async setupToken(): Promise<string | null> {
    if (!(await this.#ports.users.none())) return null
    return this.#accounts.issue('setup', null, this.#ports.organization, {})
  }

  /** The first owner, once. @throws Fault `link_spent`, `password_refused`, `rate_limited` */
  async setUp(token: string, account: NewAccount, { mode, key }: Pick<Chosen, 'mode' | 'key'>, visitor: Visitor): Promise<SignedInHere> {
    await this.#throttle.request(visitor.bucket)
    const ticket = await this.#accounts.look(token, 'setup')
    if (ticket === undefined || !(await this.#ports.users.none())) throw spentFault()
    const email = normalEmail(account.email)
    const { organization } = this.#ports
    await this.#accounts.checkChosen(account.password, { email, name: account.name }, organization)
    const passwordHash = await this.#ports.hasher.hash(account.password)
    // Ends the tokens of all other starts with it, so there is one first owner.
    const spending = { actor: null, spends: ticket }
    const user = await this.#desk.add({ email, name: account.name, passwordHash, verified: true }, { organization, role: 'owner' }, spending)
    if (user === null) throw spentFault()
    return this.#signIn.open({ user, organization, mode, key, methods: ['pwd'] }, visitor)
  }

  /**
   * Somebody made this account and never proved to have its mailbox, as the holder of this link did: it is theirs now, with their own password and
   * without the sessions and the other ways in of whoever made it.
   */
  #claim(user: User, passwordHash: string, ticket: Ticket, offered: Offered): Promise<User> {
    const proven = (now: User): Partial<User> => {
      // Given while the password was hashed: whose name it is was not looked at.
      if (now.externalId !== user.externalId) throw namedElsewhere()
      return { emailVerifiedAt: this.#ports.clock.wall() }
    }
    const along = { spends: ticket, joins: this.#joined(user.id, offered) }
    return this.#accounts.store(user.id, passwordHash, proven, { by: 'link', except: null, claimed: true, ...along })
  }

  #joined(user: UserId, { organization, role }: Offered): { readonly membership: Membership; readonly event: NewEvent } {
    const event = this.#desk.ownEvent('user.joined', user, organization, { role })
    return { membership: { organization, user, role, createdAt: this.#ports.clock.wall() }, event }
  }

  async #join({ id }: User, ticket: Ticket, offered: Offered): Promise<null> {
    const { users } = this.#ports
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const user = await users.get(id)
      if (user === undefined) throw spentFault()
      await this.#requireOwnName(user, offered.organization)
      const { membership, event } = this.#joined(id, offered)
      const outcome = await users.addMember(membership, event, ticket, user.version)
      if (outcome === 'ticket_spent' || outcome === 'gone') throw spentFault()
      if (outcome !== 'moved') return null
    }
    throw new Fault('conflict', { detail: 'This account is being changed at this moment. Open the link again.' })
  }

  /**
   * Connections are found by the name of their owner, in every organization that the person belongs to. A name that another organization gave them may be
   * that of somebody else here. @throws Fault `conflict`
   */
  async #requireOwnName(user: User, organization: OrganizationId): Promise<void> {
    if (user.externalId === null || (await this.#isMember(user.id, organization))) return
    throw namedElsewhere()
  }

  async #isMember(user: UserId, organization: OrganizationId): Promise<boolean> {
    return (await this.#ports.users.membershipsOf(user)).some((membership) => membership.organization === organization)
  }
}

function namedElsewhere(): Fault {
  return new Fault('conflict', {
    detail:
      'This account has an external id, a name that another organization gave it, and might meet connections here that are not its own. Ask there to have it removed, or to be invited here with another address.',
  })
}

function invitedOf({ data, organization }: Ticket): {
  readonly email: string
  readonly role: Role
  readonly name: string | null
  readonly organization: OrganizationId
} {
  const email = textOf(data, 'email')
  const role = ROLES.find((known) => known === data['role'])
  if (email === null || role === undefined || organization === null) throw spentFault()
  return { email, role, name: textOf(data, 'name'), organization }
}
