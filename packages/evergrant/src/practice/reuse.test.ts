import { afterAll, beforeAll, expect, test } from 'vitest'
import { type PracticeProvider, startPracticeProvider } from './provider.ts'
import { field, Rehearsal } from './rehearsal.ts'

let provider: PracticeProvider
beforeAll(async () => {
  provider = await startPracticeProvider()
})
afterAll(() => provider.close())

function start(profile: string) {
  const tokens = provider.control.issueGrant({ profile })
  return { client: new Rehearsal(`${provider.url}/${profile}`), tokens, truth: () => provider.control.grant(tokens.grant) }
}

test('P0: the same refresh token keeps working and every answer has a new access token', async () => {
  const { client, tokens, truth } = start('p0')
  const first = await client.refresh(tokens.refreshToken)
  const second = await client.refresh(tokens.refreshToken)
  expect([first.status, second.status]).toEqual([200, 200])
  expect(field(second, 'refresh_token')).toBe(tokens.refreshToken)
  expect(field(second, 'access_token')).not.toBe(field(first, 'access_token'))
  expect(truth().presentations.map(({ decision }) => decision)).toEqual(['reissued', 'reissued'])
})

test('P0 with new tokens: old and new refresh token both work', async () => {
  provider.control.setProfile('p0-new', { reuse: 'P0', rotation: 'new' })
  const { client, tokens } = start('p0-new')
  const next = field(await client.refresh(tokens.refreshToken), 'refresh_token')
  expect(next).not.toBe(tokens.refreshToken)
  expect((await client.refresh(tokens.refreshToken)).status).toBe(200)
  expect((await client.refresh(next)).status).toBe(200)
})

test('P0 may leave the refresh token out of its answer', async () => {
  provider.control.setProfile('p0-omit', { reuse: 'P0', rotation: 'omit' })
  const { client, tokens } = start('p0-omit')
  const reply = await client.refresh(tokens.refreshToken)
  expect(reply.status).toBe(200)
  expect(reply.body).not.toHaveProperty('refresh_token')
})

test('P1: inside the window a replay gets the same answer, after it the family is revoked', async () => {
  const { client, tokens, truth } = start('p1')
  const first = await client.refresh(tokens.refreshToken)
  provider.control.advanceClock(9_000)
  const replay = await client.refresh(tokens.refreshToken)
  expect(field(replay, 'access_token')).toBe(field(first, 'access_token'))
  expect(field(replay, 'refresh_token')).toBe(field(first, 'refresh_token'))
  expect(truth().state).toBe('live')
  provider.control.advanceClock(1_000)
  expect((await client.refresh(tokens.refreshToken)).status).toBe(400)
  expect(truth().revoked).toMatchObject({ cause: 'reuse', presentedGeneration: 1 })
  expect((await client.refresh(field(first, 'refresh_token'))).status).toBe(400)
})

test('P2: the old token works until the access token of its successor is used', async () => {
  const { client, tokens, truth } = start('p2')
  const first = await client.refresh(tokens.refreshToken)
  provider.control.advanceClock(600_000)
  const replay = await client.refresh(tokens.refreshToken)
  expect(field(replay, 'access_token')).toBe(field(first, 'access_token'))
  expect((await client.api('/api/me', field(first, 'access_token'))).status).toBe(200)
  expect((await client.refresh(tokens.refreshToken)).body).toMatchObject({ error: 'invalid_grant' })
  expect(truth().revoked?.cause).toBe('reuse')
})

test('P2: the old token works until the successor itself is spent', async () => {
  const { client, tokens, truth } = start('p2')
  const first = await client.refresh(tokens.refreshToken)
  expect((await client.refresh(field(first, 'refresh_token'))).status).toBe(200)
  expect((await client.refresh(tokens.refreshToken)).status).toBe(400)
  expect(truth().revoked?.cause).toBe('reuse')
})

test('P3: a spent token is refused and the family lives on', async () => {
  const { client, tokens, truth } = start('p3')
  const first = await client.refresh(tokens.refreshToken)
  expect((await client.refresh(tokens.refreshToken)).body).toMatchObject({ error: 'invalid_grant' })
  expect(truth().state).toBe('live')
  expect((await client.refresh(field(first, 'refresh_token'))).status).toBe(200)
  expect(truth().presentations.map(({ decision }) => decision)).toEqual(['rotated', 'refused_spent', 'rotated'])
})

test('P4: a spent token is refused and the newest tokens die with it', async () => {
  const { client, tokens, truth } = start('p4')
  const first = await client.refresh(tokens.refreshToken)
  expect((await client.refresh(tokens.refreshToken)).body).toMatchObject({ error: 'invalid_grant' })
  expect(truth()).toMatchObject({ state: 'revoked', currentFingerprint: null, generation: 2 })
  expect((await client.refresh(field(first, 'refresh_token'))).status).toBe(400)
  expect((await client.api('/api/me', field(first, 'access_token'))).status).toBe(401)
})

test('two requests with one refresh token that are unanswered at once are counted as an overlap', async () => {
  const { client, tokens, truth } = start('p0')
  provider.control.addFault({ profile: 'p0', step: 'token.refresh', kind: 'hang', times: 1 })
  const first = client.refresh(tokens.refreshToken)
  await expect.poll(() => provider.control.held().length).toBe(1)
  await client.refresh(tokens.refreshToken)
  expect(provider.control.release('p0')).toBe(1)
  expect((await first).status).toBe(200)
  await client.refresh(tokens.refreshToken)
  expect(truth()).toMatchObject({ overlaps: 1, refreshRequests: 3 })
})

test('a grant ends at its idle and at its absolute lifetime, and a refresh extends only the first', async () => {
  provider.control.setProfile('mortal', { reuse: 'P0', refreshIdleSeconds: 100, refreshAbsoluteSeconds: 150 })
  const idle = start('mortal')
  provider.control.advanceClock(100_000)
  expect((await idle.client.refresh(idle.tokens.refreshToken)).status).toBe(400)
  const absolute = start('mortal')
  provider.control.advanceClock(99_000)
  expect((await absolute.client.refresh(absolute.tokens.refreshToken)).status).toBe(200)
  provider.control.advanceClock(52_000)
  expect((await absolute.client.refresh(absolute.tokens.refreshToken)).status).toBe(400)
  expect(absolute.truth().revoked?.cause).toBe('expired')
})

test('Strava-shaped: above the threshold a refresh returns the same tokens, below it new ones', async () => {
  const { client, tokens } = start('strava')
  const early = await client.refresh(tokens.refreshToken)
  expect(early.body).toMatchObject({ access_token: tokens.accessToken, refresh_token: tokens.refreshToken })
  expect(early.body).not.toHaveProperty('athlete')
  expect(early.body['expires_at']).toBeTypeOf('number')
  provider.control.advanceClock(18_001_000)
  const late = await client.refresh(tokens.refreshToken)
  expect(field(late, 'access_token')).not.toBe(tokens.accessToken)
  const spent = await client.refresh(tokens.refreshToken)
  expect(spent).toMatchObject({
    status: 400,
    body: { message: 'Bad Request', errors: [{ resource: 'RefreshToken', field: 'refresh_token', code: 'invalid' }] },
  })
})

test('Amazon-shaped: tokens have its prefixes, the refresh token never changes, errors have its words', async () => {
  const { client, tokens } = start('amazon')
  const reply = await client.refresh(tokens.refreshToken)
  expect(field(reply, 'access_token')).toMatch(/^Atza\|/)
  expect(field(reply, 'refresh_token')).toBe(tokens.refreshToken)
  provider.control.revoke(tokens.grant)
  const dead = await client.refresh(tokens.refreshToken)
  expect(field(dead, 'error_description')).toContain('The request has an invalid grant parameter : refresh_token.')
  const wrongClient = await client.token({ grant_type: 'refresh_token', refresh_token: 'x', client_id: 'practice', client_secret: 'no' }, null)
  expect(wrongClient).toMatchObject({ status: 401, body: { error: 'invalid_client', error_description: 'Client authentication failed' } })
})
