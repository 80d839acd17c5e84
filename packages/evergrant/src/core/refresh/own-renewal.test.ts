import { describe, expect, test } from 'vitest'
import { createApiLab } from '../../testing/api-lab.ts'
import { setDueAt } from '../../testing/due-time.ts'
import { createEngineLab, type LabOptions } from '../../testing/engine-lab.ts'
import { settle } from '../../testing/settle.ts'
import { Fault } from '../fault/fault.ts'
import { DAY, HOUR, MINUTE } from '../time.ts'

async function faultOf(promise: Promise<unknown>): Promise<Fault> {
  const fault = await promise.then(
    () => null,
    (error: unknown) => error,
  )
  if (fault instanceof Fault) return fault
  throw new Error(`expected a fault, got ${String(fault)}`)
}

/** The scripted provider looks for what is presented under its usual name. */
const refresh = { presents: 'access_token', rename: { access_token: 'refresh_token' }, minimumAgeSeconds: 86_400 } as const
const ITSELF: LabOptions = {
  lifetimeMs: 60 * DAY,
  refreshToken: null,
  record: { token: { url: 'https://provider.example/token', refreshParameters: { grant_type: 'renew' }, refresh }, lifetimes: { accessSeconds: 60 * 86_400 } },
}
const answer = (token: string, seconds: number | null = 60 * 86_400) => ({
  kind: 'answer' as const,
  status: 200,
  body: JSON.stringify({ access_token: token, token_type: 'bearer', ...(seconds === null ? {} : { expires_in: seconds }) }),
})

describe('an access token that renews itself', () => {
  test('is what the refresh presents, and the new one is what the next presents', async () => {
    const lab = await createEngineLab(ITSELF)
    for (const step of [answer('at-2'), answer('at-3', null)]) {
      lab.provider.steps.push(step)
      await lab.time.advance(40 * DAY)
      await settle(lab, lab.engine.refresh(lab.organization, lab.connection))
    }
    expect(lab.provider.presented).toEqual(['at-1', 'at-2'])
    expect((await lab.read()).accessToken).toBe('at-3')
    const { credential } = await lab.row()
    expect(credential.generation).toBe(3)
    expect(credential.refreshExpiresAt).toBe(credential.accessExpiresAt)
  })

  test('is renewed long before it ends, whoever reads it', async () => {
    const lab = await createEngineLab(ITSELF)
    lab.provider.steps.push(answer('at-2'))
    await settle(
      lab,
      lab.engine.refresh(lab.organization, lab.connection).catch(() => {}),
    )
    await lab.time.advance(2 * DAY)
    await settle(lab, lab.engine.refresh(lab.organization, lab.connection))
    const due = await lab.store.credentials.takeDue(10, 1_000)
    expect(due).toEqual([])
    await lab.time.advance(20 * DAY)
    expect(await lab.store.credentials.takeDue(10, 1_000)).toHaveLength(1)
  })

  test('cannot be presented once it has ended: the grant is over, and nothing is sent', async () => {
    const lab = await createEngineLab(ITSELF)
    await lab.time.advance(60 * DAY)
    expect((await faultOf(lab.read())).code).toBe('connection_expired')
    expect((await faultOf(settle(lab, lab.engine.refresh(lab.organization, lab.connection)))).code).toBe('connection_expired')
    expect(lab.provider.presented).toEqual([])
    expect((await lab.row()).connection).toMatchObject({ state: 'needs_reauth', fault: { code: 'connection_expired' } })
  })

  test('has not ended for good by a clock that was wrong', async () => {
    const lab = await createEngineLab(ITSELF)
    const now = lab.time.clock.wall()
    lab.time.setWall(now + 90 * DAY)
    expect((await faultOf(lab.read())).code).toBe('connection_expired')
    lab.time.setWall(now + 2 * DAY)
    expect((await lab.read()).accessToken).toBe('at-1')
    lab.provider.steps.push(answer('at-2'))
    await settle(lab, lab.engine.refresh(lab.organization, lab.connection))
    expect((await lab.row()).connection.state).toBe('active')
  })

  test('can be imported, is renewed from then on, and is missed where only a refresh token is given', async () => {
    const lab = await createApiLab(ITSELF)
    const grant = { integration: 'scripted', owner: 'bob', account: 'b', expires_at: new Date(lab.time.clock.wall() + 50 * DAY).toISOString() }
    const without = await lab.call('POST', '/api/v1/connections', { body: { ...grant, refresh_token: 'rt' } })
    expect(without.json).toMatchObject({ status: 400, field: '/access_token' })
    const made = await lab.call('POST', '/api/v1/connections', { body: { ...grant, access_token: 'mine' } })
    expect([made.status, made.json.refreshable]).toEqual([201, true])
    await lab.time.advance(40 * DAY)
    lab.provider.steps.push(answer('theirs'))
    await settle(lab, lab.engine.refresh(lab.organization, made.json.id))
    expect(lab.provider.presented).toEqual(['mine'])
  })

  test('is presented at most once at a provider that punishes a second time, as any refresh token', async () => {
    const lab = await createEngineLab(ITSELF)
    await lab.time.advance(2 * DAY)
    lab.provider.steps.push({ kind: 'silent' })
    const forced = lab.engine.refresh(lab.organization, lab.connection).catch(() => {})
    await settle(lab, Promise.resolve())
    await lab.time.advance(5 * MINUTE)
    await forced
    expect((await lab.row()).credential.suspicion).not.toBeNull()
    expect((await lab.read()).accessToken).toBe('at-1')
    expect((await faultOf(settle(lab, lab.engine.refresh(lab.organization, lab.connection)))).code).toBe('outcome_unknown')
    expect(lab.provider.presented).toEqual(['at-1'])
  })
})

describe('a token that is too young to be renewed', () => {
  test('is presented neither by force nor after a 401, and both are told when it will be', async () => {
    const lab = await createEngineLab(ITSELF)
    const from = lab.time.clock.wall() + DAY + MINUTE
    await lab.time.advance(HOUR)
    const forced = await faultOf(settle(lab, lab.engine.refresh(lab.organization, lab.connection)))
    const rejected = await faultOf(settle(lab, lab.read(0, 1)))
    for (const fault of [forced, rejected]) expect([fault.code, fault.details.retryAt]).toEqual(['refresh_too_early', from])
    expect(lab.provider.presented).toEqual([])
    expect((await lab.read()).accessToken).toBe('at-1')
  })

  test('comes up again when it is old enough, if it was due before', async () => {
    const lab = await createEngineLab({ ...ITSELF, lifetimeMs: 60 * HOUR })
    await lab.time.advance(21 * HOUR)
    await setDueAt(lab.store, lab.connection, lab.time.clock.wall())
    await settle(lab, lab.engine.runDue())
    expect(lab.provider.presented).toEqual([])
    lab.provider.steps.push(answer('at-2'))
    await lab.time.advance(4 * HOUR)
    await settle(lab, lab.engine.runDue())
    expect(lab.provider.presented).toEqual(['at-1'])
  })

  test('is served meanwhile, even where its lifetime would ask for a renewal', async () => {
    const lab = await createEngineLab({ ...ITSELF, lifetimeMs: DAY + 2 * HOUR })
    await lab.time.advance(DAY)
    expect((await lab.read()).accessToken).toBe('at-1')
    expect(lab.provider.presented).toEqual([])
  })
})

const PROLONGS: LabOptions = {
  reuse: 'P4',
  lifetimeMs: 30 * DAY,
  record: {
    token: { url: 'https://provider.example/token', refresh: { prolongs: true } },
    answer: { success: { path: 'result', equals: '0000', step: 'refresh' } },
    lifetimes: { accessSeconds: 30 * 86_400 },
  },
}
const said = (result: string, status = 200) => ({ kind: 'answer' as const, status, body: JSON.stringify({ result, message: 'said' }) })

describe('a success without a token', () => {
  test('prolongs the one that we hold, counted from when it was asked for', async () => {
    const lab = await createEngineLab(PROLONGS)
    await lab.time.advance(29 * DAY)
    const asked = lab.time.clock.wall()
    lab.provider.steps.push(said('0000'))
    expect(await settle(lab, lab.read())).toMatchObject({ accessToken: 'at-1', generation: 2, expiresAt: asked + 30 * DAY, tokenType: 'Bearer' })
    const { credential } = await lab.row()
    expect(credential).toMatchObject({ generation: 2, accessExpiresAt: asked + 30 * DAY, intent: null, suspicion: null })
    lab.provider.steps.push(said('0000'))
    await lab.time.advance(29 * DAY)
    await settle(lab, lab.read())
    expect(lab.provider.presented).toEqual(['rt-1', 'rt-1'])
  })

  test.each([
    ['another result', said('5003')],
    ['an error status', said('0000', 500)],
  ])('is none with %s: nothing is prolonged, and nothing ends', async (_name, step) => {
    const lab = await createEngineLab(PROLONGS)
    await lab.time.advance(29 * DAY)
    lab.provider.steps.push(step)
    await settle(
      lab,
      lab.engine.refresh(lab.organization, lab.connection).catch(() => {}),
    )
    const row = await lab.row()
    expect(row.credential.generation).toBe(1)
    expect(row.connection.state).toBe('active')
  })

  test('that only the journal has prolongs the token after a restart', async () => {
    const away = () => Promise.reject(new Error('the database is away'))
    const lab = await createEngineLab({ ...PROLONGS, ports: ({ credentials }) => ({ credentials: { ...credentials, commitGrant: away } }) })
    await lab.time.advance(29 * DAY)
    const asked = lab.time.clock.wall()
    lab.provider.steps.push(said('0000'))
    lab.read().catch(() => {})
    await settle(lab, Promise.resolve())
    expect((await lab.row()).credential.generation).toBe(1)
    const restarted = lab.another({ node: { id: 'node-1', incarnation: 'second' }, credentials: lab.store.credentials })
    expect(await restarted.recover()).toMatchObject({ replayed: 1 })
    const request = { organization: lab.organization, connection: lab.connection, minTtlMs: 0, rejectedGeneration: null }
    expect(await settle(lab, restarted.token(request))).toMatchObject({ accessToken: 'at-1', generation: 2, expiresAt: asked + 30 * DAY })
    expect(lab.provider.presented).toEqual(['rt-1'])
  })

  test('that came for an older token is kept beside the newer one, and prolongs nothing', async () => {
    const lab = await createEngineLab(PROLONGS)
    await lab.time.advance(29 * DAY)
    lab.provider.steps.push(said('0000'))
    await settle(lab, lab.read())
    const [record] = lab.journal.records
    if (record === undefined) throw new Error('nothing was journaled')
    const newer = (await lab.row()).credential.accessExpiresAt
    await lab.journal.append({ ...record, intent: 'itn_other' })
    await lab.time.advance(DAY)
    await lab.another({ node: { id: 'node-1', incarnation: 'second' } }).recover()
    expect(lab.journal.settled).toContain('itn_other')
    expect((await lab.row()).credential).toMatchObject({ generation: 2, accessExpiresAt: newer })
  })
})
