import { compactVerify, createLocalJWKSet, errors, type JSONWebKeySet } from 'jose'
import type { IdentityTokenVerifier } from '../core/agent/workload-identities.ts'
import { Fault } from '../core/fault/fault.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts'
import { type Clock, HOUR, MINUTE } from '../core/time.ts'
import type { ProviderClient } from './provider-client.ts'

/** Signatures that only the issuer can make. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']
/** Keys are read again after so long. */
const KEPT_MS = HOUR
/** A key that is not among them is looked for so often, whoever makes names of keys up. */
const MISS_MS = MINUTE
const ISSUERS_MAX = 1_000

export interface IdentityTokenOptions {
  readonly client: Pick<ProviderClient, 'fetchJson'>
  readonly clock: Pick<Clock, 'mono'>
}

interface Kept {
  readonly keys: ReturnType<typeof createLocalJWKSet>
  readonly readAt: number
}

class Refused extends Error {}

/** Checks the signatures of identity tokens with the keys that their issuers publish (OpenID Connect Discovery 1.0 section 4). */
export function createIdentityTokenVerifier({ client, clock }: IdentityTokenOptions): IdentityTokenVerifier {
  const kept = new Map<string, Promise<Kept>>()

  const read = (issuer: string): Promise<Kept> => {
    const reading = fetchKeys(client, issuer).then((keys) => ({ keys, readAt: clock.mono() }))
    kept.delete(issuer)
    kept.set(issuer, reading)
    if (kept.size > ISSUERS_MAX) for (const oldest of [...kept.keys()].slice(0, 1)) kept.delete(oldest)
    // What failed is asked for again by the next token.
    reading.catch(() => {
      if (kept.get(issuer) === reading) kept.delete(issuer)
    })
    return reading
  }

  const keysOf = async (issuer: string): Promise<Kept> => {
    const known = await kept.get(issuer)
    return known !== undefined && clock.mono() - known.readAt < KEPT_MS ? known : read(issuer)
  }

  const verified = async (token: string, issuer: string): Promise<JsonObject> => {
    const { keys, readAt } = await keysOf(issuer)
    try {
      return await claimsOf(token, keys)
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || clock.mono() - readAt < MISS_MS) throw error
    }
    // The issuer may have made a new key since.
    return claimsOf(token, (await read(issuer)).keys)
  }

  return {
    verify: async (token, issuer) => {
      try {
        return { kind: 'signed', claims: await verified(token, issuer) }
      } catch (error) {
        return { kind: 'refused', why: wordsOf(error, issuer) }
      }
    },
  }
}

async function claimsOf(token: string, keys: Kept['keys']): Promise<JsonObject> {
  const { payload } = await compactVerify(token, keys, { algorithms: ALGORITHMS })
  const claims = JSON.parse(new TextDecoder().decode(payload)) as JsonValue
  if (!isJsonObject(claims)) throw new Refused('It has no claims.')
  return claims
}

async function fetchKeys(client: IdentityTokenOptions['client'], issuer: string): Promise<Kept['keys']> {
  const { issuer: named, jwks_uri: address } = await client.fetchJson(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`)
  if (named !== issuer) throw new Refused('The issuer names itself otherwise in its discovery document.')
  if (typeof address !== 'string') throw new Refused('The discovery document of the issuer has no `jwks_uri`.')
  // Whoever is on the way could put keys of their own there.
  if (issuer.startsWith('https:') && !address.startsWith('https:')) throw new Refused('The `jwks_uri` of the issuer is not https.')
  const found = await client.fetchJson(address)
  if (!Array.isArray(found['keys'])) throw new Refused('The `jwks_uri` of the issuer leads to no key set.')
  return createLocalJWKSet(found as unknown as JSONWebKeySet)
}

function wordsOf(error: unknown, issuer: string): string {
  if (error instanceof Refused) return error.message
  if (error instanceof Fault) return `The keys of ${issuer} could not be read: ${error.message}.`
  if (error instanceof errors.JWKSNoMatchingKey) return 'It was signed with a key that its issuer does not publish.'
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'Its signature was not made by its issuer.'
  if (error instanceof errors.JOSEAlgNotAllowed) return 'Its `alg` is not accepted: it has to be signed with a key of the issuer.'
  return 'It is no signed JWT of this issuer.'
}
