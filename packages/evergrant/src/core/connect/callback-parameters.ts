import { Fault, type FaultCode } from '../fault/fault.ts'
import { encodeForm } from '../provider/form.ts'
import type { ProviderRecord } from '../provider/record.ts'
import { redact } from '../provider/redact.ts'
import { matchesPattern } from '../provider/template.ts'

/** Parameters of a callback; every value of a repeated name is kept, because repetition itself is a refusal. */
export type CallbackParameters = ReadonlyMap<string, readonly string[]>

const LONGEST = 8_192
const LONGEST_TEXT = 300
const ERROR_CODE = /^[A-Za-z0-9._-]{1,80}$/

/** The value of a parameter that came exactly once (RFC 6749 section 3.1). Empty counts as absent. */
export function single(parameters: CallbackParameters, name: string): string | null {
  const values = parameters.get(name) ?? []
  const [value] = values
  return values.length === 1 && value !== undefined && value !== '' && value.length <= LONGEST ? value : null
}

export function repeated(parameters: CallbackParameters, names: readonly string[]): boolean {
  return names.some((name) => (parameters.get(name)?.length ?? 0) > 1)
}

/** The parameters that came once, as a plain table. */
export function plainParameters(parameters: CallbackParameters): Readonly<Record<string, string>> {
  const plain: Record<string, string> = {}
  for (const name of parameters.keys()) {
    const value = single(parameters, name)
    if (value !== null && name !== '__proto__') plain[name] = value
  }
  return plain
}

/**
 * The text that a provider's signature covers: all parameters but the signature, sorted by name, joined as a form. Null when
 * one came twice, because nobody can say which of the two was signed.
 */
export function signedText(parameters: CallbackParameters, signature: string): string | null {
  const pairs: [string, string][] = []
  for (const [name, values] of parameters) {
    const [value] = values
    if (values.length !== 1 || value === undefined) return null
    if (name !== signature) pairs.push([name, value])
  }
  return encodeForm(Object.fromEntries(pairs.sort(([one], [other]) => (one < other ? -1 : 1))))
}

/** What a callback says that later requests need. @throws Fault `connect_failed` when a value does not look as the record's variable of that name says */
export function callbackFacts(record: ProviderRecord, said: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const facts: Record<string, string> = {}
  for (const [fact, name] of Object.entries(record.authorize.callback.facts)) {
    const value = Object.hasOwn(said, name) ? said[name] : undefined
    if (value === undefined) continue
    facts[fact] = fittingFact(record, fact, value)
  }
  return facts
}

/** A fact that fills a variable must look as the record says, whoever told it. @throws Fault `connect_failed` */
export function fittingFact(record: ProviderRecord, fact: string, value: string): string {
  const definition = Object.hasOwn(record.variables, fact) ? record.variables[fact] : undefined
  if (definition === undefined || matchesPattern(definition.pattern, value)) return value
  throw new Fault('connect_failed', { detail: `${record.name} told a "${fact}" that does not look like ${definition.example}.` })
}

interface CallbackError {
  readonly fault: FaultCode
  /** The provider's code when it looks like one; never its own markup. */
  readonly providerCode: string
  readonly providerText: string | null
}

/** What a provider's refusal means (RFC 6749 section 4.1.2.1, OpenID Connect Core 3.1.2.6), typed and cut. Null: it did not refuse. */
export function callbackError(parameters: CallbackParameters): CallbackError | null {
  if (!parameters.has('error')) return null
  const said = parameters.get('error')?.[0] ?? ''
  const description = parameters.get('error_description')?.[0] ?? null
  const providerCode = ERROR_CODE.test(said) ? said : 'unrecognised'
  return { fault: meaningOf(providerCode, description ?? ''), providerCode, providerText: description === null ? null : shortText(description) }
}

function shortText(text: string): string {
  const line = redact(text.slice(0, 4 * LONGEST_TEXT), [])
  return line.length <= LONGEST_TEXT ? line : `${line.slice(0, LONGEST_TEXT - 3)}...`
}

/** Refusals that only an administrator of the end user's organization can lift, as Microsoft and Google word them. */
const ADMIN = /AADSTS(?:65001|90094|90008)\b|admin[_ ]policy[_ ]enforced|admin(?:istrator)?(?:'s)? (?:approval|consent)/i

const MEANINGS: Readonly<Record<string, FaultCode>> = {
  access_denied: 'connect_cancelled',
  user_denied: 'connect_cancelled',
  user_cancelled_login: 'connect_cancelled',
  user_cancelled_authorize: 'connect_cancelled',
  admin_policy_enforced: 'admin_approval_required',
  temporarily_unavailable: 'provider_unavailable',
  server_error: 'connect_failed',
  invalid_client: 'client_rejected',
  unauthorized_client: 'client_rejected',
  invalid_scope: 'client_rejected',
  invalid_request: 'client_rejected',
  redirect_uri_mismatch: 'client_rejected',
  unsupported_response_type: 'client_rejected',
  org_internal: 'client_rejected',
}

function meaningOf(code: string, description: string): FaultCode {
  if (ADMIN.test(description)) return 'admin_approval_required'
  return (Object.hasOwn(MEANINGS, code) ? MEANINGS[code] : undefined) ?? 'connect_failed'
}
