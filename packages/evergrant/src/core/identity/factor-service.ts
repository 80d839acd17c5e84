import { Fault } from '../fault/fault.ts'
import { type FactorId, newId } from '../ids.ts'
import type { JsonObject } from '../json.ts'
import { requireRecentProof } from '../session/recent-proof.ts'
import type { AuthMethod } from '../session/session.ts'
import { endedFault } from '../session/session-refusals.ts'
import type { SignedIn } from '../session/sessions.ts'
import type { Factor } from './factor.ts'
import { credentialOf, type FactorProofs, openTotpSecret, totpPlace } from './factor-proofs.ts'
import type { IdentityDesk } from './identity-desk.ts'
import type { IdentityPorts } from './identity-ports.ts'
import { factorLetter } from './letters.ts'
import { newRecoveryCodes } from './recovery-codes.ts'
import { newTicket, ticketHash } from './ticket.ts'

/** Of one person, unconfirmed ones included. */
const FACTORS_MAX = 20

interface AddedFactor {
  readonly factor: Factor
  /** With the first one only, shown once; null: the person has codes already. */
  readonly recoveryCodes: readonly string[] | null
}

/** A person's second factors. Every change asks for a fresh proof of identity. */
export class FactorService {
  readonly #ports: IdentityPorts
  readonly #desk: IdentityDesk
  readonly #proofs: FactorProofs

  constructor(desk: IdentityDesk) {
    this.#ports = desk.ports
    this.#desk = desk
    this.#proofs = desk.proofs
  }

  async list({ user }: SignedIn): Promise<{ readonly factors: readonly Factor[]; readonly codesLeft: number }> {
    const [factors, codesLeft] = await Promise.all([this.#ports.factors.listOf(user.id), this.#ports.factors.codesLeft(user.id)])
    return { factors: factors.filter(({ confirmedAt }) => confirmedAt !== null), codesLeft }
  }

  /** A secret for an authenticator app. It counts once a code of it was confirmed. @throws Fault `reauthentication_required`, `conflict` */
  async startTotp(signedIn: SignedIn, name: string | null): Promise<{ readonly factor: Factor; readonly secret: string; readonly uri: string }> {
    const { factors, seal, entropy, clock, oneTimePasswords } = this.#ports
    await this.#mayChange(signedIn)
    const { user } = signedIn
    const id = newId('fct', entropy)
    const { secret, uri } = oneTimePasswords.create(user.email ?? user.name ?? user.id, (await this.#desk.sender()).application)
    const factor: Factor = { ...blank(id, signedIn, clock.wall()), kind: 'totp', name: name ?? 'Authenticator', secret: seal.seal(secret, totpPlace(id)) }
    if ((await factors.insert(factor, null, null, signedIn.session.id)) === 'session_over') throw await this.#endedOf(signedIn)
    return { factor, secret, uri }
  }

  /** @throws Fault `reauthentication_required`, `not_found`, `sign_in_refused` when the code does not match */
  async confirmTotp(signedIn: SignedIn, id: FactorId, code: string): Promise<AddedFactor> {
    const { factors, seal, clock, oneTimePasswords } = this.#ports
    requireRecentProof(signedIn, clock.wall())
    const { user } = signedIn
    const factor = (await factors.listOf(user.id)).find((held) => held.id === id)
    if (factor === undefined || factor.secret === null || factor.confirmedAt !== null) throw notFound(id)
    const at = clock.wall()
    const step = oneTimePasswords.stepOf(code, openTotpSecret(id, factor.secret, seal), at)
    if (step === null)
      throw new Fault('sign_in_refused', {
        field: '/code',
        detail: 'This code does not match. Check that the clock of your device is right, and enter the code it shows now.',
      })
    const fresh = newRecoveryCodes(this.#ports)
    const event = this.#desk.ownEvent('user.factor_added', user.id, signedIn.session.organization, { factor: id, kind: 'totp' })
    const added = await factors.confirm({ user: user.id, id, step, codes: fresh.hashes, at, event }, signedIn.session.id)
    if (added === 'gone') throw notFound(id)
    if (added === 'session_over') throw await this.#endedOf(signedIn)
    await this.#shown(signedIn, 'otp')
    await this.#tell(signedIn, 'added', factor.name)
    return { factor: { ...factor, confirmedAt: at }, recoveryCodes: added.codes ? fresh.codes : null }
  }

  /** Options for `navigator.credentials.create`. @throws Fault `reauthentication_required`, `conflict` */
  async startPasskey(signedIn: SignedIn): Promise<{ readonly ticket: string; readonly options: JsonObject }> {
    const { factors, tickets, seal, entropy, clock, passkeys } = this.#ports
    await this.#mayChange(signedIn)
    const { user } = signedIn
    const made = newTicket({ purpose: 'passkey_registration', user: user.id, organization: null, data: {} }, { entropy, seal, at: clock.wall() })
    await tickets.insert(made.ticket)
    const exclude = (await factors.listOf(user.id)).map(credentialOf).filter((credential) => credential !== null)
    const userName = user.email ?? user.name ?? user.id
    const challenge = this.#proofs.challengeOf(made.text)
    const options = await passkeys.registrationOptions({ userHandle: handleOf(user.id), userName, displayName: user.name ?? userName, challenge, exclude })
    return { ticket: made.text, options }
  }

  /** @throws Fault `reauthentication_required`, `link_spent`, `invalid_request`, `already_exists` */
  async addPasskey(signedIn: SignedIn, answer: { readonly ticket: string; readonly response: JsonObject; readonly name: string | null }): Promise<AddedFactor> {
    const { factors, tickets, seal, entropy, clock, passkeys } = this.#ports
    requireRecentProof(signedIn, clock.wall())
    const { user } = signedIn
    const hash = ticketHash(answer.ticket, seal)
    const ticket = hash === null ? undefined : await tickets.spend(hash, 'passkey_registration')
    if (ticket === undefined || ticket.user !== user.id)
      throw new Fault('link_spent', { detail: 'This took too long, or was finished before. Start adding the passkey again.' })
    const credential = await passkeys.register(answer.response, this.#proofs.challengeOf(answer.ticket))
    if (credential === null)
      throw new Fault('invalid_request', { field: '/passkey', detail: 'This passkey was not made for this site and this request. Start adding it again.' })
    const at = clock.wall()
    const id = newId('fct', entropy)
    const factor: Factor = { ...blank(id, signedIn, at), ...credential, kind: 'passkey', name: answer.name ?? 'Passkey', confirmedAt: at }
    const fresh = newRecoveryCodes(this.#ports)
    const event = this.#desk.ownEvent('user.factor_added', user.id, signedIn.session.organization, { factor: id, kind: 'passkey' })
    const added = await factors.insert(factor, fresh.hashes, event, signedIn.session.id)
    if (added === 'taken') throw new Fault('already_exists', { detail: 'This passkey is known here already.' })
    if (added === 'session_over') throw await this.#endedOf(signedIn)
    await this.#shown(signedIn, 'hwk')
    await this.#tell(signedIn, 'added', factor.name)
    return { factor, recoveryCodes: added.codes ? fresh.codes : null }
  }

  /** With the last one go the recovery codes. @throws Fault `reauthentication_required`, `not_found`, `conflict` for the last one where one is asked for */
  async remove(signedIn: SignedIn, id: FactorId): Promise<void> {
    requireRecentProof(signedIn, this.#ports.clock.wall())
    const { user } = signedIn
    const held = (await this.#ports.factors.listOf(user.id)).filter(({ confirmedAt }) => confirmedAt !== null)
    const factor = held.find((one) => one.id === id)
    const event = this.#desk.ownEvent('user.factor_removed', user.id, signedIn.session.organization, { factor: id, kind: factor?.kind ?? null })
    const outcome = factor === undefined ? 'gone' : await this.#ports.factors.remove(user.id, id, event)
    if (factor === undefined || outcome === 'gone') throw notFound(id)
    if (outcome !== 'removed')
      throw new Fault('conflict', { detail: `${outcome.by} asks you for a second step, and this is your only one. Add another before you remove it.` })
    await this.#tell(signedIn, 'removed', factor.name)
  }

  /** Ten new codes; the old ones end. @throws Fault `reauthentication_required`, `conflict` */
  async newCodes(signedIn: SignedIn): Promise<readonly string[]> {
    requireRecentProof(signedIn, this.#ports.clock.wall())
    const { user, session } = signedIn
    const { codes, hashes } = newRecoveryCodes(this.#ports)
    const event = this.#desk.ownEvent('user.recovery_codes_replaced', user.id, session.organization)
    const outcome = await this.#ports.factors.replaceCodes(user.id, hashes, event, session.id)
    if (outcome === 'session_over') throw await this.#endedOf(signedIn)
    if (outcome === 'none') throw new Fault('conflict', { detail: 'Recovery codes replace a second factor, and you have none. Add one first.' })
    return codes
  }

  /** The session in which something was to be added is over since the request came in. */
  async #endedOf({ session: { id } }: SignedIn): Promise<Fault> {
    const now = await this.#ports.sessions.get(id)
    return endedFault(now === undefined ? 'absolute' : (now.session.end ?? 'signed_out'))
  }

  /** It was proven to work in this session just now: that is a proof by it. The time of the last proof stays. */
  async #shown({ session: { id } }: SignedIn, method: AuthMethod): Promise<void> {
    const { sessions } = this.#ports
    const now = (await sessions.get(id))?.session
    if (now !== undefined && !now.methods.includes(method)) await sessions.reauthenticated(id, [...now.methods, method], now.authenticatedAt)
  }

  async #mayChange(signedIn: SignedIn): Promise<void> {
    requireRecentProof(signedIn, this.#ports.clock.wall())
    // Else whoever makes an account for somebody else's address would keep a way in after its owner took it over.
    if (signedIn.user.email !== null && signedIn.user.emailVerifiedAt === null)
      throw new Fault('conflict', { detail: 'Confirm your e-mail address first: auth/verify-email/send sends the letter.' })
    if ((await this.#ports.factors.listOf(signedIn.user.id)).length >= FACTORS_MAX)
      throw new Fault('conflict', { detail: `You have ${FACTORS_MAX} factors. Remove one that you do not use.` })
  }

  /** A change that a thief would make is told to the mailbox. */
  async #tell({ user }: SignedIn, what: 'added' | 'removed', name: string): Promise<void> {
    if (user.email !== null) await this.#desk.post(factorLetter(user.email, what, name, await this.#desk.sender()), `factor ${what}`, user.id)
  }
}

function blank(id: FactorId, { user }: SignedIn, createdAt: number): Omit<Factor, 'kind' | 'name'> {
  return {
    id,
    user: user.id,
    secret: null,
    lastStep: null,
    credentialId: null,
    publicKey: null,
    signCount: 0,
    transports: [],
    createdAt,
    confirmedAt: null,
    lastUsedAt: null,
  }
}

/** The bytes of the id's text: opaque, stable, 36 of at most 64. */
function handleOf(user: string): Uint8Array {
  return Uint8Array.from(user.slice('usr_'.length), (character) => character.charCodeAt(0))
}

function notFound(id: FactorId): Fault {
  return new Fault('not_found', { detail: `You have no factor ${id} that this can be done with.` })
}
