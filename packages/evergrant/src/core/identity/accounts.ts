import { Fault } from '../fault/fault.ts'
import type { OrganizationId, UserId } from '../ids.ts'
import type { JsonObject } from '../json.ts'
import { requireRecentProof } from '../session/recent-proof.ts'
import type { SessionMode } from '../session/session.ts'
import type { SignedIn } from '../session/sessions.ts'
import { normalEmail, ROLES, type User } from '../user/user.ts'
import type { PersonEnding } from '../user/users.ts'
import type { IdentityDesk } from './identity-desk.ts'
import type { IdentityPorts, Visitor } from './identity-ports.ts'
import type { Letter } from './letter.ts'
import { alreadyThereLetter, passwordChangedLetter, resetLetter, signUpLetter, verifyLetter } from './letters.ts'
import { checkBreached, checkPassword } from './passwords.ts'
import type { SignedInHere, SignIn } from './sign-in.ts'
import type { SignInThrottle } from './sign-in-throttle.ts'
import { LETTERS_PER_MAILBOX } from './throttle.ts'
import { newTicket, spentFault, type Ticket, type TicketPurpose, ticketHash } from './ticket.ts'

/** What somebody new chooses when they follow their link. */
export interface Chosen {
  /** Null where the account is there already. */
  readonly password: string | null
  readonly name: string | null
  readonly mode: SessionMode
  /** Thumbprint of the key that the session is bound to (RFC 7638); null: none. */
  readonly key: string | null
}

interface NewPassword extends Pick<PersonEnding, 'spends' | 'joins'> {
  readonly by: 'link' | 'self'
  readonly except: SignedIn['session']['id'] | null
  /** Its mailbox was proven for the first time: whatever way in somebody added before is not its owner's. */
  readonly claimed: boolean
}

/** What a person does with their own account: asks for one, confirms its address, and keeps its password. */
export class Accounts {
  readonly #ports: IdentityPorts
  readonly #desk: IdentityDesk
  readonly #throttle: SignInThrottle
  readonly #signIn: SignIn

  constructor(desk: IdentityDesk, signIn: SignIn) {
    this.#ports = desk.ports
    this.#desk = desk
    this.#throttle = desk.throttle
    this.#signIn = signIn
  }

  /** Whether people may join without an invitation. */
  get opensSignUp(): boolean {
    return this.#ports.signUp === 'open'
  }

  /** @throws Fault `sign_up_closed` */
  requireSignUp(): void {
    if (!this.opensSignUp) throw new Fault('sign_up_closed', { detail: 'People join by invitation here. Ask somebody who is in already to invite you.' })
  }

  /**
   * Sends a letter, whoever has the address: with a link that makes the account, or with the news that there is one. There is no account before the link
   * is used and a password chosen there, so nobody can prepare one for somebody else's address. @throws Fault `sign_up_closed`, `rate_limited`
   */
  async signUp(wanted: { readonly email: string; readonly name: string | null }, visitor: Visitor): Promise<void> {
    this.requireSignUp()
    const email = normalEmail(wanted.email)
    await this.#throttle.request(visitor.bucket)
    const known = await this.#ports.users.byEmail(email)
    const token = await this.issue('sign_up', null, this.#ports.organization, known === undefined ? { email, name: wanted.name } : {})
    const sender = await this.#desk.sender()
    await this.#deliver(known === undefined ? signUpLetter(email, token, sender) : alreadyThereLetter(email, sender), 'sign up', known?.id ?? null)
  }

  /** Asks a person who is there already to confirm their address. @throws Fault `conflict`, `rate_limited` */
  async sendVerification({ user }: SignedIn, visitor: Visitor): Promise<void> {
    await this.#throttle.request(visitor.bucket)
    if (user.email === null || user.emailVerifiedAt !== null)
      throw new Fault('conflict', { detail: 'There is no address to confirm: it is confirmed, or there is none.' })
    const token = await this.issue('verify_email', user.id, null, { email: user.email })
    await this.#deliver(verifyLetter(user.email, token, await this.#desk.sender()), 'verify e-mail', user.id)
  }

  /**
   * Uses the link of a letter: makes the account that was asked for, with the password chosen now, and signs in; or confirms the address of an account
   * that exists, which signs nobody in (null). @throws Fault `link_spent`, `password_refused`, `rate_limited`
   */
  async verify(token: string, chosen: Chosen, visitor: Visitor): Promise<SignedInHere | null> {
    await this.#throttle.request(visitor.bucket)
    const signUp = await this.look(token, 'sign_up')
    if (signUp === undefined) return this.#confirmAddress(token)
    if (chosen.password === null) throw new Fault('invalid_request', { field: '/password', detail: 'Choose a password: send it as `password`.' })
    const email = textOf(signUp.data, 'email')
    if (email === null) throw spentFault()
    const name = chosen.name ?? textOf(signUp.data, 'name')
    const organization = signUp.organization ?? this.#ports.organization
    await this.checkChosen(chosen.password, { email, name }, organization)
    const passwordHash = await this.#ports.hasher.hash(chosen.password)
    const user = await this.#desk.add({ email, name, passwordHash, verified: true }, { organization, role: 'member' }, { actor: null, spends: signUp })
    if (user === null) throw spentFault()
    const { mode, key } = chosen
    return this.#signIn.open({ user, organization, mode, key, methods: ['pwd', 'link'] }, visitor)
  }

  /** Sends a link to whoever has the address; the answer and the work are the same when nobody has. @throws Fault `rate_limited` */
  async forgot(address: string, visitor: Visitor): Promise<void> {
    const email = normalEmail(address)
    await this.#throttle.request(visitor.bucket)
    const user = await this.#ports.users.byEmail(email)
    const known = user !== undefined && user.disabledAt === null
    const token = await this.issue('reset_password', known ? user.id : null, null, known ? { email } : {})
    const send = await this.#throttle.letter(email, LETTERS_PER_MAILBOX)
    if (known) this.#sendReset(user.id, { email, token, send, address: visitor.address })
  }

  /**
   * A new password by link. It signs nobody in, so it cannot pass by a second factor; it ends every session, and this browser is known to the account
   * from now on. @throws Fault `link_spent`, `password_refused`, `rate_limited`
   */
  async reset(token: string, password: string, visitor: Visitor): Promise<{ readonly device: string }> {
    await this.#throttle.request(visitor.bucket)
    const ticket = await this.look(token, 'reset_password')
    const user = ticket?.user == null ? undefined : await this.#ports.users.get(ticket.user)
    if (ticket === undefined || user === undefined || user.disabledAt !== null) throw spentFault()
    await this.checkChosen(password, user, await this.#desk.homeOf(user.id))
    const passwordHash = await this.#ports.hasher.hash(password)
    // The link came to this address: it is theirs, and was not known to be before.
    const claimed = user.emailVerifiedAt === null && user.email !== null && user.email === textOf(ticket.data, 'email')
    const proven = (now: User): Partial<User> => (claimed && now.email === user.email ? { emailVerifiedAt: this.#ports.clock.wall() } : {})
    const changed = await this.store(user.id, passwordHash, proven, { by: 'link', except: null, claimed, spends: ticket })
    return { device: this.#signIn.remember(changed, visitor) }
  }

  /**
   * A new password for somebody who is signed in: with the old one, or a fresh proof of identity. All other sessions end, and this one gets new
   * credentials. @throws Fault `sign_in_refused`, `reauthentication_required`, `password_refused`, `rate_limited`
   */
  async changePassword(signedIn: SignedIn, chosen: { readonly current: string | null; readonly password: string }, visitor: Visitor): Promise<SignedInHere> {
    const { user, session } = signedIn
    if (chosen.current === null) requireRecentProof(signedIn, this.#ports.clock.wall())
    else await this.#signIn.provePassword(user, chosen.current, visitor)
    await this.checkChosen(chosen.password, user, session.organization)
    const passwordHash = await this.#ports.hasher.hash(chosen.password)
    await this.store(user.id, passwordHash, () => ({}), { by: 'self', except: session.parent ?? session.id, claimed: false })
    return this.#signIn.renewedBy(signedIn, chosen.current === null ? null : 'pwd', visitor)
  }

  /** A link for an administrator to hand over in person, or, by mail, to send. @throws Fault `not_found`, `conflict` */
  async resetFor(id: UserId, how: 'mail' | 'link'): Promise<string | null> {
    const user = await this.#ports.users.get(id)
    if (user === undefined) throw new Fault('not_found', { detail: `There is no user ${id}.` })
    if (user.disabledAt !== null) throw new Fault('conflict', { detail: 'This user is disabled. Enable them first.' })
    if (user.email === null) throw new Fault('conflict', { detail: 'This user has no e-mail address, so there is nothing to sign in with but a provider.' })
    const token = await this.issue('reset_password', user.id, null, how === 'mail' ? { email: user.email } : {})
    if (how === 'link') return `${this.#ports.publicUrl}/auth/reset#${token}`
    await this.#post(resetLetter(user.email, token, await this.#desk.sender()), 'reset password', user.id)
    return null
  }

  async #confirmAddress(token: string): Promise<null> {
    const ticket = await this.spend(token, 'verify_email')
    if (ticket.user === null) throw spentFault()
    const email = textOf(ticket.data, 'email')
    const at = this.#ports.clock.wall()
    const event = this.#desk.ownEvent('user.email_verified', ticket.user, await this.#desk.homeOf(ticket.user))
    const user = await this.#desk.change(ticket.user, (now) => (now.email === email ? { emailVerifiedAt: now.emailVerifiedAt ?? at } : {}), event)
    if (user.email !== email) throw spentFault()
    return null
  }

  /** Writes the hash, uses up the link and ends the other sessions and open links, all or nothing, and tells the mailbox. @throws Fault `link_spent` */
  async store(id: UserId, passwordHash: string, more: (now: User) => Partial<User>, { by, except, claimed, ...along }: NewPassword): Promise<User> {
    const organization = await this.#desk.homeOf(id)
    const at = this.#ports.clock.wall()
    const event = this.#desk.ownEvent('user.password_changed', id, organization, { by, claimed })
    const user = await this.#desk.change(id, (now) => ({ ...more(now), passwordHash, passwordChangedAt: at }), event, {
      end: 'password_changed',
      except,
      tickets: ['reset_password', 'second_factor'],
      identities: claimed,
      at,
      event: this.#desk.ownEvent('session.ended', id, organization, { reason: 'password_changed' }),
      ...along,
    })
    if (user.email !== null) await this.#post(passwordChangedLetter(user.email, await this.#desk.sender()), 'password changed', id)
    return user
  }

  /** What the person is called, and the organization that they belong to. @throws Fault `password_refused`, `password_list_unavailable` */
  async checkChosen(password: string, { email, name }: Pick<User, 'email' | 'name'>, organization: OrganizationId): Promise<void> {
    const { passwordWords, breached } = this.#ports
    const names = await Promise.all([this.#desk.sender(), this.#desk.sender(organization)])
    checkPassword(password, ['evergrant', ...ROLES, ...names.map(({ application }) => application), ...passwordWords, email, name], '/password')
    if (breached !== null) await checkBreached(password, breached, '/password')
  }

  async issue(purpose: TicketPurpose, user: UserId | null, organization: OrganizationId | null, data: JsonObject): Promise<string> {
    const { tickets, seal, entropy, clock } = this.#ports
    const made = newTicket({ purpose, user, organization, data }, { entropy, seal, at: clock.wall() })
    await tickets.insert(made.ticket)
    return made.text
  }

  /** A live ticket, unspent by this look. */
  look(token: string, purpose: TicketPurpose): Promise<Ticket | undefined> {
    const hash = ticketHash(token, this.#ports.seal)
    return hash === null ? Promise.resolve(undefined) : this.#ports.tickets.find(hash, purpose)
  }

  /** @throws Fault `link_spent` */
  async spend(token: string, purpose: TicketPurpose): Promise<Ticket> {
    const hash = ticketHash(token, this.#ports.seal)
    const ticket = hash === null ? undefined : await this.#ports.tickets.spend(hash, purpose)
    if (ticket === undefined) throw spentFault()
    return ticket
  }

  /** One that the mailbox did not have too many of. */
  async #deliver(letter: Letter, purpose: string, user: UserId | null): Promise<void> {
    if (await this.#throttle.letter(letter.to, LETTERS_PER_MAILBOX)) await this.#post(letter, purpose, user)
  }

  #post(letter: Letter, purpose: string, user: UserId | null): Promise<void> {
    return this.#desk.post(letter, purpose, user)
  }

  /** Behind the answer: a known address takes no longer than an unknown one. */
  #sendReset(user: UserId, { email, token, send, address }: { email: string; token: string; send: boolean; address: string | null }): void {
    const work = async () => {
      if (send) await this.#post(resetLetter(email, token, await this.#desk.sender()), 'reset password', user)
      const about = { user, actor: { kind: 'browser', id: null }, data: { address, sent: send } } as const
      await this.#ports.events.append(this.#desk.event('user.password_reset_asked', await this.#desk.homeOf(user), about))
    }
    work().catch((error: unknown) => this.#ports.log.warn({ error: String(error) }, 'a letter for a new password could not be made; the person can ask again'))
  }
}

export function textOf(data: JsonObject, name: string): string | null {
  const value = data[name]
  return typeof value === 'string' ? value : null
}
