import { sameSecret } from '../connect/random-token.ts'
import { idPattern, type SessionId } from '../ids.ts'
import type { Seal } from '../seal/seal.ts'

/**
 * `egr_1.<session uuid>.<generation>.<MAC>`; `1` names the key. The MAC is derived from a key of the server, so nothing that could be presented is stored,
 * the same generation has the same bytes on every node, and a forged one is refused without a look at the database (DESIGN section 7).
 */
const PREFIX = 'egr_1.'
const PURPOSE = 'session refresh credential'
const SHAPE = /^egr_1\.([0-9a-f-]{36})\.([1-9][0-9]{0,14})\.([A-Za-z0-9_-]{43})$/
const SESSION_ID = new RegExp(idPattern('ses'))
/** Longer texts are not looked at. */
const LENGTH_MAX = 120

interface PresentedCredential {
  readonly session: SessionId
  readonly generation: number
}

export function refreshCredential(session: SessionId, generation: number, seal: Pick<Seal, 'mac'>): string {
  const body = `${session.slice('ses_'.length)}.${generation}`
  return `${PREFIX}${body}.${seal.mac(PURPOSE, body)}`
}

/** What a genuine credential says; null for anything that this server did not make. Costs one HMAC at most. */
export function readRefreshCredential(text: string, seal: Pick<Seal, 'mac'>): PresentedCredential | null {
  const parts = text.length > LENGTH_MAX ? null : SHAPE.exec(text)
  if (parts === null) return null
  const [, uuid = '', generation = '', mac = ''] = parts
  const session = `ses_${uuid}` as const
  if (!SESSION_ID.test(session) || !sameSecret(seal.mac(PURPOSE, `${uuid}.${generation}`), mac)) return null
  return { session, generation: Number(generation) }
}
