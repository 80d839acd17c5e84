import type { JsonValue } from '../json.ts'
import { isJsonObject } from '../json.ts'
import type { Seal } from '../seal/seal.ts'
import type { ConnectSession } from './connect-sessions.ts'

/** What only this flow knows: the PKCE verifier (RFC 7636) and the nonce of the id_token (OpenID Connect Core 3.1.2.1). */
export interface FlowSecret {
  readonly verifier: string | null
  readonly nonce: string | null
  /** Variables that the end user answered, and may answer differently at the next try. */
  readonly asked: readonly string[]
}

type SessionPlace = Pick<ConnectSession, 'id' | 'organization'>

function place(session: SessionPlace) {
  return { organization: session.organization, table: 'connect_session', row: session.id, column: 'flow_secret' }
}

export function sealFlowSecret(secret: FlowSecret, session: SessionPlace, seal: Seal): Uint8Array {
  return seal.seal(JSON.stringify(secret), place(session))
}

/** @throws SealError */
export function openFlowSecret(sealed: Uint8Array, session: SessionPlace, seal: Seal): FlowSecret {
  const value: JsonValue = JSON.parse(seal.openText(sealed, place(session)))
  const { verifier, nonce, asked } = isJsonObject(value) ? value : {}
  return {
    verifier: typeof verifier === 'string' ? verifier : null,
    nonce: typeof nonce === 'string' ? nonce : null,
    asked: Array.isArray(asked) ? asked.filter((name) => typeof name === 'string') : [],
  }
}

/** A flow belongs to one browser; the hash differs from flow to flow, so that parallel flows do not disturb each other. */
export function browserHash(browserId: string, session: ConnectSession['id'], seal: Seal): string {
  return seal.mac('connect browser', `${browserId}.${session}`)
}

/** The state of the browser's nth flow at an integration whose provider does not repeat a state. Unguessable: the browser's id is. */
export function pushState(browserId: string, slug: string | null, nth: number, seal: Seal): string {
  return seal.mac('connect push', `${browserId}.${slug ?? ''}.${nth}`)
}

/**
 * The completion code of a flow: derived, so that the same browser repeating its callback gets the same redirect, and
 * unguessable, because the key never leaves the server and the flow's state has 256 random bits.
 */
export function completionCode(session: Pick<ConnectSession, 'id'>, stateHash: string, seal: Seal): string {
  return seal.mac('connect completion', `${session.id}.${stateHash}`)
}
