import { describe, expect, test } from 'vitest'
import { defineProvider } from '../../providers/define.ts'
import { systemEntropy } from '../../system.ts'
import { createEngineLab, type EngineLab, type LabOptions } from '../../testing/engine-lab.ts'
import type { ConnectionState } from '../connection/connection.ts'
import { newId } from '../ids.ts'
import { DAY, HOUR, MINUTE } from '../time.ts'
import { grantEnd, type LifetimeInput, NO_END, nextWarnAt, warningDue } from './grant-lifetime.ts'
import { warnOfEnds } from './lifetime-warnings.ts'
import { newCredential } from './new-credential.ts'

const NONE = {
  refreshIdleSeconds: null,
  refreshAbsoluteSeconds: null,
  absoluteFrom: 'consent' as const,
  absoluteSince: null,
} as unknown as LifetimeInput['record']['lifetimes']
const YEAR = { ...NONE, refreshAbsoluteSeconds: 365 * 86_400 }
const CREDENTIAL = { refreshToken: new Uint8Array(1), obtainedAt: 0, accessExpiresAt: HOUR, refreshExpiresAt: null }

const ends = (change: Partial<LifetimeInput>) =>
  grantEnd({ record: { lifetimes: NONE }, consentedAt: 0, credential: CREDENTIAL, before: null, now: 0, ...change })

describe('the end that no refresh extends', () => {
  test('is not known where the record names none and the provider tells none', () => {
    expect(ends({})).toEqual(NO_END)
  })

  test('counts from the consent, whatever is refreshed meanwhile', () => {
    const record = { lifetimes: YEAR }
    expect(ends({ record })).toEqual({ at: 365 * DAY, warnAt: 335 * DAY })
    const credential = { ...CREDENTIAL, obtainedAt: 100 * DAY, accessExpiresAt: 100 * DAY + HOUR }
    const before = { obtainedAt: 99 * DAY, refreshExpiresAt: null, endsAt: 365 * DAY }
    expect(ends({ record, credential, before, now: 100 * DAY }).at).toBe(365 * DAY)
  })

  test('is what the answer tells, and an answer that does not repeat it does not take it back', () => {
    const { answer, lifetimes } = defineProvider({ id: 'hard', name: 'Hard', answer: { paths: { grantExpiresIn: 'hard_expires_in' } } })
    const record = { answer, lifetimes }
    expect(ends({ record, grantExpiresAt: 100 * DAY })).toEqual({ at: 100 * DAY, warnAt: 70 * DAY })
    const before = { obtainedAt: 0, refreshExpiresAt: null, endsAt: 100 * DAY }
    const credential = { ...CREDENTIAL, obtainedAt: DAY, accessExpiresAt: DAY + HOUR }
    expect(ends({ record, credential, before, now: DAY }).at).toBe(100 * DAY)
    expect(ends({ record, credential, before, now: DAY, grantExpiresAt: 50 * DAY }).at).toBe(50 * DAY)
    expect(ends({ credential, before, now: DAY })).toEqual(NO_END)
  })

  test('is not guessed for an imported grant whose consent is not known', () => {
    expect(ends({ record: { lifetimes: YEAR }, consentedAt: null })).toEqual(NO_END)
  })

  test('is not there where every refresh starts the lifetime anew', () => {
    expect(ends({ record: { lifetimes: { ...YEAR, absoluteFrom: 'issue' } } })).toEqual(NO_END)
    const credential = { ...CREDENTIAL, obtainedAt: 10 * DAY, refreshExpiresAt: 100 * DAY }
    expect(ends({ credential, before: { obtainedAt: 0, refreshExpiresAt: 90 * DAY, endsAt: null } })).toEqual(NO_END)
  })

  test('is what the provider tells, once it has told the same twice; seconds of travel do not make it another', () => {
    const first = { ...CREDENTIAL, refreshExpiresAt: 90 * DAY }
    expect(ends({ credential: first })).toEqual(NO_END)
    const second = { ...CREDENTIAL, obtainedAt: HOUR, refreshExpiresAt: 90 * DAY + 2_000 }
    const known = ends({ credential: second, before: { obtainedAt: 0, refreshExpiresAt: 90 * DAY, endsAt: null }, now: HOUR })
    expect(known).toEqual({ at: 90 * DAY + 2_000, warnAt: 60 * DAY + 2_000 })
    const third = { ...CREDENTIAL, obtainedAt: 2 * HOUR, refreshExpiresAt: 90 * DAY - 1_000 }
    expect(ends({ credential: third, before: { obtainedAt: HOUR, refreshExpiresAt: second.refreshExpiresAt, endsAt: known.at }, now: 2 * HOUR }).at).toBe(
      known.at,
    )
  })

  test('is the end of the access token where there is no refresh token', () => {
    const credential = { ...CREDENTIAL, refreshToken: null, accessExpiresAt: 60 * DAY }
    expect(ends({ credential })).toEqual({ at: 60 * DAY, warnAt: 30 * DAY })
  })

  test('is warned of only from where the grant exists: a day-long token is not, a grant that is imported late is at once', () => {
    expect(ends({ credential: { ...CREDENTIAL, refreshToken: null, accessExpiresAt: DAY } }).warnAt).toBe(DAY)
    expect(ends({ credential: { ...CREDENTIAL, refreshToken: null, accessExpiresAt: 20 * DAY } }).warnAt).toBe(13 * DAY)
    expect(ends({ record: { lifetimes: YEAR }, now: 360 * DAY }).warnAt).toBe(358 * DAY)
    expect(ends({ record: { lifetimes: YEAR }, now: 400 * DAY })).toEqual({ at: 365 * DAY, warnAt: null })
  })
})

test('the next warning and the one that is due follow from the end and the time alone', () => {
  expect([0, 70, 93, 99].map((day) => nextWarnAt(100 * DAY, day * DAY))).toEqual([70 * DAY, 93 * DAY, 99 * DAY, 100 * DAY])
  expect(nextWarnAt(100 * DAY, 100 * DAY)).toBe(null)
  expect([69, 70, 92, 93, 99, 100].map((day) => warningDue(100 * DAY, day * DAY))).toEqual([null, 30, 30, 7, 1, null])
})

const LIFE = { refreshAbsoluteSeconds: 100 * 86_400, absoluteFrom: 'consent' } as const

async function labOf(options: LabOptions = {}): Promise<EngineLab> {
  const lab = await createEngineLab({ reuse: 'P4', ...options, record: { lifetimes: LIFE, ...options.record } })
  await renew(lab)
  return lab
}

async function renew(lab: EngineLab) {
  await lab.time.advance(MINUTE)
  return lab.engine.refresh(lab.organization, lab.connection)
}

const warn = (lab: EngineLab) => warnOfEnds({ clock: lab.time.clock, entropy: systemEntropy, credentials: lab.store.credentials })

const warnings = async (lab: EngineLab) =>
  (await lab.store.events.list(lab.organization, {}, { limit: 200, cursor: null })).items
    .filter((event) => event.type === 'connection.expires_soon')
    .map(({ data }) => [data['warning_days'], data['days_left']])
    .reverse()

describe('warnings of a grant that ends 100 days after its consent', () => {
  test('come once each, 30, 7 and 1 days before, however often they are looked for and refreshed in between', async () => {
    const lab = await labOf()
    const { endsAt } = (await lab.row()).health
    for (let day = 1; day < 100; day += 1) {
      await lab.time.advance(DAY)
      await warn(lab)
      await warn(lab)
      await renew(lab)
      expect((await lab.row()).health.endsAt).toBe(endsAt)
    }
    expect(await warnings(lab)).toEqual([
      [30, 30],
      [7, 7],
      [1, 1],
    ])
  })

  test('are not made up for one by one after a long stop: the one that counts is told, with the days that are left', async () => {
    const lab = await labOf()
    await lab.time.advance(95 * DAY)
    await warn(lab)
    expect(await warnings(lab)).toEqual([[7, 5]])
  })

  test('are written once by two nodes at the same moment', async () => {
    const lab = await labOf()
    await lab.time.advance(80 * DAY)
    await Promise.all([warn(lab), warn(lab), warn(lab)])
    expect(await warnings(lab)).toHaveLength(1)
  })

  test('are not for a connection that is disconnected or needs a reconnect already', async () => {
    for (const state of ['disconnected', 'needs_reauth'] as const satisfies readonly ConnectionState[]) {
      const lab = await labOf()
      await end(lab, state)
      await lab.time.advance(80 * DAY)
      await warn(lab)
      expect(await warnings(lab), state).toEqual([])
    }
  })

  test('begin anew with a reconnect', async () => {
    const lab = await labOf()
    await lab.time.advance(80 * DAY)
    await warn(lab)
    await reconnect(lab)
    await lab.time.advance(71 * DAY)
    await warn(lab)
    expect(await warnings(lab)).toEqual([
      [30, 20],
      [30, 29],
    ])
  })
})

describe('at the end itself', () => {
  test('the provider is asked, and its refusal is recorded once as what it is: an expired grant', async () => {
    const lab = await labOf()
    await lab.time.advance(101 * DAY)
    await warn(lab)
    lab.provider.familyAlive = false
    expect(await lab.engine.runDue()).toBe(1)
    await expect.poll(async () => (await lab.row()).connection).toMatchObject({ state: 'needs_reauth', fault: { code: 'connection_expired' } })
    await warn(lab)
    expect(await lab.engine.runDue()).toBe(0)
    const events = (await lab.store.events.list(lab.organization, {}, { limit: 200, cursor: null })).items
    expect(events.filter((event) => event.type === 'connection.needs_reauth')).toHaveLength(1)
  })

  test('a provider that still answers is believed: nothing ends by our clock', async () => {
    const lab = await labOf()
    await lab.time.advance(101 * DAY)
    await warn(lab)
    expect(await lab.engine.runDue()).toBe(1)
    await expect.poll(async () => (await lab.row()).credential.generation).toBe(3)
    expect((await lab.row()).connection.state).toBe('active')
  })
})

const event = (lab: EngineLab, type: 'connection.disconnected' | 'connection.needs_reauth' | 'connection.reconnected') => ({
  id: newId('evt', systemEntropy),
  organization: lab.organization,
  type,
  at: lab.time.clock.wall(),
  actor: { kind: 'system', id: null } as const,
  connection: lab.connection,
  subject: null,
  data: {},
})

async function end(lab: EngineLab, state: 'disconnected' | 'needs_reauth'): Promise<void> {
  const { organization, connection } = lab
  if (state === 'disconnected') {
    await lab.store.connections.disconnect({
      organization,
      connection,
      at: lab.time.clock.wall(),
      event: event(lab, 'connection.disconnected'),
      revocation: null,
    })
    return
  }
  lab.provider.familyAlive = false
  await renew(lab).catch(() => {})
  expect((await lab.row()).connection.state).toBe('needs_reauth')
}

async function reconnect(lab: EngineLab): Promise<void> {
  const { organization, connection } = lab
  const now = lab.time.clock.wall()
  const row = await lab.row()
  const record = lab.directory.get('scripted')
  if (record === undefined) throw new Error('no record')
  const tokens = { accessToken: 'at-9', refreshToken: 'rt-9', tokenType: 'Bearer', accessExpiresAt: now + HOUR, refreshExpiresAt: null }
  const { testSeal } = await import('../../testing/seal.ts')
  const generation = row.credential.generation + 1
  const credential = newCredential(
    { organization, connection, generation, tokens, obtainedAt: now, record, settings: { marginMs: null } },
    testSeal(),
    systemEntropy,
  )
  await lab.store.connections.replaceGrant({
    organization,
    connection,
    expectedGeneration: row.credential.generation,
    credential,
    account: 'ada',
    accountLabel: null,
    scopes: null,
    variables: {},
    facts: {},
    consentedAt: now,
    dueAt: null,
    end: grantEnd({ record, consentedAt: now, credential, before: null, now }),
    event: event(lab, 'connection.reconnected'),
  })
}
