import { expect, test } from 'vitest'
import { checkMeaning } from '../../providers/check-meaning.ts'
import { defineProvider, type ProviderDraft } from '../../providers/define.ts'
import { contextOf } from '../../testing/provider-contexts.ts'
import { runChain } from '../refresh/run-chain.ts'
import { keptHeaders, withBeside } from './beside-body.ts'
import { judge } from './judge.ts'
import type { Granted } from './verdict.ts'
import type { ProviderAnswer } from './wire.ts'

const SENT = Date.parse('2026-11-21T12:00:00Z')
const recordWith = (answer: NonNullable<ProviderDraft['answer']>, more: Partial<ProviderDraft> = {}) =>
  defineProvider({ id: 'beside', name: 'Beside', authorize: { url: 'https://b.example/a' }, token: { url: 'https://b.example/t' }, answer, ...more })
const record = recordWith(
  {
    paths: { accessToken: 'header:X-Subject-Token', refreshToken: 'cookie:renewal', refreshExpiresIn: 'cookie:renewal;max-age' },
    facts: { region: 'header:X-Region', until: 'cookie:renewal;expires' },
  },
  { verdicts: [{ where: { 'header:X-Reason': 'revoked' }, verdict: 'dead' }] },
)

function answerOf(status: number, headers: Record<string, string>, text = ''): ProviderAnswer {
  return { status, headers, body: new TextEncoder().encode(text), text }
}
const COOKIES = [
  'session=of-the-site; Path=/',
  'renewal=old-value; Path=/',
  'renewal="rt-1"; Path=/; Max-Age=86400; Expires=Sun, 22 Nov 2026 12:00:00 GMT; HttpOnly',
].join('\n')
const judged = async (answer: ProviderAnswer, of = record) =>
  judge(await contextOf(of), { step: 'exchange', outcome: { kind: 'answered', answer }, sentAt: SENT, secrets: [] })

test('tokens are read from headers and cookies, although there is no body at all', async () => {
  const verdict = await judged(answerOf(204, { 'x-subject-token': 'at-1', 'x-region': 'eu', 'set-cookie': COOKIES }))
  expect(verdict.kind === 'granted' && verdict.grant).toMatchObject({
    accessToken: 'at-1',
    refreshToken: 'rt-1',
    refreshExpiresAt: SENT + 86_400_000,
    facts: { region: 'eu', until: 'Sun, 22 Nov 2026 12:00:00 GMT' },
  })
})

test('the end of a token may be the date of its cookie', async () => {
  const dated = recordWith({ paths: { accessToken: 'cookie:renewal', expiresIn: null, expiresAt: 'cookie:renewal;expires' } })
  const verdict = await judged(answerOf(200, { 'set-cookie': COOKIES }, '<html>welcome</html>'), dated)
  expect(verdict.kind === 'granted' && [verdict.grant.accessToken, verdict.grant.accessExpiresAt]).toEqual(['rt-1', SENT + 86_400_000])
})

test('a header of an answer that is no success grants nothing, and may say why', async () => {
  const refused = await judged(answerOf(401, { 'x-subject-token': 'at-1', 'set-cookie': COOKIES }, '{"message":"no"}'))
  expect(refused.kind).toBe('config')
  const dead = judge(await contextOf(record), {
    step: 'refresh',
    outcome: { kind: 'answered', answer: answerOf(403, { 'x-reason': 'revoked' }) },
    sentAt: SENT,
    secrets: [],
  })
  expect(dead).toMatchObject({ kind: 'dead', code: 'connection_revoked' })
})

test('no member of the body can pretend to be a header, and a cookie that is taken back is none', async () => {
  const forged = await judged(answerOf(200, {}, JSON.stringify({ 'header:X-Subject-Token': 'forged' })))
  expect(forged.kind).toBe('unknown')
  const cookie = recordWith({ paths: { accessToken: 'cookie:renewal' } })
  for (const gone of ['renewal=; Path=/', 'renewal=x; Max-Age=0', 'renewal=x; Expires=Thu, 01 Jan 1970 00:00:00 GMT'])
    expect([gone, (await judged(answerOf(200, { 'set-cookie': gone }, '{}'), cookie)).kind]).toEqual([gone, 'unknown'])
})

test('an error that repeats a cookie is told without it', async () => {
  const verdict = await judged(answerOf(400, { 'set-cookie': 'renewal=short-1' }, '{"error":"invalid_request","error_description":"short-1 is odd"}'))
  expect(JSON.stringify(verdict)).toContain('[redacted] is odd')
})

test('kept are the content type and exactly what the record names', () => {
  const headers = { 'content-type': 'text/plain', 'x-subject-token': 'at-1', 'x-other': 'o', date: 'today', 'set-cookie': COOKIES }
  const kept = keptHeaders(record, { headers })
  expect(Object.keys(kept).sort()).toEqual(['content-type', 'set-cookie', 'x-subject-token'])
  expect(kept['set-cookie']).not.toContain('of-the-site')
  expect(withBeside(record, { headers: kept }, null)).toEqual(withBeside(record, { headers }, null))
  expect(keptHeaders(recordWith({}), { headers })).toEqual({ 'content-type': 'text/plain' })
})

test('a path that begins like one beside the body and is none is a problem of the record', () => {
  const odd = recordWith({ paths: { accessToken: 'header:X Token', refreshToken: 'cookie:a;path' }, facts: { fine: 'cookie:a;max-age' } })
  expect(checkMeaning(odd).map(({ path }) => path)).toEqual(['answer.paths.accessToken', 'answer.paths.refreshToken'])
  expect(checkMeaning(record)).toEqual([])
})

test('a step of a chain may answer with a cookie, and a step that fails tells nothing of it', async () => {
  const login = { request: { url: 'https://b.example/login' }, accessToken: 'cookie:SESSION', expiresIn: 'cookie:SESSION;max-age' }
  const context = await contextOf(recordWith({}, { chain: [login] }))
  const first: Granted = {
    accessToken: 'first-token',
    refreshToken: 'rt-1',
    tokenType: 'Bearer',
    accessExpiresAt: null,
    refreshExpiresAt: null,
    scopes: null,
    account: null,
    accountLabel: null,
    idToken: null,
    facts: {},
  }
  const run = (answer: ProviderAnswer) =>
    runChain(context, context.record.chain, first, { send: async () => ({ kind: 'answered', answer }), clock: { wall: () => SENT } })
  const cookie = { 'set-cookie': 'SESSION=s-1; Max-Age=60' }
  expect(await run(answerOf(200, cookie))).toMatchObject({ kind: 'granted', grant: { accessToken: 's-1', accessExpiresAt: SENT + 60_000 } })
  const failed = await run(answerOf(400, { 'set-cookie': 'SESSION=secret-1' }, 'secret-1 is no session'))
  expect(failed).toMatchObject({ kind: 'failed', said: { text: '[redacted] is no session' } })
})
