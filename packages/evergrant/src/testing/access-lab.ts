import { newId } from '../core/ids.ts'
import { type AccessClaims, AccessTokens } from '../core/session/access-token.ts'
import type { Session } from '../core/session/session.ts'
import type { SignedIn } from '../core/session/sessions.ts'
import { SigningKeys, type SigningKeysPorts } from '../core/session/signing-keys.ts'
import { DAY, type Instant } from '../core/time.ts'
import type { Role, User } from '../core/user/user.ts'
import { createTokenSigner } from '../seal/token-signer.ts'
import type { Store } from '../store/index.ts'
import { systemEntropy } from '../system.ts'
import type { IssuerKey } from './bad-tokens.ts'
import { createManualTime, type ManualTime } from './manual-time.ts'
import { testSeal } from './seal.ts'

export const LAB_ISSUER = 'https://evergrant.example'

export interface AccessLab {
  readonly time: ManualTime
  readonly keys: SigningKeys
  readonly tokens: AccessTokens
  /** Another node on the same store. */
  another(): Pick<AccessLab, 'keys' | 'tokens'>
  /** The private half of the key that signs now. */
  issuerKey(): Promise<IssuerKey>
}

interface AccessLabParts {
  readonly store: Pick<Store, 'signingKeys'>
  readonly time?: ManualTime
  readonly changesFresh?: () => boolean
  readonly log?: SigningKeysPorts['log']
}

const quiet: SigningKeysPorts['log'] = { info: () => {}, warn: () => {}, error: () => {} }

/** Signing keys and access tokens with the real signer, on a store of yours. */
export function createAccessLab({ store, time = createManualTime(), changesFresh = () => true, log = quiet }: AccessLabParts): AccessLab {
  const signer = createTokenSigner()
  const { clock } = time
  const organization = newId('org', systemEntropy)
  const node = () => {
    const keys = new SigningKeys({ store: store.signingKeys, signer, seal: testSeal(), clock, entropy: systemEntropy, log, changesFresh, organization })
    return { keys, tokens: new AccessTokens({ signer, keys, clock, entropy: systemEntropy, issuer: LAB_ISSUER, audience: LAB_ISSUER }) }
  }
  const own = node()
  return {
    time,
    ...own,
    another: node,
    issuerKey: async () => {
      const { id, privateJwk } = await own.keys.signing()
      return { kid: id, privateJwk }
    },
  }
}

export function signedInAt(
  at: Instant,
  changes: { readonly session?: Partial<Session>; readonly user?: Partial<User>; readonly role?: Role } = {},
): SignedIn & { readonly role: Role } {
  const user: User = {
    id: newId('usr', systemEntropy),
    email: 'ana@example.com',
    emailVerifiedAt: at,
    name: 'Ana',
    externalId: null,
    passwordHash: null,
    passwordChangedAt: null,
    disabledAt: null,
    createdAt: at,
    updatedAt: at,
    version: 1,
    ...changes.user,
  }
  const session: Session = {
    id: newId('ses', systemEntropy),
    organization: newId('org', systemEntropy),
    user: user.id,
    parent: null,
    mode: 'cookie',
    generation: 1,
    previous: null,
    issuedAt: at,
    usedAt: null,
    recent: [{ generation: 1, from: 0, issuedAt: at }],
    createdAt: at,
    idleExpiresAt: at + 30 * DAY,
    expiresAt: at + 180 * DAY,
    revokedAt: null,
    end: null,
    methods: ['pwd'],
    authenticatedAt: at,
    keyThumbprint: null,
    userAgent: null,
    address: null,
    issuer: null,
    ...changes.session,
  }
  return { session, user, role: changes.role ?? 'member', factorDemanded: false }
}

/** The claims of a genuine token that is good at `at`. */
export function genuineClaims(at: Instant): AccessClaims {
  const { session, user, role } = signedInAt(at)
  const iat = Math.floor(at / 1_000)
  return {
    iss: LAB_ISSUER,
    aud: LAB_ISSUER,
    sub: user.id,
    sid: session.id,
    gen: 1,
    org: session.organization,
    role,
    owner: user.id,
    iat,
    exp: iat + 600,
    jti: 'jti-1',
    amr: ['pwd'],
    auth_time: iat,
  }
}
