import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { FaultSpec } from './fault-queue.ts'
import { type PracticeProvider, startPracticeProvider } from './provider.ts'
import { Rehearsal } from './rehearsal.ts'

let provider: PracticeProvider
let client: Rehearsal
beforeAll(async () => {
  provider = await startPracticeProvider()
  client = new Rehearsal(`${provider.url}/p4`)
})
beforeEach(() => provider.control.reset())
afterAll(() => provider.close())

function start(fault: Omit<FaultSpec, 'profile' | 'step'>) {
  provider.control.addFault({ profile: 'p4', step: 'token.refresh', ...fault })
  const tokens = provider.control.issueGrant({ profile: 'p4' })
  return { tokens, truth: () => provider.control.grant(tokens.grant) }
}

/** The raw answer of one refresh, or the code of the connection's error. */
async function refreshRaw(refreshToken: string): Promise<{ status: number; type: string; retryAfter: string | null; text: string } | string> {
  try {
    const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken, client_id: 'practice', client_secret: 'practice-secret' })
    const response = await fetch(`${client.issuer}/token`, { method: 'POST', body })
    const { status, headers } = response
    return { status, type: headers.get('content-type') ?? '', retryAfter: headers.get('retry-after'), text: await response.text() }
  } catch (error) {
    const cause = (error as { cause?: { code?: string } }).cause
    return cause?.code ?? 'unknown'
  }
}

test.each([
  ['rate_limited' as const, { retryAfter: 7 }, 429, '7'],
  ['rate_limited' as const, {}, 429, null],
  ['status' as const, { status: 503 }, 503, null],
  ['status' as const, { status: 500, retryAfter: 'Wed, 21 Oct 2026 07:28:00 GMT' }, 500, 'Wed, 21 Oct 2026 07:28:00 GMT'],
])('%s %j is answered without spending the token', async (kind, extra, status, retryAfter) => {
  const { tokens, truth } = start({ kind, ...extra })
  expect(await refreshRaw(tokens.refreshToken)).toMatchObject({ status, retryAfter })
  expect(truth()).toMatchObject({ generation: 1, state: 'live', refreshRequests: 1, presentations: [] })
  expect(await refreshRaw(tokens.refreshToken)).toMatchObject({ status: 200 })
})

test('a 502 after the commit has spent the token', async () => {
  const { tokens, truth } = start({ kind: 'status', status: 502, when: 'after' })
  expect(await refreshRaw(tokens.refreshToken)).toMatchObject({ status: 502 })
  expect(truth()).toMatchObject({ generation: 2, state: 'live' })
})

test('a reset before the commit changes nothing', async () => {
  const { tokens, truth } = start({ kind: 'reset' })
  expect(await refreshRaw(tokens.refreshToken)).toBe('ECONNRESET')
  expect(truth().generation).toBe(1)
})

test('a reset after the commit has spent the token', async () => {
  const { tokens, truth } = start({ kind: 'reset', when: 'after' })
  expect(await refreshRaw(tokens.refreshToken)).toBe('ECONNRESET')
  expect(truth().generation).toBe(2)
})

test('a lost answer was committed; presenting the token again costs the family', async () => {
  const { tokens, truth } = start({ kind: 'lost_answer' })
  expect(await refreshRaw(tokens.refreshToken)).toBe('UND_ERR_SOCKET')
  expect(truth()).toMatchObject({ generation: 2, state: 'live' })
  expect(await refreshRaw(tokens.refreshToken)).toMatchObject({ status: 400 })
  expect(truth().revoked?.cause).toBe('reuse')
})

test('a hang holds the request until the client leaves, and commits nothing', async () => {
  const { tokens, truth } = start({ kind: 'hang' })
  const leave = new AbortController()
  const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: tokens.refreshToken, client_id: 'practice', client_secret: 'practice-secret' })
  const pending = fetch(`${client.issuer}/token`, { method: 'POST', body, signal: leave.signal }).catch(() => 'left')
  await expect.poll(() => provider.control.held()).toEqual([{ profile: 'p4', step: 'token.refresh', committed: false }])
  leave.abort()
  expect(await pending).toBe('left')
  await expect.poll(() => provider.control.held()).toEqual([])
  expect(truth().generation).toBe(1)
})

test('a hang after the commit gives the committed answer when it is released', async () => {
  const { tokens, truth } = start({ kind: 'hang', when: 'after' })
  const pending = refreshRaw(tokens.refreshToken)
  await expect.poll(() => provider.control.held().length).toBe(1)
  expect(truth().generation).toBe(2)
  provider.control.release()
  expect(await pending).toMatchObject({ status: 200 })
  expect(truth().generation).toBe(2)
})

test('a delay answers late and rightly', async () => {
  const { tokens } = start({ kind: 'delay', ms: 80 })
  const before = performance.now()
  expect(await refreshRaw(tokens.refreshToken)).toMatchObject({ status: 200 })
  expect(performance.now() - before).toBeGreaterThan(75)
})

test('HTML and an error in the clothes of a success carry no token', async () => {
  const page = start({ kind: 'html' })
  expect(await refreshRaw(page.tokens.refreshToken)).toMatchObject({ status: 200, type: 'text/html; charset=utf-8', text: expect.stringContaining('<h1>') })
  const disguised = start({ kind: 'ok_with_error' })
  const answer = await refreshRaw(disguised.tokens.refreshToken)
  expect(answer).toMatchObject({ status: 200, text: expect.stringContaining('"ok":false') })
  expect(JSON.stringify(answer)).not.toContain('access_token')
})

test('invalid_grant may be a lie or the truth', async () => {
  const lie = start({ kind: 'invalid_grant' })
  expect(await refreshRaw(lie.tokens.refreshToken)).toMatchObject({ status: 400, text: expect.stringContaining('invalid_grant') })
  expect(lie.truth().state).toBe('live')
  const honest = start({ kind: 'invalid_grant', revoke: true })
  expect(await refreshRaw(honest.tokens.refreshToken)).toMatchObject({ status: 400 })
  expect(honest.truth().revoked?.cause).toBe('fault')
})

test('invalid_client is worded as the shape words it', async () => {
  const { tokens } = start({ kind: 'invalid_client' })
  expect(await refreshRaw(tokens.refreshToken)).toMatchObject({ status: 401, text: expect.stringContaining('invalid_client') })
})

test('a truncated answer breaks off after the commit', async () => {
  const { tokens, truth } = start({ kind: 'truncated' })
  expect(await refreshRaw(tokens.refreshToken)).toBe('UND_ERR_SOCKET')
  expect(truth().generation).toBe(2)
})

test('a huge answer is well-formed and larger than any client should read', async () => {
  const { tokens } = start({ kind: 'huge', bytes: 300_000 })
  const answer = await refreshRaw(tokens.refreshToken)
  expect(answer).toMatchObject({ status: 200 })
  if (typeof answer === 'string') throw new Error(answer)
  expect(answer.text.length).toBeGreaterThan(300_000)
  expect(JSON.parse(answer.text)).toHaveProperty('access_token')
})

test('a dripping answer arrives whole in the end', async () => {
  const { tokens } = start({ kind: 'drip', ms: 2 })
  const answer = await refreshRaw(tokens.refreshToken)
  if (typeof answer === 'string') throw new Error(answer)
  expect(JSON.parse(answer.text)).toHaveProperty('refresh_token')
})

test('a fault strikes as often as it says, at its profile and step only', async () => {
  provider.control.addFault({ profile: 'p4', step: 'token.refresh', kind: 'status', times: 2 })
  const other = provider.control.issueGrant({ profile: 'p3' })
  expect((await new Rehearsal(`${provider.url}/p3`).refresh(other.refreshToken)).status).toBe(200)
  const { refreshToken, accessToken } = provider.control.issueGrant({ profile: 'p4' })
  expect((await client.api('/api/me', accessToken)).status).toBe(200)
  const statuses = []
  for (let attempt = 0; attempt < 3; attempt += 1) statuses.push((await client.refresh(refreshToken)).status)
  expect(statuses).toEqual([503, 503, 200])
})

test('a fault for a minute ends with the minute, one without an end when it is cleared', async () => {
  provider.control.addFault({ step: 'api', kind: 'status', status: 500, forMs: 60_000 })
  const { accessToken } = provider.control.issueGrant({ profile: 'p4' })
  expect((await client.api('/api/me', accessToken)).status).toBe(500)
  expect((await client.api('/api/me', accessToken)).status).toBe(500)
  provider.control.advanceClock(60_000)
  expect((await client.api('/api/me', accessToken)).status).toBe(200)
  const id = provider.control.addFault({ step: 'api', kind: 'rate_limited', times: null })
  expect((await client.api('/api/me', accessToken)).status).toBe(429)
  provider.control.clearFaults({ id })
  expect((await client.api('/api/me', accessToken)).status).toBe(200)
})

test('a fault that makes no sense is refused and names the field', () => {
  expect(() => provider.control.addFault({ step: 'token.refresh', kind: 'explode' as 'html' })).toThrow('fault field kind')
  expect(() => provider.control.addFault({ profile: 'nowhere', step: 'api', kind: 'html' })).toThrow('there is no profile nowhere')
})
