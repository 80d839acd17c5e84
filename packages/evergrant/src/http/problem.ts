import { Fault, type FaultCode } from '../core/fault/fault.ts'
import { FAULTS } from '../core/fault/table.ts'
import { fillWords, type Words } from '../core/fault/words.ts'
import { EMAIL, EVENT_PATTERN, EVENT_TYPE, ID_OR_SLUG, KEEPABLE, LINE, PRINTABLE, SLUG, TIME_INPUT, WORD } from './schema.ts'

/** RFC 9457, with our members. The same shape for every error of the API. */
interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: FaultCode
  readonly action: string
  readonly needs_reauth: boolean
  readonly reconnect_url: string | null
  readonly retry_at: string | null
  readonly request_id: string
  readonly field?: string
}

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8'

/** What a person reads in a form: without a detail of its own such a refusal is told in their words, not the operator's. */
const TOLD_TO_PEOPLE: ReadonlySet<FaultCode> = new Set([
  'sign_in_refused',
  'second_factor_required',
  'reauthentication_required',
  'second_factor_missing',
  'password_refused',
  'link_spent',
  'sign_up_closed',
])

/** Codes that say the grant itself is over: only a reconnect helps. */
export const NEEDS_REAUTH: ReadonlySet<FaultCode> = new Set(['connection_revoked', 'connection_expired', 'new_credentials_needed', 'refresh_outcome_lost'])

export function problemOf(fault: Fault, requestId: string, publicUrl: string, words: Words | null = null): Problem {
  const { detail, field, retryAt, reconnectUrl, members } = fault.details
  const row = FAULTS[fault.code]
  return {
    ...members,
    type: `${publicUrl}/docs/errors#${fault.code}`,
    title: fillWords(row.title, words ?? {}),
    status: fault.details.status ?? row.status,
    detail: detail ?? fillWords(TOLD_TO_PEOPLE.has(fault.code) ? row.endUser : row.operator, words ?? {}),
    code: fault.code,
    action: row.action,
    needs_reauth: NEEDS_REAUTH.has(fault.code),
    reconnect_url: reconnectUrl ?? null,
    retry_at: retryAt === undefined ? null : new Date(retryAt).toISOString(),
    request_id: requestId,
    ...(field === undefined ? {} : { field }),
  }
}

/** Whole seconds until `retryAt`, at least 1: the value of a Retry-After header (RFC 9110 section 10.2.3). */
export function retryAfterSeconds(retryAt: number, now: number): number {
  return Math.max(1, Math.ceil((retryAt - now) / 1_000))
}

interface ValidationIssue {
  readonly keyword?: unknown
  readonly instancePath?: unknown
  readonly message?: unknown
  readonly params?: unknown
}

/** One failed check of a request schema, as a fault that names the field and the remedy. */
export function validationFault(issue: ValidationIssue, part: string): Fault {
  const params: Record<string, unknown> = typeof issue.params === 'object' && issue.params !== null ? { ...issue.params } : {}
  const path = typeof issue.instancePath === 'string' ? issue.instancePath : ''
  const named = params['missingProperty'] ?? params['additionalProperty'] ?? params['propertyName']
  const pointer = typeof named === 'string' ? `${path}/${named.replaceAll('~', '~0').replaceAll('/', '~1')}` : path
  const field = part === 'body' || part === 'item' ? pointer || '/' : pointer.replace(/^\//, '').replaceAll('/', '.')
  return new Fault('invalid_request', { field, detail: `${PART_NAMES[part] ?? 'The request'} is not valid at \`${field}\`: ${remedy(issue, params)}.` })
}

const PART_NAMES: Readonly<Record<string, string>> = { body: 'The body', item: 'The grant', querystring: 'The query', params: 'The path', headers: 'A header' }

function remedy(issue: ValidationIssue, params: Record<string, unknown>): string {
  switch (issue.keyword) {
    case 'required':
      return 'this field is required'
    case 'additionalProperties':
      return 'this field is not known here; leave it out or correct its name'
    case 'type':
      return params['type'] === 'array' ? 'it must be an array, also with one entry: `["..."]`' : `it must be ${article(String(params['type']))}`
    case 'enum':
      return `it must be one of ${JSON.stringify(params['allowedValues'])}`
    case 'const':
      return `it must be ${JSON.stringify(params['allowedValue'])}`
    case 'minProperties':
      return 'it must name at least one field'
    case 'pattern':
      return patternRemedy(String(params['pattern']))
    default:
      return `it ${typeof issue.message === 'string' ? issue.message : 'does not match the schema'}`
  }
}

const PATTERN_REMEDIES: ReadonlyMap<string, string> = new Map([
  [LINE, 'it must be one line of text, without control characters'],
  [KEEPABLE, 'it must be text without zero characters'],
  [SLUG, 'it must be lower-case letters, digits and dashes, 1 to 64 of them, with no dash at either end'],
  [TIME_INPUT, 'it must be a time with its zone, for example 2026-01-31T12:00:00Z'],
  [ID_OR_SLUG, 'it must be an id or a slug: letters, digits, `-` and `_`'],
  [WORD, 'it must be one word without spaces; in a list, each word is an entry of its own: `["read", "write"]`'],
  [PRINTABLE, 'it must be one line of printable ASCII characters, without a line break at its end'],
  [EVENT_TYPE, 'it must be a type of events, for example `connection.needs_reauth`'],
  [EVENT_PATTERN, 'it must be a type of events, for example `connection.needs_reauth`; `connection.*`; or `*`'],
  [EMAIL, 'it must be an e-mail address, for example ana@example.com'],
])

/** People know an id by its beginning, not by its pattern. */
function patternRemedy(pattern: string): string {
  const remedy = PATTERN_REMEDIES.get(pattern)
  if (remedy !== undefined) return remedy
  const prefix = /^\^([a-z]+_)\[0-9a-f\]\{8\}-/.exec(pattern)?.[1]
  return prefix === undefined ? `it must match ${pattern}` : `it must be an id as this API gives it: \`${prefix}\` and a UUID`
}

function article(type: string): string {
  return /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`
}

/** Fastify's own refusals, by its stable codes. */
const FRAMEWORK_CODES: Readonly<Record<string, { readonly code: FaultCode; readonly detail: string }>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: { code: 'unsupported_media_type', detail: 'This content type is not accepted here. Send `Content-Type: application/json`.' },
  FST_ERR_CTP_EMPTY_JSON_BODY: {
    code: 'invalid_request',
    detail: 'The body is empty, but the content type says JSON. Send a JSON object, or leave the content type out.',
  },
  FST_ERR_CTP_INVALID_JSON_BODY: {
    code: 'invalid_request',
    detail: 'The body is not valid JSON. Send one JSON object in UTF-8, without `__proto__` or `constructor.prototype`.',
  },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: { code: 'invalid_request', detail: 'The body is not as long as Content-Length says.' },
  FST_ERR_MAX_PARAM_LENGTH: { code: 'not_found', detail: 'A part of the path is too long to be an id.' },
  FST_ERR_BAD_URL: { code: 'invalid_request', detail: 'The path is not a valid URL path: check its percent-encoding.' },
}

interface Thrown {
  readonly code?: unknown
  readonly statusCode?: unknown
  readonly validation?: readonly ValidationIssue[]
  readonly validationContext?: string
}

/** Any thrown value as the fault that may be shown. What nobody foresaw becomes `internal`, and nothing of it leaves. */
export function faultOf(error: unknown, bodyLimit: number): Fault {
  if (error instanceof Fault) return error
  if (typeof error !== 'object' || error === null) return new Fault('internal', { cause: error })
  const thrown: Thrown = error
  const issue = thrown.validation?.[0]
  if (issue !== undefined) return validationFault(issue, thrown.validationContext ?? 'body')
  if (thrown.code === 'FST_ERR_CTP_BODY_TOO_LARGE') return new Fault('body_too_large', { detail: `The body may have at most ${bodyLimit} bytes.` })
  const known = typeof thrown.code === 'string' ? FRAMEWORK_CODES[thrown.code] : undefined
  if (known !== undefined) return new Fault(known.code, { detail: known.detail })
  // secure-json-parse and JSON.parse throw SyntaxErrors that Fastify marks as the caller's fault.
  if (thrown.statusCode === 400)
    return new Fault('invalid_request', {
      detail: 'The body is not valid JSON. Send one JSON object in UTF-8, without `__proto__` or `constructor.prototype`.',
    })
  return new Fault('internal', { cause: error, detail: 'Something went wrong on our side. The log has it under the request id.' })
}
