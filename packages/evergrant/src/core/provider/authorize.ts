import { Fault } from '../fault/fault.ts'
import type { ProviderContext } from './context.ts'
import { encodeQuery, percentEncode, withQuery } from './form.ts'
import { putFilled, valuesOf } from './values.ts'

interface AuthorizeInput {
  readonly redirectUri: string
  readonly state: string
  /** Empty: the record's default scopes. */
  readonly scopes: readonly string[]
  /** Base64url of the SHA-256 of the verifier (RFC 7636 section 4.2); null when the provider knows no PKCE. */
  readonly codeChallenge: string | null
  readonly nonce: string | null
  /** The integration's own parameters, over the record's. */
  readonly extra: Readonly<Record<string, string>>
  readonly loginHint?: string
}

/** What binds the flow; neither a record nor an integration may replace it. */
const PROTECTED = new Set(['client_id', 'redirect_uri', 'state', 'code_challenge', 'code_challenge_method', 'nonce'])

/**
 * The URL that the browser is sent to (RFC 6749 section 4.1.1, RFC 7636, OpenID Connect Core 3.1.2.1).
 * @throws Fault `invalid_request` when `extra` names a parameter that binds the flow.
 */
export function authorizeUrl(context: ProviderContext, input: AuthorizeInput): string {
  const facts = context.record.authorize
  const standard = standardParameters(context, input)
  const parameters: Record<string, string> = {}
  for (const [name, value] of Object.entries(standard)) {
    if (!facts.omit.includes(name)) parameters[facts.rename[name] ?? name] = value
  }
  putFilled(parameters, facts.parameters, () => valuesOf(context))
  for (const [name, value] of Object.entries(input.extra)) {
    if (PROTECTED.has(name) || [...PROTECTED].some((standardName) => facts.rename[standardName] === name)) {
      throw new Fault('invalid_request', {
        field: `settings.authorizeParameters.${name}`,
        detail: `"${name}" is set by Evergrant and cannot be overridden. Remove it from authorizeParameters.`,
      })
    }
    parameters[name] = value
  }
  const encoded = facts.unencoded.length === 0 ? encodeQuery(parameters) : mixedQuery(parameters, facts.unencoded)
  const query = [encoded, scopeQuery(context, input)].filter((part) => part !== '').join('&')
  return facts.inFragment ? withFragmentQuery(context.endpoints.authorize, query) : withQuery(context.endpoints.authorize, query)
}

function mixedQuery(parameters: Readonly<Record<string, string>>, unencoded: readonly string[]): string {
  return Object.entries(parameters)
    .map(([name, value]) => `${percentEncode(name)}=${unencoded.includes(name) ? plainQueryValue(value) : percentEncode(value)}`)
    .join('&')
}

/** As it is, but for what would end the value or the URL. */
function plainQueryValue(value: string): string {
  return [...value].map((sign) => (/^[A-Za-z0-9._~:/?@!$()*,;=-]$/.test(sign) ? sign : percentEncode(sign))).join('')
}

/** For pages whose router reads the part behind the `#`, where a query of its own follows the path. */
function withFragmentQuery(url: string, query: string): string {
  const hash = url.indexOf('#')
  if (hash < 0) return `${url}#${query}`
  return `${url}${url.includes('?', hash) ? '&' : '?'}${query}`
}

/** The scopes to ask for: the integration's, else the record's defaults, and always those without which no refresh token comes. */
export function scopesToAsk(context: Pick<ProviderContext, 'record'>, scopes: readonly string[]): string[] {
  const facts = context.record.authorize
  const asked = scopes.length > 0 ? scopes : facts.defaultScopes
  return [...new Set([...asked, ...facts.requiredScopes])]
}

function standardParameters(context: ProviderContext, input: AuthorizeInput): Record<string, string> {
  const parameters: Record<string, string> = {
    response_type: 'code',
    client_id: context.clientId,
    redirect_uri: input.redirectUri,
    state: input.state,
  }
  if (input.codeChallenge !== null) Object.assign(parameters, { code_challenge: input.codeChallenge, code_challenge_method: 'S256' })
  if (input.nonce !== null) parameters.nonce = input.nonce
  if (input.loginHint !== undefined) parameters.login_hint = input.loginHint
  if (context.record.authorize.responseMode === 'form_post') parameters.response_mode = 'form_post'
  return parameters
}

function scopeQuery(context: ProviderContext, input: AuthorizeInput): string {
  const facts = context.record.authorize
  const name = scopeParameterOf(context)
  const scopes = scopesToAsk(context, input.scopes)
  if (name === null || scopes.length === 0 || Object.hasOwn(input.extra, name)) return ''
  if (facts.unencoded.includes(name)) return `${percentEncode(name)}=${plainQueryValue(scopes.join(facts.scopeSeparator === '+' ? ' ' : facts.scopeSeparator))}`
  // A plus between scopes stands for a space already encoded; encoding it again would make it part of a scope.
  const value = facts.scopeSeparator === '+' ? scopes.map(percentEncode).join('+') : percentEncode(scopes.join(facts.scopeSeparator))
  return `${percentEncode(name)}=${value}`
}

function scopeParameterOf(context: ProviderContext): string | null {
  const { answer, authorize } = context.record
  const token = context.token ?? answer.defaultToken
  const own = token === null ? undefined : answer.tokens?.[token]?.scopeParameter
  return own ?? authorize.scopeParameter
}
