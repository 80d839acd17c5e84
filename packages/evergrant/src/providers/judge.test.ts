import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import type { ProviderContext } from '../core/provider/context.ts'
import { type JudgeInput, judge } from '../core/provider/judge.ts'
import type { TokenStep, Verdict } from '../core/provider/verdict.ts'
import { answered, contextOf } from '../testing/provider-contexts.ts'
import { defineProvider } from './define.ts'
import { catalogue } from './index.ts'

const SENT = Date.parse('2026-11-21T06:00:00Z')
let oidc: ProviderContext
const contexts: ProviderContext[] = []

beforeAll(async () => {
  oidc = await contextOf('oidc')
  for (const record of catalogue) contexts.push(await contextOf(record))
})

function judged(outcome: JudgeInput['outcome'], step: TokenStep = 'refresh', secrets: readonly string[] = []): Verdict {
  return judge(oidc, { step, outcome, sentAt: SENT, secrets })
}

test('nothing sent is pre_send; silence is an unanswered unknown', () => {
  expect(judged({ kind: 'not_sent', cause: 'ECONNREFUSED' })).toMatchObject({ kind: 'pre_send', cause: 'ECONNREFUSED' })
  expect(judged({ kind: 'no_answer', cause: 'ECONNRESET' })).toMatchObject({ kind: 'unknown', answered: false, cause: 'ECONNRESET' })
})

const unknown = { kind: 'unknown', answered: true }
const table: [string, number, unknown, Record<string, string>, object][] = [
  ['429 without Retry-After', 429, {}, {}, { kind: 'throttled', retryAfterMs: null }],
  ['429 with seconds', 429, {}, { 'retry-after': '7' }, { kind: 'throttled', retryAfterMs: 7_000 }],
  ['429 with a date', 429, '', { 'retry-after': 'Sat, 21 Nov 2026 06:00:30 GMT' }, { kind: 'throttled', retryAfterMs: 30_000 }],
  ['429 with an invalid_grant body', 429, { error: 'invalid_grant' }, {}, { kind: 'throttled' }],
  ['503 with Retry-After', 503, '', { 'retry-after': '9' }, { kind: 'throttled', retryAfterMs: 9_000 }],
  ['503 without', 503, '', {}, unknown],
  ['503 with an invalid_grant body', 503, { error: 'invalid_grant' }, {}, unknown],
  ['500 with JSON', 500, { error: 'server_error' }, {}, unknown],
  ['408', 408, '', {}, unknown],
  ['302', 302, '', { location: 'https://elsewhere.example' }, unknown],
  ['200 with HTML', 200, '<html><body>Sign in</body></html>', {}, unknown],
  ['200 cut off', 200, '{"access_token":"abc","expi', {}, { ...unknown, cause: 'unreadable_answer' }],
  ['200 that is empty', 200, '', {}, unknown],
  ['200 with an unknown error', 200, { error: 'odd' }, {}, unknown],
  ['200 with a token and an error', 200, { access_token: 'a', error: 'invalid_grant' }, {}, unknown],
  ['200 with an empty token', 200, { access_token: '' }, {}, unknown],
  ['200 with null for a token', 200, { access_token: null, expires_in: 3600 }, {}, unknown],
  ['200 with a number for a token', 200, { access_token: 12 }, {}, unknown],
  ['200 with a line break in the token', 200, { access_token: 'a\r\nx: y' }, {}, unknown],
  ['400 with HTML', 400, '<h1>Bad Request</h1>', {}, unknown],
  ['403 with the page of a firewall', 403, '<html>Access denied</html>', {}, unknown],
  ['401 without a body', 401, '', {}, { kind: 'config' }],
  ['401 with the page of a gateway', 401, '<!doctype html><p>Sign in</p>', {}, unknown],
  ['200 with a token and an error object', 200, { access_token: 'a', error: { code: 190 } }, {}, unknown],
  ['404 with HTML', 404, '<html>no such page</html>', {}, { kind: 'config' }],
  ['400 invalid_grant', 400, { error: 'invalid_grant' }, {}, { kind: 'dead', code: 'connection_revoked' }],
  ['401 invalid_grant', 401, { error: 'invalid_grant' }, {}, { kind: 'dead' }],
  ['403 invalid_grant', 403, { error: 'invalid_grant' }, {}, { kind: 'dead' }],
  ['404 invalid_grant', 404, { error: 'invalid_grant' }, {}, { kind: 'config' }],
  ['400 invalid_request', 400, { error: 'invalid_request' }, {}, { kind: 'config' }],
  ['400 unauthorized_client', 400, { error: 'unauthorized_client' }, {}, { kind: 'config' }],
  ['400 invalid_scope', 400, { error: 'invalid_scope' }, {}, { kind: 'config' }],
  ['400 temporarily_unavailable', 400, { error: 'temporarily_unavailable' }, {}, unknown],
  ['418 with something else', 418, { teapot: true }, {}, { kind: 'config' }],
  ['201 with a token', 201, { access_token: 'a' }, {}, { kind: 'granted' }],
]

test.each(table)('%s', (_, status, body, headers, expected) => {
  expect(judged(answered(status, body, headers))).toMatchObject(expected)
})

test('a rule without a status does not read the body of an outage', async () => {
  const microsoft = await contextOf('microsoft')
  const verdict = judge(microsoft, { step: 'refresh', outcome: answered(503, { error: 'invalid_grant', error_codes: [700082] }), sentAt: SENT, secrets: [] })
  expect(verdict).toMatchObject(unknown)
})

test('an invalid_grant at the code exchange restarts the flow and says nothing about a grant', () => {
  expect(judged(answered(400, { error: 'invalid_grant' }), 'exchange').kind).toBe('restart_flow')
})

const expiries: [unknown, number | null, boolean][] = [
  [{ expires_in: 3600 }, 3_600_000, false],
  [{ expires_in: '3600' }, 3_600_000, false],
  [{ expires_in: ' 3600.5 ' }, 3_600_500, false],
  [{}, null, false],
  [{ expires_in: null }, null, false],
  [{ expires_in: 0 }, 3_600_000, true],
  [{ expires_in: -1 }, 3_600_000, true],
  [{ expires_in: 1e12 }, 3_600_000, true],
  [{ expires_in: '1 hour' }, 3_600_000, true],
  [{ expires_in: {} }, 3_600_000, true],
  [{ expires_in: 'NaN' }, 3_600_000, true],
]

test.each(expiries)('a lifetime said as %j is read as %j ms (S18)', (body, after, odd) => {
  const verdict = judged(answered(200, { access_token: 'a', ...Object(body) }))
  expect(verdict).toMatchObject({ kind: 'granted', grant: { accessExpiresAt: after === null ? null : SENT + after } })
  expect(verdict.kind === 'granted' && (verdict.grant.remarks ?? [])).toEqual(odd ? ['expiry_unusable'] : [])
})

const units: [object, object, number | null][] = [
  [{ expiresInUnit: 'milliseconds' }, { expires_in: 60_000 }, 60_000],
  [{ expiresInUnit: 'minutes' }, { expires_in: 10 }, 600_000],
  [{ zeroMeansNever: true }, { expires_in: 0 }, null],
  [{}, { expires_in: '177:05:38' }, 637_538_000],
  [{ expiresInUnit: 'minutes' }, { expires_in: 'PT1H30M' }, 5_400_000],
  [{ paths: { expiresIn: null, expiresAt: 'expires_at' }, expiresAtFormat: 'epoch_seconds' }, { expires_at: SENT / 1000 + 60 }, 60_000],
  [{ paths: { expiresIn: null, expiresAt: 'expires_at' }, expiresAtFormat: 'epoch_milliseconds' }, { expires_at: SENT + 60_000 }, 60_000],
  [{ paths: { expiresIn: null, expiresAt: 'expires_at' }, expiresAtFormat: 'iso8601' }, { expires_at: '2026-11-21T06:01:00Z' }, 60_000],
  [{ paths: { expiresIn: null, expiresAt: 'expires_at' } }, { expires_at: 'never' }, 3_600_000],
]

const jwt = (claims: object): string => ['{"alg":"none"}', JSON.stringify(claims), 'x'].map((part) => Buffer.from(part).toString('base64url')).join('.')
const endings: [string, object, object, number | null][] = [
  ['its own end counts', {}, {}, 120_000],
  ['what the answer says counts', {}, { expires_in: 60 }, 60_000],
  ['an answer that says never counts', { answer: { zeroMeansNever: true } }, { expires_in: 0 }, null],
  ['what the record says counts', { lifetimes: { accessSeconds: 30 } }, {}, 30_000],
]

test.each(endings)('of a token that is a JWT %s', async (_, facts, body, after) => {
  const record = defineProvider({ id: 'x', name: 'X', authorize: { url: 'https://x.example/a' }, token: { url: 'https://x.example/t' }, ...facts })
  const answer = { access_token: jwt({ exp: SENT / 1_000 + 120 }), ...body }
  const verdict = judge(await contextOf(record), { step: 'refresh', outcome: answered(200, answer), sentAt: SENT, secrets: [] })
  expect(verdict).toMatchObject({ kind: 'granted', grant: { accessExpiresAt: after === null ? null : SENT + after } })
})

test('an end in the past, or a hundred years away, in a JWT is none', async () => {
  for (const exp of [SENT / 1_000 - 1, 1e12, 'soon', null]) {
    const verdict = judged(answered(200, { access_token: jwt({ exp }) }))
    expect(verdict, String(exp)).toMatchObject({ kind: 'granted', grant: { accessExpiresAt: null } })
  }
})

test.each(units)('with %j, %j ends after %j ms', async (answer, body, after) => {
  const record = defineProvider({ id: 'x', name: 'X', authorize: { url: 'https://x.example/a' }, token: { url: 'https://x.example/t' }, answer })
  const verdict = judge(await contextOf(record), { step: 'refresh', outcome: answered(200, { access_token: 'a', ...body }), sentAt: SENT, secrets: [] })
  expect(verdict).toMatchObject({ kind: 'granted', grant: { accessExpiresAt: after === null ? null : SENT + after } })
})

test.each([
  [undefined, null],
  ['a b', ['a', 'b']],
  ['a,b', ['a', 'b']],
  [
    ['a', 'b', 'a'],
    ['a', 'b'],
  ],
  ['', []],
  [7, null],
])('granted scopes said as %j are %j', (scope, expected) => {
  const verdict = judged(answered(200, { access_token: 'a', scope }))
  expect(verdict.kind === 'granted' && verdict.grant.scopes).toEqual(expected)
})

test('what the provider said is kept without the secrets it echoes', () => {
  const presented = 'short-rt'
  const body = { error: 'invalid_grant', error_description: `Refresh token invalid: ${presented} for secret-of-client-1 \u0007${'x'.repeat(2_000)}` }
  const { said } = judged(answered(400, body), 'refresh', [presented])
  expect(said).toMatchObject({ httpStatus: 400, code: 'invalid_grant' })
  expect(said.text).toContain('Refresh token invalid: [redacted] for [redacted]')
  expect(said.text?.length).toBeLessThanOrEqual(500)
})

test('an HTML page is kept as its text', () => {
  expect(judged(answered(502, '<html><title>502</title><b>Bad Gateway</b></html>')).said.text).toBe('502 Bad Gateway')
})

test('no bytes and no status make the judgement fail, at any record', () => {
  const json = fc.json({ maxDepth: 4 })
  const words = fc.constantFrom('access_token', 'error', 'expires_in', 'ok', 'status', 'body', 'errors', 'authed_user', 'id_token', '__proto__', 'scope')
  const shaped = fc.dictionary(words, fc.jsonValue({ maxDepth: 3 })).map((value) => JSON.stringify(value))
  const bytes = fc.uint8Array({ maxLength: 300 }).map((body) => new TextDecoder().decode(body))
  const headers = fc.dictionary(fc.constantFrom('retry-after', 'date', 'content-type'), fc.string())
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 999 }),
      fc.oneof(json, shaped, bytes),
      headers,
      fc.constantFrom<TokenStep>('exchange', 'refresh'),
      (status, text, some, step) => {
        for (const context of contexts) {
          const verdict = judge(context, { step, outcome: answered(status, text, some), sentAt: SENT, secrets: ['a-secret'] })
          if (verdict.kind === 'granted') expect(verdict.grant.accessToken).not.toBe('')
          if (verdict.kind === 'dead') expect(status).toBeLessThan(500)
        }
      },
    ),
    { numRuns: 400 },
  )
})
