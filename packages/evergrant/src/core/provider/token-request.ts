import { scopesToAsk } from './authorize.ts'
import type { ProviderContext } from './context.ts'
import { encodeForm, encodeQuery, withQuery } from './form.ts'
import type { ClientAuth, RevokeFacts } from './record.ts'
import { fillTemplate } from './template.ts'
import type { ProviderRequest } from './wire.ts'

export interface ExchangeInput {
  readonly code: string
  readonly redirectUri: string
  /** The PKCE verifier; null when none was used. */
  readonly verifier: string | null
}

export interface RefreshInput {
  readonly refreshToken: string
  /** Sent only where the record says that a refresh repeats its scopes. */
  readonly scopes: readonly string[]
}

export interface RevokeInput {
  readonly accessToken: string | null
  readonly refreshToken: string | null
}

/** The authorization-code exchange (RFC 6749 section 4.1.3). */
export function exchangeRequest(context: ProviderContext, input: ExchangeInput): ProviderRequest {
  const parameters: Record<string, string> = { grant_type: 'authorization_code', code: input.code, redirect_uri: input.redirectUri }
  if (input.verifier !== null) parameters.code_verifier = input.verifier
  return tokenRequest(context, context.endpoints.token, parameters, context.record.token.exchangeParameters)
}

/** The refresh (RFC 6749 section 6). */
export function refreshRequest(context: ProviderContext, input: RefreshInput): ProviderRequest {
  const facts = context.record.token
  const parameters: Record<string, string> = { grant_type: 'refresh_token', refresh_token: input.refreshToken }
  const scopes = facts.scopesOnRefresh ? scopesToAsk(context, input.scopes) : []
  if (scopes.length > 0) parameters.scope = scopes.join(context.record.authorize.scopeSeparator === ',' ? ',' : ' ')
  return tokenRequest(context, context.endpoints.refresh, parameters, facts.refreshParameters)
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

function tokenRequest(context: ProviderContext, url: string, standard: Record<string, string>, extra: Readonly<Record<string, string>>): ProviderRequest {
  const facts = context.record.token
  const auth = clientAuthOf(context)
  const all: Record<string, string> = { ...standard }
  if (auth === 'body' || auth === 'none') all.client_id = context.clientId
  if (auth === 'body' && context.clientSecret !== null) all.client_secret = context.clientSecret
  const parameters: Record<string, string> = {}
  for (const [name, value] of Object.entries(all)) {
    if (!facts.omit.includes(name)) parameters[facts.rename[name] ?? name] = value
  }
  Object.assign(parameters, extra)
  const sent = { method: facts.method, format: facts.method === 'GET' ? ('query' as const) : facts.bodyFormat, headers: headersOf(context, facts.headers) }
  return compose(url, sent, parameters, auth === 'basic' || auth === 'basic_raw' ? basicOf(context, auth === 'basic_raw') : null)
}

function clientAuthOf(context: ProviderContext) {
  if (context.clientSecret === null) return 'none'
  return context.endpoints.clientAuth ?? context.record.token.clientAuth
}

function basicOf(context: ProviderContext, raw: boolean): ProviderRequest['basic'] {
  return { username: context.clientId, password: context.clientSecret ?? '', ...(raw ? { raw } : {}) }
}

function headersOf(context: ProviderContext, headers: Readonly<Record<string, string>>): Record<string, string> {
  const filled: Record<string, string> = { accept: 'application/json' }
  for (const [name, value] of Object.entries(headers)) filled[name.toLowerCase()] = value.replaceAll('{client_id}', context.clientId)
  return filled
}

interface Sending {
  readonly method: ProviderRequest['method']
  readonly format: 'form' | 'json' | 'query' | 'xml'
  readonly headers: Readonly<Record<string, string>>
}

function compose(url: string, how: Sending, parameters: Readonly<Record<string, string>>, basic: ProviderRequest['basic']): ProviderRequest {
  if (how.format === 'query') return { method: how.method, url: withQuery(url, encodeQuery(parameters)), headers: how.headers, basic, body: null }
  const json = how.format === 'json'
  const headers = { ...how.headers, 'content-type': json ? 'application/json' : 'application/x-www-form-urlencoded' }
  return { method: how.method, url, headers, basic, body: json ? JSON.stringify(parameters) : encodeForm(parameters) }
}

function revokeBy(context: ProviderContext, facts: Omit<RevokeFacts, 'fallback'>, template: string, input: RevokeInput): ProviderRequest | null {
  const token = facts.token === 'refresh' ? input.refreshToken : input.accessToken
  if (token === null || (facts.clientAuth === 'bearer' && input.accessToken === null)) return null
  const headers = headersOf(context, facts.clientAuth === 'bearer' ? { authorization: `Bearer ${input.accessToken}` } : {})
  const auth = revokeAuthOf(context, facts)
  const parameters: Record<string, string> = { ...(facts.parameter === null ? {} : { [facts.parameter]: token }), ...facts.parameters }
  if (auth === 'body' || auth === 'public') parameters.client_id = context.clientId
  if (auth === 'body' && context.clientSecret !== null) parameters.client_secret = context.clientSecret
  const url = fillTemplate(template, { ...context.variables, client_id: context.clientId }, { definitions: context.record.variables })
  const basic = auth === 'basic' || auth === 'basic_raw' ? basicOf(context, auth === 'basic_raw') : null
  return compose(url, { method: facts.method, format: facts.format, headers }, parameters, basic)
}

/** `public`: a client that has no secret names itself all the same (RFC 7009 section 2.1). */
function revokeAuthOf(context: ProviderContext, facts: Omit<RevokeFacts, 'fallback'>): ClientAuth | 'public' {
  if (facts.clientAuth === 'none' || facts.clientAuth === 'bearer' || facts.clientAuth === 'header') return facts.clientAuth === 'header' ? 'header' : 'none'
  const auth = facts.clientAuth === 'as_token' || context.clientSecret === null ? clientAuthOf(context) : facts.clientAuth
  return auth === 'none' ? 'public' : auth
}
