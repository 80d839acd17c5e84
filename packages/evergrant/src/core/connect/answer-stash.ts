import { isJsonObject } from '../json.ts'
import { parseJson } from '../provider/answer-body.ts'
import { decodeBase64Url } from '../provider/base64url.ts'
import { type Seal, SealError } from '../seal/seal.ts'
import { type Clock, MINUTE } from '../time.ts'
import type { CallbackParameters } from './callback-parameters.ts'
import { base64Url } from './random-token.ts'

const LIVES_MS = 2 * MINUTE
const LONGEST = 8_000
/** Never needed: the code brings both, straight from the provider. */
const LEFT_OUT = new Set(['id_token', 'access_token', 'refresh_token'])

const place = (slug: string | null) => ({ organization: 'connect', table: 'connect_answer', row: slug ?? '-', column: 'parameters' })

/**
 * An answer that the provider posted from its own site comes without our cookie (SameSite=Lax). It is sealed into the
 * address of a redirect to ourselves, where the cookie is: any node can open it, nobody else can, and it keeps nothing.
 * Null when it is too long to be an authorization answer.
 */
export function stashAnswer(slug: string | null, parameters: CallbackParameters, ports: { readonly seal: Seal; readonly clock: Clock }): string | null {
  const pairs = [...parameters].flatMap(([name, values]) => (LEFT_OUT.has(name) ? [] : values.map((value) => [name, value])))
  const text = JSON.stringify({ until: ports.clock.wall() + LIVES_MS, pairs })
  return text.length > LONGEST ? null : base64Url(ports.seal.seal(text, place(slug)))
}

/** The answer again; null when it is not ours, not for this path, or too old. */
export function unstashAnswer(slug: string | null, stashed: string, ports: { readonly seal: Seal; readonly clock: Clock }): CallbackParameters | null {
  const bytes = stashed.length > 3 * LONGEST ? null : decodeBase64Url(stashed)
  const json = bytes === null ? undefined : parseJson(openOrEmpty(slug, Uint8Array.from(bytes), ports.seal))
  if (!isJsonObject(json) || typeof json['until'] !== 'number' || json['until'] <= ports.clock.wall() || !Array.isArray(json['pairs'])) return null
  const parameters = new Map<string, string[]>()
  for (const pair of json['pairs']) {
    const [name, value] = Array.isArray(pair) ? pair : []
    if (typeof name === 'string' && typeof value === 'string') parameters.set(name, [...(parameters.get(name) ?? []), value])
  }
  return parameters
}

function openOrEmpty(slug: string | null, sealed: Uint8Array, seal: Seal): string {
  try {
    return seal.openText(sealed, place(slug))
  } catch (error) {
    if (error instanceof SealError) return ''
    throw error
  }
}
