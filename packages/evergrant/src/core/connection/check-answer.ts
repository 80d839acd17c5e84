import { isJsonObject } from '../json.ts'
import { parseJson } from '../provider/answer-body.ts'
import { conditionsHold } from '../provider/answer-path.ts'
import { judgeApiAnswer } from '../provider/api.ts'
import type { ProviderContext } from '../provider/context.ts'
import type { ProviderRecord } from '../provider/record.ts'
import { recordRequest } from '../provider/record-request.ts'
import { retryAfterMs } from '../provider/retry-after.ts'
import type { ProviderRequest, WireOutcome } from '../provider/wire.ts'
import type { Instant } from '../time.ts'
import type { CheckResult } from './checks.ts'

/** One answer to the check of a record. `token_rejected`: a renewed token may do better. */
export interface CheckAnswer {
  readonly kind: Exclude<CheckResult, 'rejected'> | 'token_rejected'
  readonly httpStatus: number | null
  readonly retryAt: Instant | null
  readonly detail: string | null
}

/** The call that proves a token; null when the record knows none, none for these scopes, or when a server has no userinfo. `scopes` null: the provider never told them. @throws Fault */
export function checkRequest(
  context: ProviderContext,
  token: { readonly accessToken: string; readonly tokenType: string },
  scopes: readonly string[] | null,
): ProviderRequest | null {
  const { check } = context.record
  if (check === null || (check.request.url === '{userinfo}' && context.endpoints.userinfo === null)) return null
  const allowed = check.needsScope.length === 0 || check.needsScope.some((scope) => scopes?.includes(scope))
  return allowed ? recordRequest(context, check.request, token.accessToken, token.tokenType) : null
}

/** Pure: what an answer to the check says about the token. */
export function judgeCheck(record: ProviderRecord, outcome: WireOutcome, now: Instant): CheckAnswer {
  if (outcome.kind !== 'answered') return { kind: 'unreachable', httpStatus: null, retryAt: null, detail: outcome.cause }
  const { status, headers, text } = outcome.answer
  const json = parseJson(text) ?? null
  const waitMs = retryAfterMs(headers, now)
  const said = { httpStatus: status, retryAt: waitMs === null ? null : now + waitMs, detail: null }
  const verdict = judgeApiAnswer(record, { status, headers, json })
  switch (verdict) {
    case 'token_rejected':
    case 'scope_missing':
    case 'throttled':
      return { ...said, kind: verdict }
    case 'not_about_the_token':
      return { ...said, kind: 'unreachable', detail: `the API answered ${status}, which says nothing about the token` }
    case 'ok':
      return { ...said, ...(isPage(headers) ? PAGE : proofOf(record, status, json)) }
  }
}

/** A page of somebody's maintenance is no proof, whatever its status. */
const isPage = (headers: Readonly<Record<string, string>>): boolean => /^text\/html\b/i.test(headers['content-type'] ?? '')
const PAGE = { kind: 'unreachable', detail: 'a page came instead of an answer of the API' } as const

function proofOf(record: ProviderRecord, status: number, json: ReturnType<typeof parseJson> | null): Pick<CheckAnswer, 'kind' | 'detail'> {
  const where = record.check?.where ?? null
  if (status < 200 || status > 299) return { kind: 'unreachable', detail: `the API answered ${status}` }
  if (where === null || conditionsHold(json ?? undefined, where)) return { kind: 'works', detail: null }
  if (isJsonObject(json ?? undefined)) return { kind: 'token_rejected', detail: null }
  return { kind: 'unreachable', detail: 'the API answered something that is no JSON object' }
}
