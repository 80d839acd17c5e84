import type { JsonValue } from '../json.ts'
import { accountRequest } from './account.ts'
import { parseJson } from './answer-body.ts'
import { type ApiVerdict, judgeApiAnswer } from './api.ts'
import type { ProviderContext } from './context.ts'
import { recordRequest } from './record-request.ts'
import { redact } from './redact.ts'
import type { ProviderSaid } from './verdict.ts'
import type { ProviderRequest, WireOutcome } from './wire.ts'

/** What the provider's API says of a secret that nobody gives tokens for. */
export interface SecretCheck {
  /** `cannot_tell`: no answer, or one that is not about the secret. */
  readonly kind: 'works' | 'refused' | 'cannot_tell'
  readonly said: ProviderSaid
  /** The body of an answer that says that it works. */
  readonly json: JsonValue
}

/** The cheapest call that proves the secret: the record's check, else the one that tells the account. Null: the record knows none. */
export function secretCheckRequest(context: ProviderContext, accessToken: string, tokenType: string): ProviderRequest | null {
  const { check } = context.record
  return check === null ? accountRequest(context, accessToken) : recordRequest(context, check.request, accessToken, tokenType)
}

export function readSecretCheck(context: ProviderContext, outcome: WireOutcome, secrets: readonly string[]): SecretCheck {
  if (outcome.kind !== 'answered') return { kind: 'cannot_tell', said: { httpStatus: null, code: outcome.cause, text: null }, json: null }
  const { status, headers, text } = outcome.answer
  const json = parseJson(text) ?? null
  const said = { httpStatus: status, code: null, text: status < 400 ? null : redact(text, secrets, json === null) || null }
  return { kind: KINDS[judgeApiAnswer(context.record, { status, headers, json })], said, json }
}

/** A secret without the scope for this one call is a secret that works. */
const KINDS: Readonly<Record<ApiVerdict, SecretCheck['kind']>> = {
  ok: 'works',
  scope_missing: 'works',
  token_rejected: 'refused',
  throttled: 'cannot_tell',
  not_about_the_token: 'cannot_tell',
}
