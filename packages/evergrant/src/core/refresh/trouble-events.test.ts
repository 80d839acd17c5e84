// What the history of a connection says of its renewals: when trouble begins, what it is called, and when it is over. Not every attempt.
import { expect, test } from 'vitest'
import { createEngineLab, type EngineLab, type LabOptions } from '../../testing/engine-lab.ts'
import { HOUR, MINUTE } from '../time.ts'

const told = async ({ store, organization, connection }: EngineLab) => {
  const { items } = await store.events.list(organization, { connection }, { limit: 50, cursor: null })
  return items
    .filter(({ type }) => type !== 'connection.created')
    .reverse()
    .map(({ type, data, subject }) => ({ type, ...data, by: subject?.slice(0, 4) ?? null }))
}

/** The token is over: each ask presents the grant, or waits for its turn. */
async function overdue(options: LabOptions = {}): Promise<EngineLab> {
  const lab = await createEngineLab({ reuse: 'P0', ...options })
  await lab.time.advance(HOUR)
  return lab
}

async function ask(lab: EngineLab): Promise<string> {
  await lab.time.advance(10 * MINUTE)
  const asked = lab.read().then(
    ({ accessToken }) => accessToken,
    (error) => String(error.code),
  )
  await lab.time.advance(MINUTE)
  return asked
}

const unreachable = { kind: 'unreachable' } as const
const throttled = { kind: 'answer', status: 429, body: '{"error":"slow_down","error_description":"Too many."}' } as const

test('trouble is told when it begins and when it changes its name, not at each attempt; so is its end', async () => {
  const lab = await overdue()
  lab.provider.steps.push(unreachable, unreachable, unreachable, throttled, throttled)
  const answers = []
  while (lab.provider.steps.length > 0) answers.push(await ask(lab))
  expect(new Set(answers)).toEqual(new Set(['provider_unavailable', 'provider_rate_limited']))
  expect(await ask(lab)).toMatch(/^at-/)
  const nothing = { generation: 1, http_status: null, provider_code: 'ECONNREFUSED' }
  expect(await told(lab)).toMatchObject([
    { type: 'connection.refresh_failed', code: 'provider_unavailable', ...nothing, by: null },
    {
      type: 'connection.refresh_failed',
      code: 'provider_rate_limited',
      generation: 1,
      http_status: 429,
      provider_code: 'slow_down',
      provider_text: 'Too many.',
    },
    { type: 'connection.refreshed', generation: 2, by: 'itn_' },
  ])
})

test('the same trouble is told again after a success in between', async () => {
  const lab = await overdue()
  for (let round = 0; round < 2; round += 1) {
    lab.provider.steps.push(unreachable)
    expect(await ask(lab)).toBe('provider_unavailable')
    expect(await ask(lab)).toMatch(/^at-/)
    await lab.time.advance(HOUR)
  }
  expect((await told(lab)).map(({ type }) => type)).toEqual([
    'connection.refresh_failed',
    'connection.refreshed',
    'connection.refresh_failed',
    'connection.refreshed',
  ])
})

test('the end of a grant is told with what the provider said, also while it fails already', async () => {
  const lab = await overdue({ reuse: 'P4' })
  lab.provider.steps.push(unreachable)
  expect(await ask(lab)).toBe('provider_unavailable')
  lab.provider.familyAlive = false
  expect(await ask(lab)).toBe('connection_revoked')
  expect(await ask(lab)).toBe('connection_revoked')
  expect(await told(lab)).toMatchObject([
    { type: 'connection.refresh_failed' },
    { type: 'connection.needs_reauth', code: 'connection_revoked', generation: 1, http_status: 400, provider_code: 'invalid_grant', by: 'itn_' },
  ])
})

test('an answer that was lost makes the token suspect, which is told once until a later one is heard', async () => {
  const lab = await overdue({ reuse: 'P4' })
  lab.provider.steps.push({ kind: 'silent' }, { kind: 'silent' })
  // A caller waits for seconds; the request goes on after it.
  for (const answer of ['refresh_in_progress', 'refresh_in_progress', 'outcome_unknown']) expect(await ask(lab)).toBe(answer)
  await lab.time.advance(HOUR)
  expect(await ask(lab)).toBe('at-2')
  expect(lab.provider.presented).toHaveLength(3)
  expect(await told(lab)).toMatchObject([
    { type: 'connection.suspect', code: 'outcome_unknown', generation: 1, http_status: null, by: 'itn_' },
    { type: 'connection.refreshed', generation: 2 },
  ])
})

test('a renewal says whether the refresh token changed', async () => {
  const lab = await overdue({ reuse: 'P4' })
  lab.provider.steps.push({ kind: 'no_refresh_token' })
  await ask(lab)
  await lab.time.advance(HOUR)
  await ask(lab)
  expect(await told(lab)).toMatchObject([
    { type: 'connection.refreshed', generation: 2, rotated: false },
    { type: 'connection.refreshed', generation: 3, rotated: true },
  ])
})
