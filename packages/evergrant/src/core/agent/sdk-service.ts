import { Fault } from '../fault/fault.ts'
import { type AgentId, type InstallationId, newId, type OrganizationId } from '../ids.ts'
import type { DpopProofs, ExaminedProof } from '../proof/dpop-proofs.ts'
import type { Seal } from '../seal/seal.ts'
import type { CallerFacts } from '../session/session-events.ts'
import type { Clock, Entropy } from '../time.ts'
import type { Approval } from './approvals.ts'
import type { KeyCustody, MachineHints, RevokeClass } from './installation.ts'
import type { InstallationStanding, Installations, SdkPresented } from './installations.ts'
import type { ProofFailures } from './proof-failures.ts'
import type { SdkCredentials, SdkOpened } from './sdk-credentials.ts'
import type { SdkPresentation } from './sdk-presentation.ts'
import { type PresentedSdkToken, readSdkRefreshToken } from './sdk-refresh-token.ts'
import { refusalFault } from './sdk-refusals.ts'
import type { SdkJudgement } from './sdk-rotation.ts'
import { stoppedFault } from './stopped.ts'
import type { UseCounter } from './use-counter.ts'

interface SdkServicePorts {
  readonly clock: Pick<Clock, 'wall'>
  readonly entropy: Entropy
  readonly seal: Pick<Seal, 'mac'>
  readonly installations: Pick<Installations, 'get' | 'present' | 'revoke'>
  readonly proofs: Pick<DpopProofs, 'examine' | 'spend'>
  readonly credentials: Pick<SdkCredentials, 'opened'>
  readonly failures: Pick<ProofFailures, 'note'>
  /** What the trust in an agent is computed from. */
  readonly uses: Pick<UseCounter, 'countDay'>
  /** Somebody should look at it now. Must not throw. */
  readonly alert: (alert: SdkAlert) => void
  /** `EVERGRANT_RECOVERY`. */
  readonly recoveryEnabled: boolean
  readonly tokenLifeMs: number
}

export interface SdkAlert {
  readonly kind: 'clone' | 'recovery_after_cut_off' | 'breaker_tripped'
  readonly organization: OrganizationId
  readonly agent: AgentId
  readonly installation: InstallationId
  readonly address: string | null
}

/** The proof that came with a request, and the credential that it is about. */
export interface SdkProof {
  readonly headers: readonly string[]
  readonly method: string
  /** The address that the caller used: the public one. */
  readonly url: string
}

export interface SdkRequest extends CallerFacts {
  readonly proof: SdkProof
  readonly token: string
  readonly attempt: string
  /** A proof like the header, by the key that is to be the installation's from now on. */
  readonly nextKeyProof: string | null
  /** Of that key. */
  readonly custody: KeyCustody | null
  readonly bound: boolean
  readonly hints: MachineHints | null
  readonly requestId: string
}

/** A person is asked; the same attempt again hears of it. */
interface SdkPending {
  readonly approval: Pick<Approval, 'id' | 'expiresAt'>
  readonly why: string
}

interface ProvenToken {
  readonly token: PresentedSdkToken
  readonly proof: ExaminedProof
  readonly next: ExaminedProof | null
}

/** Refresh, recovery and end of installations. What happens to a token is judged in `sdk-rotation.ts` and applied by the store. */
export class SdkService {
  readonly #ports: SdkServicePorts

  constructor(ports: SdkServicePorts) {
    this.#ports = ports
  }

  /** @throws Fault: `sdk_token_invalid` to whoever has not proven the key; else one that says what is the matter */
  async refresh(request: SdkRequest): Promise<SdkOpened> {
    const opened = await this.#present('refresh', request)
    // A refresh is never put before a person.
    if (isPending(opened)) throw new Fault('internal', { detail: 'a refresh was judged as a recovery' })
    return opened
  }

  /** @throws Fault as {@link refresh} */
  recover(request: SdkRequest): Promise<SdkOpened | SdkPending> {
    return this.#present('recover', request)
  }

  /** Signs a machine out: the installation is over. Also when it was already. @throws Fault `sdk_token_invalid` */
  async revoke(request: Pick<SdkRequest, 'proof' | 'token' | 'address' | 'userAgent' | 'requestId'>): Promise<void> {
    const { clock, entropy, installations } = this.#ports
    const { token, proof } = await this.#proven({ ...request, nextKeyProof: null })
    const standing = await installations.get(token.installation)
    if (standing === undefined) throw invalid()
    const { installation } = standing
    if (installation.keyThumbprint !== proof.thumbprint) throw this.#stranger(installation, request)
    const at = clock.wall()
    const by = installation.id
    await installations.revoke(
      installation.organization,
      { installation: installation.id },
      { class: 'owner_request', reason: 'signed out by its own machine', by, ticket: false, status: 'retired', lock: null },
      at,
      {
        id: newId('evt', entropy),
        organization: installation.organization,
        type: 'installation.retired',
        at,
        actor: { kind: 'installation', id: by },
        connection: null,
        subject: installation.id,
        data: { agent: installation.agent, reason: 'signed_out', address: request.address, user_agent: request.userAgent, request: request.requestId },
      },
    )
  }

  async #present(verb: SdkPresentation['verb'], request: SdkRequest): Promise<SdkOpened | SdkPending> {
    const proven = await this.#proven(request)
    const presented = await this.#ports.installations.present(this.#presentation(verb, request, proven))
    if (presented.kind === 'stranger') throw presented.known === null ? invalid() : this.#stranger(presented.known, request)
    this.#alertOf(presented, request)
    const { judgement, standing, settings, approval } = presented
    switch (judgement.kind) {
      case 'issue':
        this.#countRotation(judgement)
        return this.#ports.credentials.opened(standing, judgement.token, { bound: request.bound, settings })
      case 'again':
        return this.#ports.credentials.opened(standing, judgement.token, { bound: request.bound, settings })
      case 'pending':
        if (approval === null) throw new Fault('internal', { detail: 'a recovery waits for an approval that was not stored' })
        return { approval, why: judgement.why }
      case 'clone':
        if (judgement.locks) throw stoppedFault('installation_locked', standing)
        throw new Fault('credentials_copied', { detail: COPIED })
      case 'refused':
        throw refusalFault(judgement, { standing, settings, enabled: this.#ports.recoveryEnabled })
    }
  }

  /** Each step earns the next one, and the last two look the same from outside. agents.md 3.5. */
  async #proven({ proof: sent, token: text, nextKeyProof }: Pick<SdkRequest, 'proof' | 'token' | 'nextKeyProof'>): Promise<ProvenToken> {
    const { proofs, seal } = this.#ports
    const asked = { method: sent.method, url: sent.url, accessToken: null, boundTo: null, nonceRequired: true, credential: text }
    const proof = await proofs.examine({ ...asked, headers: sent.headers })
    const next = nextKeyProof === null ? null : await nextProof(() => proofs.examine({ ...asked, headers: [nextKeyProof] }))
    if (next?.thumbprint === proof.thumbprint)
      throw new Fault('dpop_proof_invalid', { field: '/next_key_proof', detail: 'It was made with the key of the header `DPoP`. Make a new key for it.' })
    const token = readSdkRefreshToken(text, seal)
    if (token === null) throw invalid()
    if (!(await proofs.spend(proof)) || (next !== null && !(await proofs.spend(next)))) throw invalid()
    return { token, proof, next }
  }

  #presentation(verb: SdkPresentation['verb'], request: SdkRequest, { token, proof, next }: ProvenToken): SdkPresentation {
    const { entropy, tokenLifeMs, recoveryEnabled } = this.#ports
    const { address, userAgent, hints, requestId } = request
    return {
      verb,
      ...token,
      nextAttempt: request.attempt,
      key: proof.thumbprint,
      provenAfter: proof.madeAfter ?? 0,
      nextKey: next === null ? null : { thumbprint: next.thumbprint, jwk: next.jwk, custody: request.custody ?? 'file' },
      tokenLifeMs,
      recoveryEnabled,
      ids: {
        token: newId('sdk', entropy),
        adopted: newId('sdk', entropy),
        family: entropy.uuid(),
        events: [newId('evt', entropy), newId('evt', entropy)],
        attempt: newId('rca', entropy),
        approval: newId('apr', entropy),
        incident: newId('inc', entropy),
      },
      address,
      userAgent,
      hints,
      requestId,
    }
  }

  #stranger(
    { id, organization, agent }: Pick<InstallationStanding['installation'], 'id' | 'organization' | 'agent'>,
    { address, userAgent }: CallerFacts,
  ): Fault {
    this.#ports.failures.note({ organization, agent, installation: id, address, userAgent })
    this.#ports.uses.countDay(id, agent, { proofFailures: 1 })
    return invalid()
  }

  /**
   * A machine is late when it comes back only after its refresh token has ended: a program that runs once an hour is as punctual as one that never stops.
   * A token that an operator rotated, or that ended while we were down, counts as neither late nor punctual.
   */
  #countRotation({ how, token, superseded, installation }: Extract<SdkJudgement, { kind: 'issue' }>): void {
    if (superseded === null || superseded.ticket) return
    const late = how === 'recover' && token.createdAt >= superseded.expiresAt
    if (!late && how !== 'rotate') return
    this.#ports.uses.countDay(installation.id, installation.agent, { rotations: 1, rotationsOnTime: late ? 0 : 1 })
  }

  #alertOf({ judgement, standing: { installation } }: Extract<SdkPresented, { kind: 'known' }>, { address }: CallerFacts): void {
    const tell = (kind: SdkAlert['kind']) =>
      this.#ports.alert({ kind, organization: installation.organization, agent: installation.agent, installation: installation.id, address })
    if (judgement.kind === 'clone') tell('clone')
    if (judgement.kind === 'pending' && judgement.trips) tell('breaker_tripped')
    if (judgement.kind === 'refused' && judgement.recovering && judgement.class !== null && CUT_OFF.has(judgement.class)) tell('recovery_after_cut_off')
  }
}

const COPIED =
  'These credentials were copied from a machine that has gone on with newer ones, so this copy is refused; the other machine is not. Ask for an enrolment code of its own for this one: npx @evergrant/sdk enroll <code>.'

const CUT_OFF: ReadonlySet<RevokeClass> = new Set(['compromise', 'offboarding', 'reuse_detected'])

/** The same for a token that never was, one that is forged, a proof that was used before, and a genuine token without its key. */
function invalid(): Fault {
  return new Fault('sdk_token_invalid')
}

async function nextProof(examine: () => Promise<ExaminedProof>): Promise<ExaminedProof> {
  try {
    return await examine()
  } catch (error) {
    if (error instanceof Fault && error.code === 'dpop_proof_invalid') throw new Fault(error.code, { ...error.details, field: '/next_key_proof' })
    throw error
  }
}

/** When a person is asked, how often the machine asks again, in seconds. */
export const POLL_SECONDS = 30

/** For the answer of a recovery that waits. */
export function isPending(answer: SdkOpened | SdkPending): answer is SdkPending {
  return 'approval' in answer
}
