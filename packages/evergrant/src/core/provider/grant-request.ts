import { Fault } from '../fault/fault.ts'
import { scopesToAsk } from './authorize.ts'
import type { ProviderContext } from './context.ts'
import type { RenewedGrant } from './grant-kind.ts'
import { signJwt } from './jwt.ts'
import { hasOwnSecret, type OwnCredentials } from './own-credentials.ts'
import type { SigningFacts } from './record.ts'
import { tokenRequest } from './token-request.ts'
import { putHeaders, tokenValuesOf } from './values.ts'
import type { ProviderRequest } from './wire.ts'

/** RFC 7523 section 8.1. */
const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

interface GrantInput {
  readonly grant: RenewedGrant
  /** What belongs to this connection alone. */
  readonly credentials: OwnCredentials
  /** The integration's; empty: the record's default. */
  readonly scopes: readonly string[]
}

/**
 * The request for a token without a browser: the first and every later one are the same. Templates of the record (parameters,
 * headers, claims) may name `{scope}`, `{issuer}`, `{subject}` and `{key_id}` beside variables and facts.
 * @throws Fault `invalid_request` naming the credential that is missing or unusable
 */
export function grantRequest(context: ProviderContext, input: GrantInput): ProviderRequest {
  const scope = scopesToAsk(context, input.scopes).join(context.record.authorize.scopeSeparator === ',' ? ',' : ' ')
  const own = withTold(contextOf(context, input), input, scope)
  const { token } = own.record
  const { refresh: url } = own.endpoints
  const signed = (): string => assertionOf(own, input.credentials['private_key'] ?? null, context.clientSecret)
  switch (input.grant) {
    case 'client_credentials':
      return tokenRequest(own, url, { grant_type: 'client_credentials', ...scopeParameter(own, scope) }, token.exchangeParameters)
    case 'jwt_bearer': {
      // The scope stands in the claims where a record puts it there (Google), else beside the assertion (RFC 7521 section 4.1).
      const beside = Object.values(token.signing?.claims ?? {}).some((claim) => claim.includes('{scope}')) ? {} : scopeParameter(own, scope)
      return tokenRequest(own, url, { grant_type: JWT_BEARER, assertion: signed(), ...beside }, token.exchangeParameters)
    }
    case 'installation': {
      const headers: Record<string, string> = { accept: 'application/json' }
      putHeaders(headers, token.headers, () => tokenValuesOf(own))
      headers.authorization = `Bearer ${signed()}`
      return { method: token.method, url, headers, basic: null, body: null }
    }
  }
}

/** The context of a connection that has a client of its own. */
export function contextOf(context: ProviderContext, { grant, credentials }: Pick<GrantInput, 'grant' | 'credentials'>): ProviderContext {
  const own = hasOwnSecret(grant, credentials)
  if (grant === 'client_credentials')
    return own ? { ...context, clientId: credentials['client_id'] ?? '', clientSecret: credentials['client_secret'] ?? null } : context
  // Where the integration's secret is the key that signs, it authenticates no client: it must never be sent.
  return own ? context : { ...context, clientSecret: null }
}

function assertionOf(context: ProviderContext, own: string | null, ofIntegration: string | null): string {
  const facts = signingOf(context)
  const key = own ?? ofIntegration
  if (key === null) throw noKey(context)
  try {
    return signJwt({ facts, key, values: tokenValuesOf(context) }, context.signing)
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    throw new Fault('invalid_request', { field: own === null ? '/integration' : '/credentials/private_key', detail: error.message, cause: error })
  }
}

function signingOf({ record }: ProviderContext): SigningFacts {
  if (record.token.signing !== null) return record.token.signing
  throw new Fault('invalid_request', { field: 'token.signing', detail: `The record "${record.id}" does not say how its requests are signed (token.signing).` })
}

function noKey({ record }: ProviderContext): Fault {
  const detail =
    record.grant === 'installation'
      ? `${record.name} needs the app's private key: store it as the client secret of the integration.`
      : `${record.name} needs a private key: send \`credentials.private_key\`, or store one as the client secret of the integration.`
  return new Fault('invalid_request', { field: record.grant === 'installation' ? '/integration' : '/credentials/private_key', detail })
}

/** Credentials that are no secret, and the scopes, under the names that templates use. */
function withTold(context: ProviderContext, { credentials }: GrantInput, scope: string): ProviderContext {
  const told: Record<string, string> = { issuer: context.clientId, scope }
  for (const name of ['subject', 'issuer', 'key_id']) {
    const value = credentials[name]
    if (value !== undefined) told[name] = value
  }
  return { ...context, variables: { ...context.variables, ...told } }
}

function scopeParameter({ record }: ProviderContext, scope: string): Record<string, string> {
  const { scopeParameter: name } = record.authorize
  return scope === '' || name === null ? {} : { [name]: scope }
}
