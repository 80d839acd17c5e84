import { Fault } from '../fault/fault.ts'
import { newId, type OrganizationId, type SessionId } from '../ids.ts'
import type { JsonObject, JsonValue } from '../json.ts'
import { refreshCredential } from '../session/refresh-credential.ts'
import { isByFactor } from '../session/second-factor.ts'
import type { AuthMethod, SessionMode } from '../session/session.ts'
import type { Opened } from '../session/session-service.ts'
import type { SignedIn } from '../session/sessions.ts'
import type { Instant } from '../time.ts'
import { normalEmail, type User } from '../user/user.ts'
import type { FactorProof, FactorProofs, ProofKind } from './factor-proofs.ts'
import type { IdentityDesk } from './identity-desk.ts'
import type { IdentityPorts, Visitor } from './identity-ports.ts'
import { knownDevice, rememberDevice } from './known-device.ts'
import type { PasswordVerdict } from './passwords.ts'
import type { Attempt, SignInThrottle } from './sign-in-throttle.ts'
import { newTicket, type Ticket, ticketHash } from './ticket.ts'

/** A session, and the text that this browser keeps to be known again. */
export interface SignedInHere {
  readonly opened: Opened
  readonly device: string
}

/** What the client asks its session to be. */
interface WantedSession {
  readonly mode: SessionMode
  /** Id or slug; null: the first that the person joined. */
  readonly organization: string | null
  /** RFC 7638 thumbprint of the key that the request was proven with; null: none. */
  readonly key: string | null
}

interface PasswordSignIn extends WantedSession {
  readonly email: string
  readonly password: string
}

/** A session about to be opened for somebody who proved who they are. */
export interface NewSignIn {
  readonly user: User
  readonly organization: OrganizationId
  readonly mode: SessionMode
  readonly key: string | null
  readonly methods: readonly AuthMethod[]
  /** Whose word it rests on; absent: they proved it here. */
  readonly issuer?: string | null
  /** When they proved it, where that is not now. */
  readonly provenAt?: Instant
  /** Decided beforehand, where repeating the sign-in must not open a second one. */
  readonly id?: SessionId
}

/** Wrong answers to one ticket. */
const ANSWERS_MAX = 5
const START_OVER = 'This sign-in took too long, was tried too often, or is finished. Start again with your password.'

/** Signing in, its second step, and proving it again. */
export class SignIn {
  readonly #ports: IdentityPorts
  readonly #desk: IdentityDesk
  readonly #throttle: SignInThrottle
  readonly #proofs: FactorProofs

  constructor(desk: IdentityDesk) {
    this.#ports = desk.ports
    this.#desk = desk
    this.#throttle = desk.throttle
    this.#proofs = desk.proofs
  }

  /**
   * An unknown address, a wrong password, a user without one and a disabled user cost the same work and get the same answer.
   * @throws Fault `sign_in_refused`, `second_factor_required` (with `ticket` and `methods`), `rate_limited`, `overloaded`, `role_missing`
   */
  async withPassword(wanted: PasswordSignIn, visitor: Visitor): Promise<SignedInHere> {
    const email = normalEmail(wanted.email)
    const user = await this.#ports.users.byEmail(email)
    const admitted = await this.#throttle.password(this.#attempt(user ?? email, visitor))
    const verdict = await this.#ports.hasher.verify(wanted.password, user?.passwordHash ?? null).catch(async (error: unknown) => {
      await admitted.withdrawn()
      throw error
    })
    if (user === undefined || user.disabledAt !== null || !verdict.matches) {
      if (user !== undefined) this.#noteRefusal(user, user.disabledAt === null ? 'password' : 'disabled', visitor)
      throw refused()
    }
    await admitted.succeeded()
    this.#renewHash(user, wanted.password, verdict)
    const organization = await this.#desk.organizationOf(user.id, wanted.organization)
    const kinds = await this.#proofs.kindsOf(user.id)
    if (kinds.length > 0) throw await this.#secondStep(user, kinds, { mode: wanted.mode, organization, first: 'pwd', issuer: null })
    return this.#openUnlessChanged({ user, organization, methods: ['pwd'], ...shapeOf(wanted) }, visitor)
  }

  /** Where the session of a second step will live; null when there is no such ticket. */
  async modeOf(ticketText: string): Promise<SessionMode | null> {
    const hash = ticketHash(ticketText, this.#ports.seal)
    const found = hash === null ? undefined : await this.#ports.tickets.find(hash, 'second_factor')
    return found === undefined ? null : plannedOf(found).mode
  }

  /** The second step. @throws Fault `sign_in_refused`, `rate_limited` */
  async withSecondFactor(ticketText: string, proof: FactorProof, key: string | null, visitor: Visitor): Promise<SignedInHere> {
    const { tickets, users } = this.#ports
    const hash = ticketHash(ticketText, this.#ports.seal)
    const found = hash === null ? undefined : await tickets.find(hash, 'second_factor')
    const user = found?.user == null ? undefined : await users.get(found.user)
    if (hash === null || found === undefined || user === undefined || user.disabledAt !== null) throw refused(START_OVER)
    // The first step was taken with a password that is not theirs any more.
    if (plannedOf(found).passwordChangedAt !== user.passwordChangedAt) throw refused(START_OVER)
    const challenge = this.#proofs.challengeOf(ticketText)
    const mayAnswer = async () => (await tickets.attempt(hash, 'second_factor', ANSWERS_MAX)) !== undefined
    const method = await this.#prove(user, proof, { challenge, mayAnswer }, visitor)
    if ((await tickets.spend(hash, 'second_factor')) === undefined) throw refused(START_OVER)
    const { first, ...planned } = plannedOf(found)
    const organization = planned.organization ?? (await this.#desk.homeOf(user.id))
    return this.#openUnlessChanged({ user, organization, mode: planned.mode, key, methods: [first, method], issuer: planned.issuer }, visitor)
  }

  /**
   * Somebody whom another issuer vouches for: that stands where a password stands, so whoever has a second step takes it, too.
   * @throws Fault `second_factor_required`
   */
  async withProvider(session: NewSignIn, visitor: Visitor): Promise<SignedInHere> {
    const { user, mode, organization, issuer = null } = session
    const kinds = await this.#proofs.kindsOf(user.id)
    if (kinds.length > 0) throw await this.#secondStep(user, kinds, { mode, organization, first: 'fed', issuer })
    // Who adds an account elsewhere may have shown a factor before that they have removed since: this sign-in rests on none.
    return this.#openUnlessChanged(session, visitor, false)
  }

  /** Options for `navigator.credentials.get`: of a sign-in's second step, or, without a ticket, of whatever passkeys the device has. */
  async passkeyOptions(ticketText: string | null, visitor: Visitor): Promise<{ readonly ticket: string; readonly options: JsonObject }> {
    const { tickets, seal, entropy, clock } = this.#ports
    if (ticketText !== null) {
      const hash = ticketHash(ticketText, seal)
      const found = hash === null ? undefined : await tickets.find(hash, 'second_factor')
      if (found?.user == null) throw refused(START_OVER)
      return { ticket: ticketText, options: await this.#proofs.passkeyOptions(found.user, ticketText) }
    }
    await this.#throttle.request(visitor.bucket)
    const made = newTicket({ purpose: 'passkey_sign_in', user: null, organization: null, data: {} }, { entropy, seal, at: clock.wall() })
    await tickets.insert(made.ticket)
    return { ticket: made.text, options: await this.#proofs.passkeyOptions(null, made.text) }
  }

  /** A passkey that checked who is there (user verification) is two factors at once: no password is asked. @throws Fault `sign_in_refused` */
  async withPasskey(ticketText: string, response: JsonObject, wanted: WantedSession, visitor: Visitor): Promise<SignedInHere> {
    await this.#throttle.request(visitor.bucket)
    const hash = ticketHash(ticketText, this.#ports.seal)
    if (hash === null || (await this.#ports.tickets.spend(hash, 'passkey_sign_in')) === undefined) throw refused(START_OVER)
    const proved = await this.#proofs.passkeyOfAnybody(response, this.#proofs.challengeOf(ticketText))
    const user = proved === null ? undefined : await this.#ports.users.get(proved.user)
    if (proved === null || user === undefined) throw refused('This passkey is not known here. Sign in with your password.')
    if (user.disabledAt !== null) throw refused()
    if (!proved.userVerified)
      throw refused('This passkey did not check who is there (PIN, finger or face). Sign in with your password, and use it as the second step.')
    const organization = await this.#desk.organizationOf(user.id, wanted.organization)
    return this.#openUnlessChanged({ user, organization, methods: ['hwk'], ...shapeOf(wanted) }, visitor)
  }

  /** Options to prove it again with a passkey. */
  async reauthenticationOptions({ user }: SignedIn): Promise<{ readonly ticket: string; readonly options: JsonObject }> {
    const { tickets, seal, entropy, clock } = this.#ports
    const made = newTicket({ purpose: 'reauthentication', user: user.id, organization: null, data: {} }, { entropy, seal, at: clock.wall() })
    await tickets.insert(made.ticket)
    return { ticket: made.text, options: await this.#proofs.passkeyOptions(user.id, made.text) }
  }

  /**
   * The person proves again who they are: the session gets a new time of proof and a new generation, so the old credential is dead (S38). Whoever has a
   * second factor proves it with one: else a password and somebody's open session would be enough to take the factor away.
   * @throws Fault `sign_in_refused`, `rate_limited`, or what a refresh throws
   */
  async again(signedIn: SignedIn, proof: FactorProof | { readonly kind: 'password'; readonly password: string }, visitor: Visitor): Promise<SignedInHere> {
    const { user, session } = signedIn
    if (proof.kind === 'password' && (await this.#proofs.kindsOf(user.id)).length > 0)
      throw refused('You have a second step, so your password alone does not prove that it is you. Use a code of your app, a recovery code or your passkey.')
    const method =
      proof.kind === 'password'
        ? await this.provePassword(user, proof.password, visitor)
        : await this.#prove(user, proof, { challenge: null, mayAnswer: async () => true }, visitor)
    return this.#renewed(signedIn, { methods: withMethod(session.methods, method), provenAt: this.#ports.clock.wall() }, visitor)
  }

  /** The next credentials after a new password. Null: nothing was proven just now, and the time of proof stays; so it does where a password is not enough. */
  async renewedBy(signedIn: SignedIn, method: 'pwd' | null, visitor: Visitor): Promise<SignedInHere> {
    const { user, session } = signedIn
    const isEnough = method !== null && (await this.#proofs.kindsOf(user.id)).length === 0
    const methods = method === null ? session.methods : withMethod(session.methods, method)
    return this.#renewed(signedIn, { methods, provenAt: isEnough ? this.#ports.clock.wall() : session.authenticatedAt }, visitor)
  }

  /** True when the password is this user's; counted and slowed like a sign-in. @throws Fault `sign_in_refused`, `rate_limited` */
  async provePassword(user: User, password: string, visitor: Visitor): Promise<AuthMethod> {
    const admitted = await this.#throttle.password(this.#attempt(user, visitor))
    const verdict = await this.#ports.hasher.verify(password, user.passwordHash).catch(async (error: unknown) => {
      await admitted.withdrawn()
      throw error
    })
    if (!verdict.matches) {
      this.#noteRefusal(user, 'password', visitor)
      throw refused('This is not your password.')
    }
    await admitted.succeeded()
    return 'pwd'
  }

  /** The next credentials of a session whose person proved who they are at `provenAt`. */
  async #renewed(
    signedIn: SignedIn,
    { methods, provenAt }: { readonly methods: readonly AuthMethod[]; readonly provenAt: Instant },
    visitor: Visitor,
  ): Promise<SignedInHere> {
    const { sessions, opener, seal, events, entropy } = this.#ports
    const { id, organization } = signedIn.session
    await sessions.reauthenticated(id, methods, provenAt)
    const current = await sessions.get(id)
    if (current === undefined) throw new Fault('session_expired')
    // As if the client had presented its own credential: the one it holds is answered with the same successor while that may be on its way.
    const { address, userAgent } = visitor
    const opened = await opener.refresh(refreshCredential(id, current.session.generation, seal), { address, userAgent })
    const data = { methods: [...methods], address }
    const event = { ...this.#desk.ownEvent('session.reauthenticated', signedIn.user.id, organization, data), id: newId('evt', entropy), subject: id }
    await events.append(event)
    return { opened, device: this.remember(opened.signedIn.user, visitor) }
  }

  /** The text that makes this browser known to the account. */
  remember(user: User, visitor: Visitor): string {
    return rememberDevice(visitor.device, user, this.#ports)
  }

  async open(session: NewSignIn, visitor: Visitor): Promise<SignedInHere> {
    const { key, ...wanted } = session
    const { address, userAgent } = visitor
    const opened = await this.#ports.opener.open({ ...wanted, keyThumbprint: key, address, userAgent })
    return { opened, device: this.remember(session.user, visitor) }
  }

  /**
   * Looks once more when the session is open: a password that was changed, or factors that were all removed, ended the sessions that there were, and this
   * one came too late for that.
   * @throws Fault `sign_in_refused`
   */
  async #openUnlessChanged(session: NewSignIn, visitor: Visitor, restsOnFactor = isByFactor(session)): Promise<SignedInHere> {
    const here = await this.open(session, visitor)
    const { id, passwordChangedAt } = session.user
    const [now, kinds] = await Promise.all([this.#ports.users.get(id), restsOnFactor ? this.#proofs.kindsOf(id) : null])
    if (now?.passwordChangedAt === passwordChangedAt && kinds?.length !== 0) return here
    await this.#ports.opener.end(here.opened.signedIn.session, 'here', visitor)
    throw refused()
  }

  /** `mayAnswer` counts an answer to the ticket: one that has to wait is none. */
  async #prove(
    user: User,
    proof: FactorProof,
    { challenge, mayAnswer }: { readonly challenge: string | null; readonly mayAnswer: () => Promise<boolean> },
    visitor: Visitor,
  ): Promise<AuthMethod> {
    const admitted = proof.kind === 'passkey' ? null : await this.#throttle.secondFactor(this.#attempt(user, visitor))
    if (!(await mayAnswer())) {
      await admitted?.withdrawn()
      throw refused(START_OVER)
    }
    const method = await this.#proofs.check(user.id, proof, challenge)
    if (method === null) {
      this.#noteRefusal(user, 'second_factor', visitor)
      throw refused('That code or passkey did not match. Each code works once; wait for the next one.')
    }
    await admitted?.succeeded()
    return method
  }

  #attempt(account: User | string, visitor: Visitor): Attempt {
    if (typeof account === 'string') return { account, bucket: visitor.bucket, device: null }
    return { account: account.id, bucket: visitor.bucket, device: knownDevice(visitor.device, account, this.#ports.seal) }
  }

  async #secondStep(
    user: User,
    kinds: readonly ProofKind[],
    planned: { readonly mode: SessionMode; readonly organization: OrganizationId; readonly first: 'pwd' | 'fed'; readonly issuer: string | null },
  ): Promise<Fault> {
    const { tickets, seal, entropy, clock } = this.#ports
    const { mode, organization, first, issuer } = planned
    const made = newTicket(
      { purpose: 'second_factor', user: user.id, organization, data: { mode, first, issuer, password_changed_at: user.passwordChangedAt } },
      { entropy, seal, at: clock.wall() },
    )
    await tickets.insert(made.ticket)
    return new Fault('second_factor_required', { members: { ticket: made.text, methods: [...kinds] } })
  }

  /** Behind the answer, so that a known account takes no longer than an unknown one. */
  #noteRefusal(user: User, reason: 'password' | 'disabled' | 'second_factor', { address }: Visitor): void {
    const write = async () => {
      const organization = await this.#desk.homeOf(user.id)
      const actor = { kind: 'browser', id: null } as const
      await this.#ports.events.append(this.#desk.event('session.refused', organization, { user: user.id, actor, data: { reason, address } }))
    }
    write().catch((error: unknown) => this.#ports.log.warn({ error: String(error) }, 'a refused sign-in could not be recorded'))
  }

  /** The password is here in clear only now: a hash of weaker times is made again. */
  #renewHash(user: User, password: string, { outdated }: PasswordVerdict): void {
    if (!outdated) return
    const renew = async () => {
      const passwordHash = await this.#ports.hasher.hash(password)
      const event = this.#desk.ownEvent('user.updated', user.id, await this.#desk.homeOf(user.id), { fields: ['password_hash'] })
      await this.#desk.change(user.id, (now) => (now.passwordHash === user.passwordHash ? { passwordHash } : {}), event)
    }
    renew().catch((error: unknown) => this.#ports.log.warn({ error: String(error) }, 'a password hash could not be renewed; the next sign-in tries again'))
  }
}

function shapeOf({ mode, key }: WantedSession): Pick<NewSignIn, 'mode' | 'key'> {
  return { mode, key }
}

function refused(detail?: string): Fault {
  return new Fault('sign_in_refused', detail === undefined ? {} : { detail })
}

function withMethod(methods: readonly AuthMethod[], method: AuthMethod): readonly AuthMethod[] {
  return [...new Set([...methods, method])]
}

interface Planned {
  readonly first: 'pwd' | 'fed'
  readonly issuer: string | null
  readonly mode: SessionMode
  readonly organization: OrganizationId | null
  /** Of the password that the first step was taken with. */
  readonly passwordChangedAt: JsonValue
}

function plannedOf({ data, organization }: Ticket): Planned {
  return {
    mode: data['mode'] === 'bearer' ? 'bearer' : 'cookie',
    organization,
    first: data['first'] === 'fed' ? 'fed' : 'pwd',
    issuer: typeof data['issuer'] === 'string' ? data['issuer'] : null,
    passwordChangedAt: data['password_changed_at'] ?? null,
  }
}
