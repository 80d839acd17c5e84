import { Fault } from '../fault/fault.ts'
import type { JsonObject } from '../json.ts'
import type { Seal } from '../seal/seal.ts'
import { type Clock, type Instant, MINUTE } from '../time.ts'
import { judgeProof, type ProofRefusal, type ProofVerifier, readProof } from './dpop.ts'
import { DpopNonces } from './dpop-nonces.ts'
import { proofTarget } from './proof-target.ts'

/** Clocks of nodes differ a little: a proof is remembered for longer than it could be used again. */
const REMEMBERED_LONGER_MS = 2 * MINUTE

/** Which proofs were used, on all nodes. */
export interface ProofsSeen {
  /** True for the first who shows this hash, false for everybody after. */
  first(hash: string, until: Instant): Promise<boolean>
  /** Forgets those whose `until` is before `before`; at most `limit`. Returns how many. */
  forget(before: Instant, limit: number): Promise<number>
}

interface DpopPorts {
  readonly verifier: ProofVerifier
  readonly seen: Pick<ProofsSeen, 'first'>
  readonly seal: Pick<Seal, 'mac' | 'digest'>
  readonly clock: Clock
}

/** A request and the proof that came with it. */
export interface ProvenRequest {
  /** The values of all `DPoP` fields. */
  readonly headers: readonly string[]
  readonly method: string
  /** The address that the caller used: the public one. */
  readonly url: string
  /** The access token beside the proof; null where there is none, as at `auth/refresh`. */
  readonly accessToken: string | null
  /** Thumbprint of the key that the credential is bound to; null where it is not bound yet. */
  readonly boundTo: string | null
  readonly nonceRequired?: boolean
  /** The credential in the body: the proof must carry its hash as `rth`. */
  readonly credential?: string
}

/** A proof that is right for its request, and whose one use is not spent. */
export interface ExaminedProof {
  /** RFC 7638, of the key that made it. */
  readonly thumbprint: string
  /** Reduced to the members that define it. */
  readonly jwk: JsonObject
  /** It was made after this, whatever its own clock says; null without a nonce of ours. */
  readonly madeAfter: Instant | null
  readonly nonce: string | null
  /** Names it among those that were used. */
  readonly hash: string
  readonly until: Instant
}

const WORDS: Readonly<Record<ProofRefusal, string>> = {
  missing: 'The header `DPoP` is missing.',
  more_than_one: 'There is more than one `DPoP` header. Send one.',
  malformed: 'The `DPoP` header is no compact JWS.',
  type_wrong: 'Its `typ` must be `dpop+jwt`, and it may have no `crit`.',
  algorithm_refused: 'Its `alg` must be ES256 or EdDSA.',
  key_wrong: 'Its `jwk` must be a public key that fits `alg`: P-256 or Ed25519.',
  key_private: 'Its `jwk` holds a private key. Make a new key now: this one is known to whoever saw the request.',
  claims_incomplete: 'It needs `jti`, `htm`, `htu` and `iat`.',
  signature_wrong: 'Its signature was not made by the key in its `jwk`.',
  method_wrong: '`htm` is not the method of this request.',
  target_wrong: '`htu` is not the address of this request, without query and fragment.',
  credential_wrong: '`rth` is not the hash of the credential in the body.',
  access_token_wrong: '`ath` is not the hash of the access token that came with it.',
  other_key: 'It was made with another key than the credential is bound to.',
  used_before: 'It was used before. Make a new one for each request.',
}

/** Checks proofs. Each is good for one request, whichever node answers it. */
export class DpopProofs {
  readonly nonces: DpopNonces
  readonly #ports: DpopPorts

  constructor(ports: DpopPorts) {
    this.#ports = ports
    this.nonces = new DpopNonces(ports.seal, ports.clock)
  }

  /**
   * The thumbprint of the key that the request was proven with.
   * @throws Fault `dpop_proof_invalid`; `dpop_nonce_required` where the next try needs the nonce of the answer's `DPoP-Nonce`; `store_unavailable`
   */
  async check(request: ProvenRequest): Promise<string> {
    const proof = await this.examine(request)
    if (!(await this.spend(proof))) throw invalid('used_before')
    return proof.thumbprint
  }

  /**
   * All but that it is used once: nothing is stored or asked, so that a caller may look at the credential before. Follow with {@link spend}.
   * @throws Fault `dpop_proof_invalid`, `dpop_nonce_required`
   */
  async examine(request: ProvenRequest): Promise<ExaminedProof> {
    const proof = readProof(request.headers)
    if (typeof proof === 'string') throw invalid(proof)
    const { verifier, seal, clock } = this.#ports
    const thumbprint = await verifier.verify(proof)
    if (thumbprint === null) throw invalid('signature_wrong')
    const { accessToken, credential } = request
    const verdict = judgeProof(proof, thumbprint, {
      method: request.method,
      url: request.url,
      now: clock.wall(),
      accessTokenHash: accessToken === null ? null : seal.digest(accessToken),
      credentialHash: credential === undefined ? null : seal.digest(credential),
      boundTo: request.boundTo,
      nonceEnds: (nonce) => this.nonces.ends(nonce),
      nonceRequired: request.nonceRequired ?? false,
    })
    if (verdict.kind === 'refused') throw invalid(verdict.why)
    if (verdict.kind === 'nonce_needed')
      throw new Fault('dpop_nonce_required', {
        detail: 'Make the proof again with the nonce of the header `DPoP-Nonce` of this answer, and send the request once more.',
      })
    const { nonce } = proof.claims
    return {
      thumbprint,
      jwk: proof.jwk,
      madeAfter: nonce === null ? null : this.nonces.begins(nonce),
      nonce,
      // Hashed, so that a caller decides neither the size nor the words of what is stored.
      hash: seal.digest(`${thumbprint}\n${proofTarget(request.url)}\n${verdict.jti}`),
      until: verdict.until,
    }
  }

  /** False when it was used before, on whichever node. @throws Fault `store_unavailable` */
  spend({ hash, until }: Pick<ExaminedProof, 'hash' | 'until'>): Promise<boolean> {
    return this.#ports.seen.first(hash, until + REMEMBERED_LONGER_MS)
  }
}

function invalid(why: ProofRefusal): Fault {
  return new Fault('dpop_proof_invalid', { field: 'DPoP', detail: `The proof of possession was refused. ${WORDS[why]}` })
}
