import type { NewEvent } from '../audit/event.ts'
import type { ApprovalId, IncidentId, InstallationId, RecoveryAttemptId, SdkTokenId } from '../ids.ts'
import type { JsonObject } from '../json.ts'
import type { Instant } from '../time.ts'
import type { KeyCustody, MachineHints } from './installation.ts'

/** Crosses threads, so it carries no function. Everything that was proven is proven before: signature, nonce, `rth`, MAC. */
export interface SdkPresentation {
  readonly verb: 'refresh' | 'recover'
  readonly installation: InstallationId
  readonly generation: number
  /** Of the token that is shown. */
  readonly attempt: string
  /** Of this request: the token that is made for it carries it. */
  readonly nextAttempt: string
  /** RFC 7638 thumbprint of the key that signed the proof. */
  readonly key: string
  /** The proof was made after this: the start of its nonce's slot. Only a proof made after the successor existed shows that two hold the key. */
  readonly provenAfter: Instant
  /** A key that registers itself in the same request, proven as well. */
  readonly nextKey: { readonly thumbprint: string; readonly jwk: JsonObject; readonly custody: KeyCustody } | null
  readonly tokenLifeMs: number
  /** `EVERGRANT_RECOVERY=off`: the switch that works without any account. */
  readonly recoveryEnabled: boolean
  readonly ids: SdkPresentationIds
  readonly address: string | null
  readonly userAgent: string | null
  readonly hints: MachineHints | null
  readonly requestId: string
}

/** Made beforehand, so that the same presentation may be applied again after an unknown commit. */
interface SdkPresentationIds {
  readonly token: SdkTokenId
  /** For the token that is shown, where the record does not know it. */
  readonly adopted: SdkTokenId
  readonly family: string
  readonly events: readonly [NewEvent['id'], NewEvent['id']]
  readonly attempt: RecoveryAttemptId
  readonly approval: ApprovalId
  readonly incident: IncidentId
}
