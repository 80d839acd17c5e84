import { sameSecret } from '../connect/random-token.ts'
import { type InstallationId, idPattern } from '../ids.ts'
import type { Seal } from '../seal/seal.ts'

/**
 * `egs_1.<installation uuid>.<generation>.<attempt>.<MAC>`; `1` names the key. Derived, so that nothing replayable is stored, an attempt that is sent
 * again gets the same bytes on every node, and a forged one is refused without a look at the database (DESIGN section 8).
 */
const PREFIX = 'egs_1.'
const PURPOSE = 'sdk refresh token'
const SHAPE = /^egs_1\.([0-9a-f-]{36})\.([1-9][0-9]{0,14})\.([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{43})$/
const INSTALLATION_ID = new RegExp(idPattern('ins'))
/** Longer texts are not looked at. */
const LENGTH_MAX = 160

/** 16 random bytes of the client, base64url: `^[A-Za-z0-9_-]{22}$`. */
export const ATTEMPT_PATTERN = '^[A-Za-z0-9_-]{22}$'

export interface PresentedSdkToken {
  readonly installation: InstallationId
  readonly generation: number
  readonly attempt: string
}

export function sdkRefreshToken({ installation, generation, attempt }: PresentedSdkToken, seal: Pick<Seal, 'mac'>): string {
  const body = `${installation.slice('ins_'.length)}.${generation}.${attempt}`
  return `${PREFIX}${body}.${seal.mac(PURPOSE, body)}`
}

/** What a genuine token says; null for anything that this server did not make. Costs one HMAC at most. */
export function readSdkRefreshToken(text: string, seal: Pick<Seal, 'mac'>): PresentedSdkToken | null {
  const parts = text.length > LENGTH_MAX ? null : SHAPE.exec(text)
  if (parts === null) return null
  const [, uuid = '', generation = '', attempt = '', mac = ''] = parts
  const installation = `ins_${uuid}` as const
  if (!INSTALLATION_ID.test(installation) || !sameSecret(seal.mac(PURPOSE, `${uuid}.${generation}.${attempt}`), mac)) return null
  return { installation, generation: Number(generation), attempt }
}
