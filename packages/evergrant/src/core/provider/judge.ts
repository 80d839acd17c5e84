import type { JsonObject } from '../json.ts'
import type { Instant } from '../time.ts'
import { readAnswerBody } from './answer-body.ts'
import { conditionsHold, textAt } from './answer-path.ts'
import { valuesBeside, withBeside } from './beside-body.ts'
import type { ProviderContext } from './context.ts'
import { type HeldToken, prolongedGrant, readGrant } from './grant.ts'
import type { VerdictRule } from './record.ts'
import type { Template } from './record-terms.ts'
import { redact } from './redact.ts'
import { retryAfterMs } from './retry-after.ts'
import type { Granted, ProviderSaid, TokenStep, Verdict } from './verdict.ts'
import type { ProviderAnswer, WireOutcome } from './wire.ts'

export interface JudgeInput {
  readonly step: TokenStep
  readonly outcome: WireOutcome
  /** When the request was sent: lifetimes count from here. */
  readonly sentAt: Instant
  /** What the request carried (refresh token, code, verifier): providers echo it. The client secret is added by itself. */
  readonly secrets: readonly string[]
  /** The access token that we hold, where the record says that a refresh prolongs it. */
  readonly held?: HeldToken | null
}

const SILENT: ProviderSaid = { httpStatus: null, code: null, text: null }
const CODE_PATHS = ['error', 'error.code', 'error.type', 'errors.0.errorType', 'errors.0.code', 'errorCode', 'code', 'status']
const TEXT_PATHS = ['error_description', 'error.message', 'errors.0.message', 'message', 'detail', 'reason', 'errorSummary']

/**
 * Judges one token request (refresh-protocol 2.6). Total and pure. Order: an access token in the body is success; then the
 * record's rules, first match wins; then RFC 6749 section 5.2.
 */
export function judge(context: ProviderContext, input: JudgeInput): Verdict {
  const { outcome } = input
  if (outcome.kind === 'not_sent') return { kind: 'pre_send', cause: outcome.cause, said: SILENT }
  if (outcome.kind === 'no_answer') return { kind: 'unknown', answered: false, cause: outcome.cause, retryAfterMs: null, said: SILENT }
  const { answer } = outcome
  const { record } = context
  const body = readAnswerBody(answer, record.answer.formEncoded)
  const json = withBeside(record, answer, body)
  const secrets = [...input.secrets, ...(context.clientSecret === null ? [] : [context.clientSecret]), ...valuesBeside(record, answer)]
  const said = whatWasSaid(answer, body, secrets)
  // Error pages come with cookies and headers, too: what stands there is a token only in an answer that is a success.
  const granting = answer.status >= 200 && answer.status < 300 ? json : body
  if (granting !== null && succeeded(context, input.step, granting)) {
    const grant = readGrant(context, input.step, granting, input.sentAt) ?? prolonged(context, input, answer.status, granting)
    if (grant !== null) return { kind: 'granted', grant, said: { httpStatus: answer.status, code: null, text: null } }
  }
  const wait = retryAfterMs(answer.headers, input.sentAt)
  const rule = record.verdicts.find((one) => ruleFits(one, input.step, answer.status, json))
  if (rule !== undefined) return byRule(rule, input.step, wait, said)
  return byDefault(answer, body, input.step, wait, said)
}

/** A token in the body proves a success whatever the status; without one the status must be a success, too. */
function prolonged(context: ProviderContext, input: JudgeInput, status: number, json: JsonObject): Granted | null {
  const held = input.held ?? null
  if (held === null || input.step !== 'refresh' || status < 200 || status > 299 || !context.record.token.refresh.prolongs) return null
  return prolongedGrant(context, json, held, input.sentAt)
}

function succeeded(context: ProviderContext, step: TokenStep, json: JsonObject): boolean {
  const condition = context.record.answer.success
  const asked = condition !== null && (condition.step === 'any' || condition.step === step)
  if (asked && !conditionsHold(json, { [condition.path]: condition.equals })) return false
  const { error } = json
  return error === undefined || error === null || error === '' || error === false || error === 0
}

function ruleFits(rule: VerdictRule, step: TokenStep, status: number, json: JsonObject | null): boolean {
  if (rule.step !== 'any' && rule.step !== step) return false
  // An outage may carry any body (Salesforce: 503 with invalid_grant): only a rule that names the status may read it.
  if (rule.status === null ? isOutage(status) : !rule.status.includes(status)) return false
  return conditionsHold(json ?? undefined, rule.where)
}

function isOutage(status: number): boolean {
  return status >= 500 || status === 408 || status === 429
}

function byRule(rule: VerdictRule, step: TokenStep, wait: number | null, said: ProviderSaid): Verdict {
  switch (rule.verdict) {
    case 'dead':
      return step === 'refresh' ? { kind: 'dead', code: 'connection_revoked', said, ...confirmedBy(rule) } : { kind: 'restart_flow', said }
    case 'expired':
      return step === 'refresh' ? { kind: 'dead', code: 'connection_expired', said, ...confirmedBy(rule) } : { kind: 'restart_flow', said }
    case 'admin_approval':
      return { kind: 'dead', code: 'admin_approval_required', said }
    case 'throttled':
      return { kind: 'throttled', retryAfterMs: wait, said }
    case 'unknown':
      return { kind: 'unknown', answered: true, cause: said.code ?? `http_${said.httpStatus}`, retryAfterMs: wait, said }
    case 'config':
      return { kind: 'config', said }
    case 'restart_flow':
      // An authorization code is not at stake in a refresh: then the request itself was wrong.
      return step === 'exchange' ? { kind: 'restart_flow', said } : { kind: 'config', said }
  }
}

function confirmedBy({ confirm }: VerdictRule): { readonly confirm?: Template } {
  return confirm === null ? {} : { confirm }
}

function byDefault(answer: ProviderAnswer, json: JsonObject | null, step: TokenStep, wait: number | null, said: ProviderSaid): Verdict {
  const { status } = answer
  const unknown = (cause: string): Verdict => ({ kind: 'unknown', answered: true, cause, retryAfterMs: wait, said })
  if (status === 429 || (status === 503 && wait !== null)) return { kind: 'throttled', retryAfterMs: wait, said }
  if (status >= 500 || status === 408 || status === 425 || status < 400) return unknown(json === null && status < 300 ? 'unreadable_answer' : `http_${status}`)
  // A 4xx page that is no answer of a token endpoint comes from something in between; 404 and 405 tell of a wrong URL, a bare 401 of our credentials.
  if (json === null) return status === 404 || status === 405 || (status === 401 && !isPage(answer.text)) ? { kind: 'config', said } : unknown(`http_${status}`)
  const code = textAt(json, 'error')
  if (code === 'invalid_grant' && (status === 400 || status === 401 || status === 403)) {
    return step === 'refresh' ? { kind: 'dead', code: 'connection_revoked', said } : { kind: 'restart_flow', said }
  }
  if (code === 'temporarily_unavailable' || code === 'server_error') return unknown(code)
  if (code === 'slow_down') return { kind: 'throttled', retryAfterMs: wait, said }
  return { kind: 'config', said }
}

function isPage(text: string): boolean {
  return /^\s*<[a-z!?]/i.test(text)
}

function whatWasSaid(answer: ProviderAnswer, json: JsonObject | null, secrets: readonly string[]): ProviderSaid {
  const code = json === null ? null : firstText(json, CODE_PATHS)
  const text = json === null ? answer.text : firstText(json, TEXT_PATHS)
  return {
    httpStatus: answer.status,
    code: code === null ? null : redact(code, secrets).slice(0, 100),
    text: text === null ? null : redact(text, secrets, json === null) || null,
  }
}

function firstText(json: JsonObject, paths: readonly string[]): string | null {
  for (const path of paths) {
    const text = textAt(json, path)
    if (text !== null) return text
  }
  return null
}
