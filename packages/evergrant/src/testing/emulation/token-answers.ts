import type { JsonObject, JsonValue } from '../../core/json.ts'
import { valueAt } from '../../core/provider/answer-path.ts'
import type { ProviderRecord, TokenPaths } from '../../core/provider/record.ts'
import type { TokenStep } from '../../core/provider/verdict.ts'
import { jwt } from '../record-facts.ts'
import { fitting, jsonWith } from './example-json.ts'

export const ACCOUNT = 'account-1'

interface Issued {
  readonly access: string
  readonly refresh: string | null
}

interface AnswerInput {
  readonly record: ProviderRecord
  readonly step: TokenStep
  readonly issued: Issued
  readonly clientId: string
  readonly nonce: string | null
  readonly issuer: string
  /** Values of the facts that begin a URL. */
  readonly told: Readonly<Record<string, string>>
  /** Milliseconds of the Unix epoch. */
  readonly now: number
}

/** The documented answer with these tokens in it, and with times that lie ahead. */
export function tokenAnswer(input: AnswerInput): JsonValue {
  const { record, step, issued } = input
  const { answer } = record
  const paths = pathsOf(record, step)
  const sample: JsonObject = record.samples[step] ?? (step === 'refresh' ? record.samples.exchange : null) ?? {}
  const success = answer.success !== null && (answer.success.step === 'any' || answer.success.step === step) ? answer.success : null
  if (step === 'refresh' && record.token.refresh.prolongs) return success === null ? sample : jsonWith(sample, [[success.path, fitting(success.equals)]])
  const facts = Object.entries(answer.facts).flatMap(([name, path]) => (input.told[name] === undefined ? [] : [[path, input.told[name]] as const]))
  return jsonWith(sample, [
    [paths.accessToken, issued.access],
    ...(issued.refresh === null || paths.refreshToken === null ? [] : [[paths.refreshToken, issued.refresh] as const]),
    ...(success === null ? [] : [[success.path, fitting(success.equals)] as const]),
    ...facts,
    ...timesAhead(input, sample, paths),
    ...identity(input, sample, paths),
  ])
}

function pathsOf({ answer }: ProviderRecord, step: TokenStep): TokenPaths {
  const facts = (answer.defaultToken === null ? undefined : answer.tokens?.[answer.defaultToken]) ?? answer
  return step === 'refresh' ? (facts.refreshPaths ?? facts.paths) : facts.paths
}

/** True where the documented answer to this step holds a refresh token. */
export function holdsRefreshToken(record: ProviderRecord, step: TokenStep): boolean {
  const { refreshToken } = pathsOf(record, step)
  const sample = record.samples[step]
  if (refreshToken === null || !record.lifetimes.issuesRefreshToken) return false
  return sample === null ? step === 'exchange' || record.rotation !== 'never' : typeof valueAt(sample, refreshToken) === 'string'
}

function timesAhead({ record, now }: AnswerInput, sample: JsonObject, paths: TokenPaths): (readonly [string, JsonValue])[] {
  const seconds = record.lifetimes.accessSeconds ?? 3_600
  const instants = [
    [paths.expiresAt, seconds],
    [paths.refreshExpiresAt, 30 * 24 * 3_600],
  ] as const
  return instants.flatMap(([path, ahead]) =>
    path === null || valueAt(sample, path) === undefined ? [] : [[path, instant(record, now + ahead * 1_000)] as const],
  )
}

function instant({ answer }: ProviderRecord, at: number): JsonValue {
  if (answer.expiresAtFormat === 'iso8601') return new Date(at).toISOString()
  return answer.expiresAtFormat === 'epoch_milliseconds' ? at : Math.floor(at / 1_000)
}

function identity({ record, clientId, nonce, issuer, now }: AnswerInput, sample: JsonObject, paths: TokenPaths): (readonly [string, JsonValue])[] {
  const claims = record.account.flatMap((source) => (source.from === 'id_token' ? source.claim.split(' + ') : []))
  const wanted = claims.length > 0 || (paths.idToken !== null && valueAt(sample, paths.idToken) !== undefined)
  if (!wanted || paths.idToken === null) return []
  const seconds = Math.floor(now / 1_000)
  const base = { iss: issuer, aud: clientId, iat: seconds, exp: seconds + 3_600, ...(nonce === null ? {} : { nonce }) }
  const whole = jsonWith(base, [['sub', ACCOUNT], ...claims.map((claim) => [claim, ACCOUNT] as const)])
  return [[paths.idToken, jwt(whole as JsonObject)]]
}

/** A token of its own, with the claims that the record reads from it. */
export function accessToken(record: ProviderRecord, count: number): string {
  const claims = record.account.flatMap((source) => (source.from === 'access_token' ? source.claim.split(' + ') : []))
  if (claims.length === 0) return `at-${count}-of-${record.id}`
  return jwt(
    jsonWith(
      { jti: `at-${count}` },
      claims.map((claim) => [claim, ACCOUNT] as const),
    ) as JsonObject,
  )
}

/** How this provider says that a grant is over, as its record has it; else as RFC 6749 section 5.2 has it. */
export function deadAnswer(record: ProviderRecord): { readonly status: number; readonly body: JsonValue } {
  const rule = record.verdicts.find(({ step, verdict }) => step !== 'exchange' && (verdict === 'dead' || verdict === 'expired'))
  if (rule === undefined) return { status: 400, body: { error: 'invalid_grant' } }
  const body = jsonWith(
    {},
    Object.entries(rule.where).map(([path, expected]) => [path, fitting(expected)] as const),
  )
  return { status: rule.status?.[0] ?? 400, body }
}
