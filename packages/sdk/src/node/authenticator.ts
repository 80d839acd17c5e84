import { readProof } from '../proof/read-proof.ts'
import { type AccessTokenClaims, ROLES, type Role, readAccessToken } from './access-token.ts'
import { checkedRequirements, type Requirements, refuseNoRoles, refuseUnknown } from './asked-for.ts'
import { AuthenticationError } from './authentication-error.ts'
import { KeySet } from './key-set.ts'
import { addressOf, type Credential, credentialOf, headerOf, type RequestLike } from './request-headers.ts'
import { UsedProofs } from './used-proofs.ts'
import { SessionValidation } from './validate-session.ts'

const TOLERANCE_SECONDS = 5
const OPTIONS = ['issuer', 'audience', 'jwksUrl', 'roles', 'validate', 'clockTolerance', 'origin', 'fetch'] as const

export interface AuthenticatorOptions {
  /** The public URL of Evergrant: who issued the tokens. */
  readonly issuer: string
  /** Whom tokens must be meant for; `issuer` by default, as Evergrant issues them. */
  readonly audience?: string
  /** Where the keys are; `<issuer>/.well-known/jwks.json` by default. */
  readonly jwksUrl?: string
  /** Who may come in at all; everybody who is signed in by default. A list of roles, not a lowest one. */
  readonly roles?: readonly Role[]
  /**
   * `never` (default): tokens are checked here, and a sign-out is seen when the token ends, after ten minutes at most. `always`: Evergrant is
   * asked for each request, and a sign-out or another role is seen at once.
   */
  readonly validate?: 'never' | 'always'
  /** Seconds that clocks may differ; 5 by default. */
  readonly clockTolerance?: number
  /** Public origin of your API (`https://api.example.com`), where tokens may be bound to a key: a proof names the address that was called. */
  readonly origin?: string
  /** For tests, or a runtime of your own. */
  readonly fetch?: typeof globalThis.fetch
}

/** Who sent a request. */
export interface AuthenticatedSession {
  /** `usr_...` */
  readonly user: string
  /** `ses_...` */
  readonly session: string
  /** `org_...` */
  readonly organization: string
  /** The `owner` of this person's connections at Evergrant. */
  readonly owner: string
  /** When the token was issued; with `validate: 'always'` now. */
  readonly role: Role
  /** How they signed in: `pwd`, `otp`, `hwk`, `fed`, `link`, `rec`. */
  readonly methods: readonly string[]
  readonly authenticatedAt: Date
  /** End of the access token, not of the session. */
  readonly expiresAt: Date
  readonly claims: AccessTokenClaims
}

export interface Authenticator {
  /** @throws AuthenticationError */
  authenticate(request: RequestLike, requirements?: Requirements): Promise<AuthenticatedSession>
}

/** Checks access tokens of Evergrant in an API of your own. Make one for the whole process: it keeps the keys. */
export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const settings = settingsOf(options)
  const proofs = new UsedProofs()
  const keys = new KeySet({ url: settings.jwksUrl, fetch: settings.fetch, now: () => performance.now() })
  const validation = options.validate === 'always' ? new SessionValidation(settings) : null
  return {
    authenticate: async (request, asked) => {
      const requirements = checkedRequirements(asked)
      const credential = credentialOf(request)
      if (credential === null)
        throw new AuthenticationError('session_missing', { detail: 'The request has no access token. Send `Authorization: Bearer <access token>`.' })
      const claims = await readAccessToken(credential.token, keys, { ...settings, now: Date.now() })
      await checkProof(request, credential, claims, settings.origin, proofs)
      const role = validation === null ? claims.role : await validation.roleNow(credential.token)
      const session = sessionOf(claims, role)
      // Roles that are named and undefined are none of the route's own.
      checkRequirements(session, requirements.roles ?? options.roles, requirements.authenticatedWithin)
      return session
    },
  }
}

interface Settings {
  readonly issuer: string
  readonly audience: string
  readonly jwksUrl: string
  readonly tolerance: number
  readonly origin: string | undefined
  readonly fetch: typeof globalThis.fetch
}

/** @throws TypeError: a mistake here would let nobody in, or everybody, and is better seen at the start */
function settingsOf(options: AuthenticatorOptions): Settings {
  refuseUnknown('option', options, OPTIONS)
  const { issuer: address, roles = ROLES, validate = 'never' } = options
  // `localhost:4400` can be parsed: as an address of the scheme `localhost`.
  if (!URL.canParse(address) || !/^https?:$/.test(new URL(address).protocol))
    throw new TypeError('`issuer` must be the public URL of Evergrant with its scheme, for example https://connect.example.com.')
  refuseNoRoles(roles)
  if (validate !== 'never' && validate !== 'always') throw new TypeError("`validate` is 'never' or 'always'.")
  const issuer = options.issuer.replace(/\/+$/, '')
  const tolerance = options.clockTolerance ?? TOLERANCE_SECONDS
  // A text of an environment variable would be put behind the digits of the token's end, which would then never come.
  if (!(typeof tolerance === 'number' && tolerance >= 0 && tolerance <= 300)) throw new TypeError('`clockTolerance` is a number of seconds from 0 to 300.')
  return {
    issuer,
    audience: options.audience ?? issuer,
    jwksUrl: options.jwksUrl ?? `${issuer}/.well-known/jwks.json`,
    tolerance,
    origin: options.origin,
    // Called as a function of its own: some runtimes refuse a `fetch` that was taken off its object.
    fetch: options.fetch ?? ((...args) => globalThis.fetch(...args)),
  }
}

/** A token that is bound to a key is worth nothing without it; one that is not is worth nothing as if it were. */
async function checkProof(
  request: RequestLike,
  { scheme, token }: Credential,
  { cnf }: AccessTokenClaims,
  origin: string | undefined,
  proofs: UsedProofs,
): Promise<void> {
  const invalid = (why: string) =>
    new AuthenticationError('dpop_proof_invalid', { detail: `The proof of possession was refused: ${why}. Make a new one for each request.` })
  if (cnf === undefined) {
    if (scheme === 'DPoP') throw invalid('the token is not bound to a key, so it goes with the scheme Bearer')
    return
  }
  if (scheme !== 'DPoP') throw invalid('the token is bound to a key, so it goes with the scheme DPoP')
  const url = addressOf(request, origin)
  if (url === null) throw new TypeError('A token that is bound to a key arrived: give createAuthenticator the public `origin` of this API.')
  const now = Date.now()
  const reading = await readProof(headerOf(request, 'dpop'), { method: request.method ?? 'GET', url, accessToken: token, boundTo: cnf.jkt, now })
  if (reading.kind === 'refused') throw invalid(reading.why)
  if (!proofs.first(reading.id, reading.until, now)) throw invalid('it was used before')
}

function sessionOf(claims: AccessTokenClaims, role: Role): AuthenticatedSession {
  return {
    user: claims.sub,
    session: claims.sid,
    organization: claims.org,
    owner: claims.owner,
    role,
    methods: claims.amr,
    authenticatedAt: new Date(claims.auth_time * 1_000),
    expiresAt: new Date(claims.exp * 1_000),
    claims,
  }
}

function checkRequirements({ role, authenticatedAt }: AuthenticatedSession, roles: readonly Role[] | undefined, authenticatedWithin: number | undefined): void {
  if (roles !== undefined && !roles.includes(role))
    throw new AuthenticationError('role_missing', { detail: `This needs the role ${roles.join(' or ')}; the session has ${role}.` })
  if (authenticatedWithin !== undefined && Date.now() - authenticatedAt.getTime() > authenticatedWithin * 1_000)
    throw new AuthenticationError('reauthentication_required', {
      detail: 'This needs a recent proof of identity. Confirm it at auth/reauthenticate and send the request again.',
    })
}
