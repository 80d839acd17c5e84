import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server'
import type { PasskeyCeremonies, PasskeyCredential } from '../core/identity/second-steps.ts'
import type { JsonObject, JsonValue } from '../core/json.ts'

/** Three hundred files, loaded with the first ceremony and not with the server. */
const library = () => import('@simplewebauthn/server')

/** EdDSA, ES256, RS256 (RFC 9053, RFC 8812). */
const ALGORITHMS = [-8, -7, -257]
const PATIENCE_MS = 5 * 60_000

interface PasskeySite {
  /** Passkeys belong to its host. */
  readonly publicUrl: string
  /** Origins of applications; those below that host may use its passkeys, too. */
  readonly allowedOrigins: readonly string[]
  readonly name: string
}

/** WebAuthn Level 3, sections 7.1 and 7.2, with no attestation: which make of key somebody has is nobody's business here. */
export function createPasskeyCeremonies({ publicUrl, allowedOrigins, name }: PasskeySite): PasskeyCeremonies {
  const site = new URL(publicUrl)
  const rpID = site.hostname
  const below = (origin: string) => new URL(origin).hostname === rpID || new URL(origin).hostname.endsWith(`.${rpID}`)
  const expected = { expectedOrigin: [site.origin, ...allowedOrigins.filter(below)], expectedRPID: rpID }
  return {
    registrationOptions: async ({ userHandle, userName, displayName, challenge, exclude }) =>
      plain(
        await (await library()).generateRegistrationOptions({
          rpName: name,
          rpID,
          userName,
          userDisplayName: displayName,
          userID: Uint8Array.from(userHandle),
          challenge: bytesOf(challenge),
          timeout: PATIENCE_MS,
          attestationType: 'none',
          excludeCredentials: exclude.map(descriptor),
          authenticatorSelection: { residentKey: 'preferred', userVerification: 'preferred' },
          supportedAlgorithmIDs: ALGORITHMS,
        }),
      ),
    register: async (response, challenge) => {
      const found = await quietly(async () =>
        (await library()).verifyRegistrationResponse({
          response: response as unknown as RegistrationResponseJSON,
          expectedChallenge: challenge,
          ...expected,
          requireUserVerification: false,
          supportedAlgorithmIDs: ALGORITHMS,
        }),
      )
      if (found === null || !found.verified) return null
      const { id, publicKey, counter, transports } = found.registrationInfo.credential
      return { credentialId: id, publicKey: Uint8Array.from(publicKey), signCount: counter, transports: transports ?? [] }
    },
    signInOptions: async (challenge, allowed) =>
      plain(
        await (await library()).generateAuthenticationOptions({
          rpID,
          challenge: bytesOf(challenge),
          timeout: PATIENCE_MS,
          userVerification: 'preferred',
          ...(allowed.length === 0 ? {} : { allowCredentials: allowed.map(descriptor) }),
        }),
      ),
    prove: async (response, challenge, credential) => {
      const found = await quietly(async () =>
        (await library()).verifyAuthenticationResponse({
          response: response as unknown as AuthenticationResponseJSON,
          expectedChallenge: challenge,
          ...expected,
          credential: {
            id: credential.credentialId,
            publicKey: Uint8Array.from(credential.publicKey),
            counter: credential.signCount,
            transports: [...credential.transports],
          },
          requireUserVerification: false,
        }),
      )
      if (found === null || !found.verified) return null
      return { signCount: found.authenticationInfo.newCounter, userVerified: found.authenticationInfo.userVerified }
    },
  }
}

const bytesOf = (challenge: string) => Uint8Array.from(Buffer.from(challenge, 'base64url'))

function descriptor({ credentialId, transports }: Pick<PasskeyCredential, 'credentialId' | 'transports'>) {
  return { id: credentialId, transports: [...transports] }
}

/** The library throws for everything that a stranger can send: malformed, another site, another challenge, a count that went back. */
async function quietly<Result>(verify: () => Promise<Result>): Promise<Result | null> {
  try {
    return await verify()
  } catch {
    return null
  }
}

/** As it travels: what is undefined is left out. */
function plain(value: object): JsonObject {
  const copy: JsonValue = JSON.parse(JSON.stringify(value))
  return typeof copy === 'object' && copy !== null && !Array.isArray(copy) ? (copy as JsonObject) : {}
}
