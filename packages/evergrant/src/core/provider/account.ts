import type { JsonObject, JsonValue } from '../json.ts'
import { accountAt, textAt } from './answer-path.ts'
import { apiHeaders, apiUrl } from './api.ts'
import { certified } from './client-auth.ts'
import type { ProviderContext } from './context.ts'
import type { AccountSource, ProviderRecord } from './record.ts'
import { fillTemplate } from './template.ts'
import { putHeaders, valuesOf } from './values.ts'
import type { ProviderRequest } from './wire.ts'

export interface Account {
  /** The provider's stable id of who granted. */
  readonly account: string
  readonly label: string | null
}

/** Claims of the tokens of one answer; null where a token is absent or no JWT. */
interface TokenClaims {
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
    const found = fromSource(context, source, json, claims, callback)
    if (found !== null) return found
  }
  return null
}

/**
 * Who granted stands in the callback alone, unsigned, and whoever sits at the browser can write another account there: it names the one that is meant,
 * and proves nothing. Such a grant needs an owner who is known in another way.
 */
export function isNamedByBrowser({ account, authorize: { callback } }: Pick<ProviderRecord, 'account' | 'authorize'>): boolean {
  return account.length > 0 && account.every(({ from }) => from === 'callback') && callback.by === 'redirect' && callback.hmac === null
}

/** The account is what we hold ourselves (a variable, a fact of an earlier answer): no answer names it, and so none can contradict the stored one with it. */
export function isOwnWord({ record, variables, facts }: Pick<ProviderContext, 'record' | 'variables' | 'facts'>, account: string): boolean {
  return record.account.some((source) => source.from === 'variable' && accountOfVariable(source, variables[source.name] ?? facts[source.name]) === account)
}

/** The account that the value of a variable names; null when there is no value, or not one that looks as the record says. */
export function accountOfVariable({ pattern }: Extract<AccountSource, { from: 'variable' }>, value: string | null | undefined): string | null {
  return cutOut(value ?? null, pattern)
}

/**
 * The request that asks who granted, for providers whose answers do not say; null when the record has none.
 * `scopes`: what was granted, or asked for when the provider does not say.
 */
export function accountRequest(context: ProviderContext, accessToken: string, scopes: readonly string[] = []): ProviderRequest | null {
  const sources = context.record.account.filter((source) => source.from === 'request')
  const source = sources.find((one) => one.needsScope.length === 0 || one.needsScope.some((scope) => scopes.includes(scope)))
  if (source === undefined) return null
  const { userinfo } = context.endpoints
  const values = { ...valuesOf(context), ...(userinfo === null ? {} : { userinfo }) }
  if (source.url === '{userinfo}' && userinfo === null) return null
  const url = source.url === '{userinfo}' ? (userinfo ?? '') : fillTemplate(source.url, values, { definitions: context.record.variables })
  const headers: Record<string, string> = { accept: 'application/json', ...apiHeaders(context, accessToken) }
  putHeaders(headers, source.headers, () => ({ ...values, access_token: accessToken }))
  // The body is no template: GraphQL is full of braces.
  if (source.body !== null) headers['content-type'] = 'application/json'
  return certified(context, { method: source.method, url: apiUrl(context, url, accessToken), headers, basic: null, body: source.body })
}

/** Reads the answer to {@link accountRequest}; null when it does not name an account. */
export function readAccountAnswer(context: ProviderContext, json: JsonValue): Account | null {
  for (const source of context.record.account) {
    if (source.from !== 'request') continue
    const account = cutOut(accountAt(json, source.path), source.pattern)
    if (account !== null) return { account, label: textAt(json, source.label) }
  }
  return null
}

function fromSource(
  context: ProviderContext,
  source: AccountSource,
  json: JsonObject,
  claims: TokenClaims,
  callback: Readonly<Record<string, string>> | null,
): Account | null {
  switch (source.from) {
    case 'answer':
      return named(cutOut(accountAt(json, source.path), source.pattern), textAt(json, source.label))
    case 'id_token':
      return claims.idToken === null ? null : named(accountAt(claims.idToken, source.claim), textAt(claims.idToken, source.label))
    case 'access_token':
      return claims.accessToken === null ? null : named(accountAt(claims.accessToken, source.claim), textAt(claims.accessToken, source.label))
    case 'callback':
      return callback === null ? null : named(accountAt({ ...callback }, source.parameter), null)
    case 'variable':
      return named(accountOfVariable(source, textAt(context.variables, source.name) ?? textAt(context.facts, source.name)), null)
    case 'request':
      return null
  }
}

/** The first group of the pattern; null when the text does not look as the record says. */
function cutOut(text: string | null, pattern: string | null): string | null {
  if (text === null || pattern === null) return text
  return new RegExp(pattern).exec(text)?.[1] ?? null
}

function named(account: string | null, label: string | null): Account | null {
  return account === null ? null : { account, label }
}
