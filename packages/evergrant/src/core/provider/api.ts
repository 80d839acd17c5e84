import type { JsonValue } from '../json.ts'
import { conditionsHold } from './answer-path.ts'
import type { ProviderContext } from './context.ts'
import { encodeQuery, withQuery } from './form.ts'
import type { ApiAnswerRule, ProviderRecord } from './record.ts'
import { fillTemplate, placeholdersOf } from './template.ts'
import { headerText, valuesOf } from './values.ts'

export type ApiVerdict = 'ok' | ApiAnswerRule['means']

interface ApiAnswer {
  readonly status: number
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  /** The parsed body; null when it was not read or is no JSON. */
  readonly json: JsonValue
}

/** Base URL of the provider's API without a slash at its end; null when the record has no API. */
export function apiBase(context: ProviderContext): string | null {
  const facts = context.record.api
  return facts === null ? null : fillTemplate(facts.base, valuesOf(context), { definitions: context.record.variables }).replace(/\/+$/, '')
}

/** Hosts that the proxy may call, lower-case: the base's own first, then exact names or `*.example.com`. */
export function apiHosts(context: ProviderContext): string[] {
  const base = apiBase(context)
  if (base === null || context.record.api === null) return []
  const own = /^https?:\/\/([^/?#]+)/.exec(base)?.[1] ?? ''
  const others = context.record.api.hosts.map((host) =>
    fillTemplate(`https://${host}`, valuesOf(context), { definitions: context.record.variables }).slice('https://'.length),
  )
  return [...new Set([own, ...others].map((host) => host.toLowerCase()))]
}

/** True where the API is at another host for each tenant: what one host says of its load says nothing of the others. */
export function hasOwnHost({ api, variables }: Pick<ProviderRecord, 'api' | 'variables'>): boolean {
  const host = (api?.base ?? '').replace(/^https?:\/\//, '').split('/', 1)[0] ?? ''
  return placeholdersOf(host).some((name) => !Object.hasOwn(variables, name) || variables[name]?.askedOf !== 'integration')
}

/** Headers that every call to the provider's API carries. Lower-case names. */
export function apiHeaders(context: ProviderContext, accessToken: string, tokenType = 'Bearer'): Record<string, string> {
  const facts = context.record.api
  if (facts === null) return { authorization: `${tokenType} ${accessToken}` }
  const { header, prefix, query } = facts.authorization
  const values = { ...defaultsOf(context.record), ...valuesOf(context) }
  const headers: Record<string, string> = query === null ? { [fillHeader(header, values).toLowerCase()]: `${prefix}${accessToken}` } : {}
  for (const [name, template] of Object.entries(facts.headers)) headers[name.toLowerCase()] = fillHeader(template, values)
  return headers
}

/** The URL of a call to the provider's API: with the token, where the record has it in the query. */
export function apiUrl(context: ProviderContext, url: string, accessToken: string): string {
  const name = context.record.api?.authorization.query ?? null
  return name === null ? url : withQuery(url, encodeQuery({ [name]: accessToken }))
}

/** Whether an answer of the API says something about the token. The record's rules first, then RFC 6750 section 3.1. */
export function judgeApiAnswer(record: ProviderRecord, answer: ApiAnswer): ApiVerdict {
  const rule = record.api?.answers.find((one) => one.status.includes(answer.status) && conditionsHold(answer.json, one.where))
  if (rule !== undefined) return rule.means
  const challenge = answer.headers['www-authenticate'] ?? ''
  if (/\binsufficient_scope\b/.test(challenge)) return 'scope_missing'
  if (answer.status === 401) return 'token_rejected'
  if (answer.status === 429) return 'throttled'
  return answer.status < 400 ? 'ok' : 'not_about_the_token'
}

function defaultsOf({ variables }: ProviderRecord): Record<string, string> {
  const defaults: Record<string, string> = {}
  for (const [name, variable] of Object.entries(variables)) if (variable.default !== null) defaults[name] = variable.default
  return defaults
}

function fillHeader(template: string, values: Readonly<Record<string, string>>): string {
  return headerText(template.replace(/\{([A-Za-z0-9_-]+)\}/g, (_, name: string) => (Object.hasOwn(values, name) ? (values[name] ?? '') : '')))
}
