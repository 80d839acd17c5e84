import { scopesToAsk } from './authorize.ts'
import { addClient, authorizationOf, basicOf, certified, tokenAuthOf } from './client-auth.ts'
import type { ProviderContext } from './context.ts'
import type { ClientAuth, RevokeFacts, TokenFacts } from './record.ts'
import { compose, signRequest } from './request-body.ts'
import { fillTemplate } from './template.ts'
import { putFilled, putHeaders, tokenValuesOf, valuesOf } from './values.ts'
import type { ProviderRequest } from './wire.ts'

interface ExchangeInput {
  readonly code: string
  readonly redirectUri: string
  /** The PKCE verifier; null when none was used. */
  readonly verifier: string | null
}

interface RefreshInput {
  /** The token that is presented: where the record says so, the access token. */
  readonly refreshToken: string
  /** Those granted; empty: unknown. Sent only where the record says that a refresh repeats its scopes. */
  readonly scopes: readonly string[]
}

interface RevokeInput {
  readonly accessToken: string | null
  readonly refreshToken: string | null
  /** Fills `{account}`, where the record's way of revoking names the account instead of a token. */
  readonly account?: string | null
}

type Facts = Readonly<Record<string, string>>

/** One step at the token endpoint, as the record wants it. */
interface Step extends Pick<TokenFacts, 'method' | 'bodyFormat' | 'rename' | 'omit' | 'headers'> {
  readonly url: string
  readonly auth: ClientAuth
  readonly extra: Facts
}

/** The authorization-code exchange (RFC 6749 section 4.1.3). @throws Fault `invalid_request` when a value of the URL is missing, or nothing can sign */
export function exchangeRequest(context: ProviderContext, input: ExchangeInput): ProviderRequest {
  const facts = context.record.token
  const parameters: Record<string, string> = { grant_type: 'authorization_code', code: input.code, redirect_uri: input.redirectUri }
  if (input.verifier !== null) parameters.code_verifier = input.verifier
  return tokenRequest(context, context.endpoints.token, parameters, facts.exchangeParameters)
}

/** A request for a token in the exchange's form, with `extra` over the standard parameters. @throws Fault as {@link exchangeRequest} */
export function tokenRequest(context: ProviderContext, url: string, standard: Record<string, string>, extra: Facts): ProviderRequest {
  const { method, bodyFormat, rename, omit, headers } = context.record.token
  return stepRequest(context, standard, { method, bodyFormat, rename, omit, headers, extra, url, auth: tokenAuthOf(context, null) })
}

/** The refresh (RFC 6749 section 6). @throws Fault as {@link exchangeRequest} */
export function refreshRequest(context: ProviderContext, input: RefreshInput): ProviderRequest {
  const facts = context.record.token
  const { refresh } = facts
  const parameters: Record<string, string> =
    refresh.presents === 'access_token' ? { access_token: input.refreshToken } : { grant_type: 'refresh_token', refresh_token: input.refreshToken }
  // What was granted may be unknown (an import): then no scope is asked for, and the answer has what was granted (RFC 6749 section 6).
  const scopes = facts.scopesOnRefresh && input.scopes.length > 0 ? scopesToAsk(context, input.scopes) : []
  if (scopes.length > 0) parameters.scope = scopes.join(context.record.authorize.scopeSeparator === ',' ? ',' : ' ')
  if (refresh.redirectUri && context.redirectUri !== undefined) parameters.redirect_uri = context.redirectUri
  return stepRequest(context, parameters, {
    method: refresh.method ?? facts.method,
    bodyFormat: refresh.bodyFormat ?? facts.bodyFormat,
    rename: refresh.rename ?? facts.rename,
    omit: refresh.omit ?? facts.omit,
    headers: refresh.headers ?? facts.headers,
    extra: facts.refreshParameters,
    url: context.endpoints.refresh,
    auth: tokenAuthOf(context, refresh.clientAuth),
  })
}

/** The revocation (RFC 7009, or what the provider has instead); null when it has none or no usable token is held. */
export function revokeRequest(context: ProviderContext, input: RevokeInput): ProviderRequest | null {
  const facts = context.record.revoke
  if (facts === null) return null
  const ways = facts.fallback === null ? [facts] : [facts, facts.fallback]
  for (const way of ways) {
    // The endpoint of the first way may have come from discovery; a fallback without a URL of its own shares it.
    const url = way.url === null || way.url === facts.url ? context.endpoints.revoke : way.url
    const request = url === null ? null : revokeBy(context, way, url, input)
    if (request !== null) return request
  }
  return null
}

function stepRequest(context: ProviderContext, standard: Record<string, string>, step: Step): ProviderRequest {
  const { auth } = step
  const facts = context.record.token
  addClient(standard, context, auth)
  const parameters: Record<string, string> = {}
  for (const [name, value] of Object.entries(standard)) {
    if (!step.omit.includes(name)) parameters[step.rename[name] ?? name] = value
  }
  putFilled(parameters, step.extra, () => tokenValuesOf(context))
  const headers = headersOf(context, step.headers)
  if (auth === 'header') headers.authorization = authorizationOf(context, facts.authorization)
  const sent = { method: step.method, format: step.method === 'GET' ? ('query' as const) : step.bodyFormat, headers }
  return signRequest(context, certified(context, compose(addressOf(context, step.url), sent, parameters, basicOf(context, auth))))
}

/** A URL that needs what only the callback or an answer tells is filled once that is known. */
function addressOf(context: ProviderContext, url: string): string {
  return url.includes('{') ? fillTemplate(url, valuesOf(context), { definitions: context.record.variables }) : url
}

function headersOf(context: ProviderContext, templates: Facts): Record<string, string> {
  const headers: Record<string, string> = { accept: 'application/json' }
  putHeaders(headers, templates, () => tokenValuesOf(context))
  return headers
}

type RevokeWay = Omit<RevokeFacts, 'fallback'>

function revokeBy(context: ProviderContext, facts: RevokeWay, template: string, input: RevokeInput): ProviderRequest | null {
  const token = facts.token === 'refresh' ? input.refreshToken : input.accessToken
  if (facts.parameter !== null && token === null) return null
  if (facts.clientAuth === 'bearer' && input.accessToken === null) return null
  const account: Facts = input.account ? { account: input.account } : {}
  if (!input.account && namesAccount(template, facts.parameters)) return null
  const auth = revokeAuthOf(context, facts)
  const headers = headersOf(context, facts.clientAuth === 'bearer' ? { authorization: `Bearer ${input.accessToken}` } : {})
  if (auth === 'header') headers.authorization = authorizationOf(context, facts.authorization)
  const parameters: Record<string, string> = facts.parameter === null || token === null ? {} : { [facts.parameter]: token }
  putFilled(parameters, facts.parameters, () => ({ ...tokenValuesOf(context), ...account }))
  if (auth !== null) addClient(parameters, context, auth)
  const url = fillTemplate(template, { ...valuesOf(context), ...account }, { definitions: context.record.variables })
  const bare = facts.format === 'json' && Object.keys(parameters).length === 0
  const sent = { method: facts.method, format: bare ? ('query' as const) : facts.format, headers }
  return certified(context, compose(url, sent, parameters, auth === null ? null : basicOf(context, auth)))
}

function namesAccount(template: string, parameters: Facts): boolean {
  return template.includes('{account}') || Object.values(parameters).some((value) => value.includes('{account}'))
}

/** A client that has no secret names itself all the same (RFC 7009 section 2.1). Null: nothing names the client. */
function revokeAuthOf(context: ProviderContext, facts: RevokeWay): ClientAuth | null {
  switch (facts.clientAuth) {
    case 'none':
    case 'bearer':
      return null
    case 'header':
      return 'header'
    case 'as_token':
      return tokenAuthOf(context, null)
    case 'body':
    case 'basic':
      return context.clientSecret === null ? 'none' : facts.clientAuth
  }
}
