import type { JsonObject, JsonValue } from '../json.ts'
import { accountAt, textAt } from './answer-path.ts'
import { apiHeaders } from './api.ts'
import type { ProviderContext } from './context.ts'
import type { AccountSource } from './record.ts'
import { fillTemplate } from './template.ts'
import type { ProviderRequest } from './wire.ts'

export interface Account {
  /** The provider's stable id of who granted. */
  readonly account: string
  readonly label: string | null
}

/** Claims of the tokens of one answer; null where a token is absent or no JWT. */
export interface TokenClaims {
  readonly idToken: JsonObject | null
  readonly accessToken: JsonObject | null
}

/** The account an answer names, without asking the provider again; null when it names none. */
export function accountFromAnswer(
  context: ProviderContext,
  json: JsonObject,
  claims: TokenClaims,
  callback: Readonly<Record<string, string>> | null,
): Account | null {
  const { answer, account: sources } = context.record
  const name = context.token ?? answer.defaultToken
  const own = name === null ? null : (answer.tokens?.[name]?.account ?? null)
  const ownLabel = sources.find((source) => source.from === 'answer')?.label ?? null
  const all: AccountSource[] = own === null ? [...sources] : [{ from: 'answer', path: own, label: ownLabel, pattern: null }]
  for (const source of all) {
    const found = fromSource(source, json, claims, callback)
    if (found !== null) return found
  }
  return null
}

/**
 * The request that asks who granted, for providers whose answers do not say; null when the record has none.
 * `scopes`: what was granted, or asked for when the provider does not say.
 */
export function accountRequest(context: ProviderContext, accessToken: string, scopes: readonly string[] = []): ProviderRequest | null {
  const sources = context.record.account.filter((source) => source.from === 'request')
  const source = sources.find((one) => one.needsScope.length === 0 || one.needsScope.some((scope) => scopes.includes(scope)))
  if (source === undefined) return null
  const values = { ...context.variables, ...context.facts, ...(context.endpoints.userinfo === null ? {} : { userinfo: context.endpoints.userinfo }) }
  if (source.url === '{userinfo}' && context.endpoints.userinfo === null) return null
  const url = source.url === '{userinfo}' ? (context.endpoints.userinfo ?? '') : fillTemplate(source.url, values, { definitions: context.record.variables })
  return { method: source.method, url, headers: { accept: 'application/json', ...apiHeaders(context, accessToken) }, basic: null, body: null }
}

/** Reads the answer to {@link accountRequest}; null when it does not name an account. */
export function readAccountAnswer(context: ProviderContext, json: JsonValue): Account | null {
  for (const source of context.record.account) {
    if (source.from !== 'request') continue
    const account = accountAt(json, source.path)
    if (account !== null) return { account, label: textAt(json, source.label) }
  }
  return null
}

function fromSource(source: AccountSource, json: JsonObject, claims: TokenClaims, callback: Readonly<Record<string, string>> | null): Account | null {
  switch (source.from) {
    case 'answer':
      return named(accountAt(json, source.path), textAt(json, source.label))
    case 'id_token':
      return claims.idToken === null ? null : named(accountAt(claims.idToken, source.claim), textAt(claims.idToken, source.label))
    case 'access_token':
      return claims.accessToken === null ? null : named(accountAt(claims.accessToken, source.claim), textAt(claims.accessToken, source.label))
    case 'callback':
      return callback === null ? null : named(textAt(callback, source.parameter), null)
    case 'request':
    case 'variable':
      return null
  }
}

function named(account: string | null, label: string | null): Account | null {
  return account === null ? null : { account, label }
}
