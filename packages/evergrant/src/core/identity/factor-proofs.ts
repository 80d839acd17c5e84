import { Fault } from '../fault/fault.ts'
import type { UserId } from '../ids.ts'
import type { JsonObject } from '../json.ts'
import { type Seal, SealError } from '../seal/seal.ts'
import type { AuthMethod } from '../session/session.ts'
import type { Factor } from './factor.ts'
import type { IdentityPorts } from './identity-ports.ts'
import { readRecoveryCode } from './recovery-codes.ts'
import type { PasskeyCredential } from './second-steps.ts'
import { ticketHash } from './ticket.ts'

export type ProofKind = 'totp' | 'passkey' | 'recovery_code'

/** `ticket` is the text under which the passkey's challenge was made; null where the sign-in's own ticket was. */
export type FactorProof =
  | { readonly kind: 'totp'; readonly code: string }
  | { readonly kind: 'recovery_code'; readonly code: string }
  | { readonly kind: 'passkey'; readonly response: JsonObject; readonly ticket: string | null }

type Ports = Pick<IdentityPorts, 'factors' | 'tickets' | 'seal' | 'clock' | 'oneTimePasswords' | 'passkeys'>

/** Checks second factors. Each code, time step and challenge counts once. */
export class FactorProofs {
  readonly #ports: Ports

  constructor(ports: Ports) {
    this.#ports = ports
  }

  /** What this person may prove themselves with, confirmed factors only; empty where a password is all there is. */
  async kindsOf(user: UserId): Promise<readonly ProofKind[]> {
    const confirmed = (await this.#ports.factors.listOf(user)).filter(({ confirmedAt }) => confirmedAt !== null)
    if (confirmed.length === 0) return []
    const kinds: ProofKind[] = (['totp', 'passkey'] as const).filter((kind) => confirmed.some((factor) => factor.kind === kind))
    return (await this.#ports.factors.codesLeft(user)) > 0 ? [...kinds, 'recovery_code'] : kinds
  }

  /** How it was proved, or null. `challenge`: of a ticket that the caller spends itself. */
  async check(user: UserId, proof: FactorProof, challenge: string | null): Promise<AuthMethod | null> {
    switch (proof.kind) {
      case 'totp':
        return (await this.#checkCode(user, proof.code)) ? 'otp' : null
      case 'recovery_code':
        return (await this.#spendCode(user, proof.code)) ? 'rec' : null
      case 'passkey': {
        const own = challenge ?? (await this.#spentChallenge(user, proof.ticket))
        const proved = own === null ? null : await this.passkeyOfAnybody(proof.response, own)
        return proved !== null && proved.user === user ? 'hwk' : null
      }
    }
  }

  /** Whose passkey signed this challenge, or null. Its count must have grown. */
  async passkeyOfAnybody(response: JsonObject, challenge: string): Promise<{ readonly user: UserId; readonly userVerified: boolean } | null> {
    const id = response['id']
    const factor = typeof id === 'string' && id.length <= CREDENTIAL_ID_MAX ? await this.#ports.factors.byCredential(id) : undefined
    const credential = factor === undefined ? null : credentialOf(factor)
    if (factor === undefined || credential === null) return null
    const proved = await this.#ports.passkeys.prove(response, challenge, credential)
    if (proved === null || !(await this.#ports.factors.useCount(factor.id, proved.signCount, this.#ports.clock.wall()))) return null
    return { user: factor.user, userVerified: proved.userVerified }
  }

  /** `user` null: whatever the device has. */
  async passkeyOptions(user: UserId | null, ticketText: string): Promise<JsonObject> {
    const factors = user === null ? [] : await this.#ports.factors.listOf(user)
    const allowed = factors.map(credentialOf).filter((credential) => credential !== null)
    return this.#ports.passkeys.signInOptions(this.challengeOf(ticketText), allowed)
  }

  /** Derived from the ticket: it needs no row of its own, and dies with it. */
  challengeOf(ticketText: string): string {
    return this.#ports.seal.mac('passkey challenge', ticketText)
  }

  async #spentChallenge(user: UserId, ticketText: string | null): Promise<string | null> {
    const hash = ticketText === null ? null : ticketHash(ticketText, this.#ports.seal)
    const ticket = hash === null ? undefined : await this.#ports.tickets.spend(hash, 'reauthentication')
    return ticket === undefined || ticketText === null || ticket.user !== user ? null : this.challengeOf(ticketText)
  }

  async #checkCode(user: UserId, code: string): Promise<boolean> {
    const { factors, oneTimePasswords, seal, clock } = this.#ports
    const at = clock.wall()
    for (const factor of await factors.listOf(user)) {
      if (factor.kind !== 'totp' || factor.confirmedAt === null || factor.secret === null) continue
      const step = oneTimePasswords.stepOf(code, openTotpSecret(factor.id, factor.secret, seal), at)
      if (step !== null && (await factors.useStep(factor.id, step, at))) return true
    }
    return false
  }

  async #spendCode(user: UserId, text: string): Promise<boolean> {
    const code = readRecoveryCode(text)
    return code !== null && this.#ports.factors.spendCode(user, this.#ports.seal.digest(code), this.#ports.clock.wall())
  }
}

const CREDENTIAL_ID_MAX = 1_400

/** @throws Fault when the key that sealed it is not here */
export function openTotpSecret(factor: Factor['id'], sealed: Uint8Array, seal: Pick<Seal, 'openText'>): string {
  try {
    return seal.openText(sealed, totpPlace(factor))
  } catch (error) {
    throw error instanceof SealError ? new Fault(error.code, { cause: error }) : error
  }
}

/** Users belong to the server, so their factors are sealed outside any organization. */
export function totpPlace(factor: Factor['id']) {
  return { organization: '', table: 'factor', row: factor, column: 'secret' }
}

export function credentialOf({ credentialId, publicKey, signCount, transports, confirmedAt }: Factor): PasskeyCredential | null {
  if (credentialId === null || publicKey === null || confirmedAt === null) return null
  return { credentialId, publicKey, signCount, transports }
}
