import { expect, test } from 'vitest'
import type { JsonObject, JsonValue } from '../core/json.ts'
import { accountFromAnswer, accountRequest, readAccountAnswer } from '../core/provider/account.ts'
import { conditionsHold } from '../core/provider/answer-path.ts'
import { type ApiVerdict, apiBase, apiHeaders, apiHosts, judgeApiAnswer } from '../core/provider/api.ts'
import { authorizeUrl } from '../core/provider/authorize.ts'
import type { ProviderContext } from '../core/provider/context.ts'
import { judge } from '../core/provider/judge.ts'
import type { ProviderRecord, VerdictRule } from '../core/provider/record.ts'
import { recordRequest } from '../core/provider/record-request.ts'
import { exchangeRequest, refreshRequest, revokeRequest } from '../core/provider/token-request.ts'
import type { TokenStep, Verdict } from '../core/provider/verdict.ts'
import type { ProviderRequest } from '../core/provider/wire.ts'
import { readPushBody } from '../core/push/incoming-push.ts'
import { provePush } from '../core/push/prove-push.ts'
import { type PushReading, readPush } from '../core/push/read-push.ts'
import { checkDraft } from '../providers/check-draft.ts'
import { checkMeaning } from '../providers/check-meaning.ts'
import { proofCipher } from '../seal/proof-cipher.ts'
import { answered, contextOf } from './provider-contexts.ts'

/** What an answer grants. What is left out must be absent: null, or `Bearer`, or no facts. Lifetimes in seconds from the request. */
export interface ReadAs {
  readonly accessToken: string
  readonly refreshToken?: string
  readonly tokenType?: string
  readonly accessSeconds?: number
  readonly refreshSeconds?: number
  /** Until the end that no refresh moves. */
  readonly grantSeconds?: number
  readonly scopes?: readonly string[]
  readonly account?: string
  readonly label?: string
  readonly facts?: Readonly<Record<string, string>>
}

interface StepFacts {
  /** The record's sample, where none is given; a text is sent as it is. */
  readonly answer?: JsonObject | string
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** The token of a multi-token answer. */
  readonly token?: string
  /** The parameters that came with the code; the account is then looked for in them, too. */
  readonly callback?: Readonly<Record<string, string>>
  readonly expect: ReadAs
}

export type JudgedAs = VerdictRule['verdict']
/** What a body at the token endpoint means: step, status, body, verdict. */
type ErrorFact = readonly [TokenStep, number, JsonValue, JudgedAs]
/** What an answer of the API means: status, headers, body, meaning. */
type ApiFact = readonly [number, Readonly<Record<string, string>>, JsonValue, ApiVerdict]

export interface RecordClaims {
  /** Values of the record's variables; left out: their examples. */
  readonly variables?: Readonly<Record<string, string>>
  /** Facts of an earlier consent, where requests use them. */
  readonly facts?: Readonly<Record<string, string>>
  /** Several where the provider answers in several ways; none where there is no such step. */
  readonly exchange?: StepFacts | readonly StepFacts[]
  readonly refresh?: StepFacts | readonly StepFacts[]
  /** The answer to the request that asks for the account, and what is read from it. */
  readonly account?: { readonly answer: JsonValue; readonly account: string; readonly label?: string; readonly scopes?: readonly string[] }
  readonly errors: readonly ErrorFact[]
  readonly api?: readonly ApiFact[]
  readonly pushes?: readonly PushClaim[]
}

/** A push as the provider sends it, and what it says. It must not be believed under another secret. */
interface PushClaim {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** The one that the record's proof names. */
  readonly secret: string
  readonly variables?: Readonly<Record<string, string>>
  readonly says: readonly Pick<PushReading, 'means' | 'account'>[]
}

/** When every request of these tests was sent. Samples with absolute times must lie after it. */
export const SENT = Date.parse('2026-11-21T06:00:00Z')

/** The access token that a refresh without a token in its answer prolongs. */
const HELD = { accessToken: 'held-1', tokenType: 'Bearer' }
const REDIRECT = 'https://app.example/connect/callback/one'

/** A JWT with these claims and a signature that nobody checks. */
export function jwt(claims: JsonObject): string {
  const part = (value: JsonObject) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part({ alg: 'RS256' })}.${part(claims)}.c2ln`
}

/** Declares the tests that hold a catalogue record to what its provider documents. Call it once, in the file beside the record. */
export function recordFacts(record: ProviderRecord, claims: RecordClaims): void {
  const context = (changes: Partial<ProviderContext> = {}) =>
    contextOf(record, { ...(claims.variables ? { variables: claims.variables } : {}), facts: claims.facts ?? {}, redirectUri: REDIRECT, ...changes })

  test(`${record.id}: the record is well-formed, and names what nobody has verified`, () => {
    expect(checkDraft(JSON.parse(JSON.stringify(record))).problems).toBeNull()
    expect(checkMeaning(record)).toEqual([])
    expect(record.unverified.filter((path) => !names(record, path))).toEqual([])
    expect(record.sources).not.toEqual([])
    expect(record.setup).not.toEqual([])
  })

  test(`${record.id}: requests`, async () => {
    expect(await requestsOf(await context())).toMatchSnapshot()
  })

  for (const step of ['exchange', 'refresh'] as const) {
    for (const [index, facts] of [claims[step] ?? []].flat().entries()) {
      test(`${record.id}: the answer to the ${step} is read${index === 0 ? '' : `, way ${index + 1}`}`, async () => {
        const answer = facts.answer ?? record.samples[step]
        expect(answer, `samples.${step} is missing`).not.toBeNull()
        const asked = await context(facts.token === undefined ? {} : { token: facts.token })
        const outcome = answered(facts.status ?? 200, answer, facts.headers)
        expect(readAs(asked, await judge(asked, { step, outcome, sentAt: SENT, secrets: [], held: HELD }), facts)).toEqual(complete(facts.expect))
      })
    }
  }

  aroundFacts(record, claims)

  const { account } = claims
  if (account !== undefined) {
    test(`${record.id}: the account is read from the answer to its request`, async () => {
      const asked = await context()
      expect(accountRequest(asked, 'access-1', account.scopes ?? [])).not.toBeNull()
      expect(readAccountAnswer(asked, account.answer)).toEqual({ account: account.account, label: account.label ?? null })
    })
  }

  if (claims.errors.length > 0) {
    test.each(claims.errors)(`${record.id}: a %s answered %d with %j is %s`, async (step, status, body, expected) => {
      expect(judgedAs(await judge(await context(), { step, outcome: answered(status, body), sentAt: SENT, secrets: [] }))).toBe(expected)
    })
  }

  if (claims.api !== undefined) {
    test.each(claims.api)(`${record.id}: an API answer %d with %j and %j says %s`, (status, headers, json, expected) => {
      expect(judgeApiAnswer(record, { status, headers, json })).toBe(expected)
    })
  }
}

/** Checks and pushes. */
function aroundFacts(record: ProviderRecord, claims: RecordClaims): void {
  const { check } = record
  if (check !== null && record.samples.check !== null) {
    test(`${record.id}: the answer to the check passes`, () => {
      expect(check.where === null || conditionsHold(record.samples.check ?? undefined, check.where)).toBe(true)
    })
  }

  for (const [index, push] of (claims.pushes ?? []).entries()) {
    test(`${record.id}: push ${index + 1} proves itself and says what it means`, () => {
      const body = new TextEncoder().encode(push.body)
      const url = 'https://app.example/hooks/one'
      const incoming = { integration: 'one', secret: null, method: 'POST', url, query: {}, headers: push.headers, body, text: push.body } as const
      const proof = record.push?.proof
      if (proof === undefined) throw new Error(`${record.id} tells of no pushes`)
      const proven = provePush(proof, incoming, [push.secret], SENT, proofCipher)
      expect(proven).toMatchObject({ proven: true })
      if (proof.kind !== 'none') expect(provePush(proof, incoming, ['another secret'], SENT, proofCipher)).toMatchObject({ proven: false })
      const read = readPushBody(proven.proven && proven.signed !== null ? { headers: {}, text: proven.signed } : incoming)
      const readings = readPush(record, { body: read ?? {}, headers: push.headers, variables: push.variables ?? {} })
      expect(readings.map(({ means, account }) => ({ means, account }))).toEqual(push.says)
    })
  }
}

/** The verdict in the words of a record's rules. */
export function judgedAs(verdict: Verdict): JudgedAs | 'granted' | 'pre_send' {
  if (verdict.kind !== 'dead') return verdict.kind
  if (verdict.code === 'connection_expired') return 'expired'
  return verdict.code === 'admin_approval_required' ? 'admin_approval' : 'dead'
}

/** Every request of a record as it will be sent, as text. */
async function requestsOf(context: ProviderContext): Promise<string> {
  const { pkce } = context.endpoints
  const { record } = context
  const input = { redirectUri: REDIRECT, state: 'state-1', scopes: [], codeChallenge: pkce ? 'challenge-1' : null, nonce: null, extra: {} }
  const presented = record.token.refresh.presents === 'access_token' ? 'access+1' : 'refresh+1'
  const lines = [
    `authorize: ${await authorizeUrl(context, input)}`,
    `exchange: ${shown(await exchangeRequest(context, { code: 'code/1', redirectUri: REDIRECT, verifier: pkce ? 'verifier-1' : null }))}`,
    `refresh: ${shown(await refreshRequest(context, { refreshToken: presented, scopes: record.authorize.defaultScopes }))}`,
    `revoke: ${shown(await revokeRequest(context, { accessToken: 'access-1', refreshToken: 'refresh+1', account: 'account-1' }))}`,
    ...record.chain.map(({ request }) => `then: ${shown(recordRequest(context, request, 'access-1'))}`),
    `account: ${shown(
      accountRequest(
        context,
        'access-1',
        record.account.flatMap((source) => (source.from === 'request' ? source.needsScope : [])),
      ),
    )}`,
    ...record.afterConnect.map(({ finds, request }) => `for ${finds}: ${shown(recordRequest(context, request, 'access-1'))}`),
    `check: ${shown(record.check === null ? null : recordRequest(context, record.check.request, 'access-1'))}`,
  ]
  if (record.api !== null) {
    const headers = Object.entries(apiHeaders(context, 'access-1')).map(([name, value]) => `  ${name}: ${value}`)
    lines.push(`api: ${apiBase(context)}`, ...headers, `  hosts: ${apiHosts(context).join(', ')}`)
  }
  return `\n${lines.join('\n')}\n`
}

function shown(request: ProviderRequest | null): string {
  if (request === null) return 'none'
  const headers = Object.entries(request.headers).map(([name, value]) => `\n  ${name}: ${value}`)
  const basic = request.basic === null ? '' : `\n  basic${request.basic.raw ? ' (raw)' : ''}: ${request.basic.username}:${request.basic.password}`
  return `${request.method} ${request.url}${basic}${headers.join('')}${request.body === null ? '' : `\n  ${request.body}`}`
}

function readAs(context: ProviderContext, verdict: Verdict, facts: StepFacts): Required<Nullable<ReadAs>> | Verdict {
  if (verdict.kind !== 'granted') return verdict
  const { grant } = verdict
  const told = facts.callback === undefined ? null : accountFromAnswer(context, {}, { idToken: null, accessToken: null }, facts.callback)
  return {
    accessToken: grant.accessToken,
    refreshToken: grant.refreshToken,
    tokenType: grant.tokenType,
    accessSeconds: secondsUntil(grant.accessExpiresAt),
    refreshSeconds: secondsUntil(grant.refreshExpiresAt),
    grantSeconds: secondsUntil(grant.grantExpiresAt ?? null),
    scopes: grant.scopes,
    account: grant.account ?? told?.account ?? null,
    label: grant.accountLabel ?? told?.label ?? null,
    facts: grant.facts,
  }
}

type Nullable<Value> = { readonly [Key in keyof Value]: Value[Key] | null }

function complete(expected: ReadAs): Required<Nullable<ReadAs>> {
  return { ...NOTHING, ...expected }
}

const NOTHING = {
  refreshToken: null,
  tokenType: 'Bearer',
  accessSeconds: null,
  refreshSeconds: null,
  grantSeconds: null,
  scopes: null,
  account: null,
  label: null,
  facts: {},
}

function secondsUntil(instant: number | null): number | null {
  return instant === null ? null : (instant - SENT) / 1_000
}

/** True when the dotted path leads to a field of the record. */
function names(record: ProviderRecord, path: string): boolean {
  let value: unknown = record
  for (const part of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return false
    value = Object.getOwnPropertyDescriptor(value, part)?.value
  }
  return true
}
