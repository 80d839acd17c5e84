import { afterEach, expect, test } from 'vitest'
import { ConnectionChecks } from '../core/connection/check-connection.ts'
import { RoutineChecks } from '../core/connection/routine-checks.ts'
import { QuotaBook } from '../core/pacing/quota-book.ts'
import { HOUR, MINUTE } from '../core/time.ts'
import { createAddressGuard } from '../outbound/address-guard.ts'
import { createProviderClient } from '../outbound/provider-client.ts'
import { systemEntropy, systemTimers } from '../system.ts'
import { createPushLab, type PushLab } from '../testing/push-lab.ts'
import { testSeal } from '../testing/seal.ts'

let lab: PushLab
afterEach(() => lab.close())

const run = async () => (await lab.call('POST', `/api/v1/connections/${lab.connection}/test`)).json
const connection = async () => (await lab.call('GET', `/api/v1/connections/${lab.connection}`)).json

test('a token that works is verified, and its age is shown', async () => {
  lab = await createPushLab(null)
  expect(await connection()).toMatchObject({ last_check: null, last_verified_at: null, last_verified_age_seconds: null })
  expect(await run()).toMatchObject({ result: 'works', http_status: 200, renewed: false, needs_reauth: false })
  await lab.time.advance(10 * MINUTE)
  expect(await connection()).toMatchObject({ last_check: { result: 'works', http_status: 200 }, last_verified_age_seconds: 600, status: 'active' })
  lab.api.status = 503
  expect(await run()).toMatchObject({ result: 'unreachable', http_status: 503 })
  expect(await connection()).toMatchObject({ last_check: { result: 'unreachable' }, last_verified_age_seconds: 600, status: 'active' })
})

test('a refused token is renewed once and tried again; a refusal of the renewed one is told and ends nothing', async () => {
  lab = await createPushLab(null)
  lab.api.status = 401
  expect(await run()).toMatchObject({ result: 'rejected', code: 'upstream_token_refused', renewed: true, needs_reauth: false })
  expect([lab.api.calls, lab.provider.presented.length]).toEqual([2, 1])
  expect(await connection()).toMatchObject({ status: 'active' })
})

test('a grant that the provider refuses to renew is over by the word of the engine', async () => {
  lab = await createPushLab(null)
  lab.api.status = 401
  lab.provider.familyAlive = false
  expect(await run()).toMatchObject({ result: 'rejected', code: 'connection_revoked', needs_reauth: true })
  expect(await run()).toMatchObject({ result: 'rejected', needs_reauth: true })
  expect(await connection()).toMatchObject({ status: 'needs_reauth', last_check: { result: 'rejected' } })
})

test('missing scopes and throttling are told apart from a refused token', async () => {
  lab = await createPushLab(null)
  lab.api.status = 403
  lab.api.headers = { 'www-authenticate': 'Bearer error="insufficient_scope"' }
  expect(await run()).toMatchObject({ result: 'scope_missing', http_status: 403 })
  lab.api.status = 429
  lab.api.headers = { 'retry-after': '120' }
  const throttled = await run()
  expect(throttled).toMatchObject({ result: 'throttled', http_status: 429 })
  expect(Date.parse(throttled.retry_at) - Date.parse(throttled.checked_at)).toBe(120_000)
  expect(lab.provider.presented).toEqual([])
})

test('where nothing is known to call, only the age of the last refresh is told', async () => {
  lab = await createPushLab(null, { checks: false })
  expect(await run()).toMatchObject({ result: 'not_known', http_status: null })
})

test('a condition of the record decides, not the status', async () => {
  const base = await createPushLab(null)
  const url = base.directory.get('scripted')?.check?.request.url ?? ''
  lab = await createPushLab(null, { record: { check: { request: { url }, where: { ok: true } } } })
  base.api.body = '{"ok":false}'
  expect(await run()).toMatchObject({ result: 'rejected', renewed: true })
  base.api.body = '<html>maintenance</html>'
  expect(await run()).toMatchObject({ result: 'unreachable' })
  await base.close()
})

test('a check counts against the quotas of the provider, and makes no call that is known to fail', async () => {
  const header = (name: string) => ({ header: name, at: 0 })
  const api = [{ name: 'quarter_hour', limit: header('x-limit'), used: header('x-used'), windowSeconds: 900, aligned: true }]
  lab = await createPushLab(null, { record: { limits: { api } } })
  lab.api.headers = { 'x-limit': '100', 'x-used': '100' }
  expect(await run()).toMatchObject({ result: 'works' })
  expect(await run()).toMatchObject({ result: 'throttled', http_status: null, detail: 'no call was made: the quota quarter_hour is used up' })
  expect(lab.api.calls).toBe(1)
  await lab.time.advance(16 * MINUTE)
  expect(await run()).toMatchObject({ result: 'works' })
})

test('paused and disconnected connections are not tested', async () => {
  lab = await createPushLab(null)
  await lab.call('POST', `/api/v1/connections/${lab.connection}/pause`)
  expect(await run()).toMatchObject({ code: 'connection_paused' })
  expect(lab.api.calls).toBe(0)
})

test('only a change of the result is an event', async () => {
  lab = await createPushLab(null)
  await run()
  await run()
  lab.api.status = 503
  await run()
  expect((await lab.eventsOf('connection.checked')).map(({ data }) => [data['was'], data['result']])).toEqual([
    ['works', 'unreachable'],
    [null, 'works'],
  ])
})

/** The checks of the lab as a node runs them by itself. */
function routine(): RoutineChecks {
  const { store, engine, directory, time } = lab
  const log = { info: () => {}, warn: () => {}, error: () => {} }
  const ports = { clock: time.clock, entropy: systemEntropy, seal: testSeal(), log, checks: store.checks, connections: store.connections }
  const client = createProviderClient({ guard: createAddressGuard({ allowPrivateHosts: [], development: true }), timers: systemTimers })
  const check = new ConnectionChecks({
    ...ports,
    engine,
    contexts: engine.contexts,
    pacing: new QuotaBook({ clock: time.clock, timers: time.timers, quotas: store.quotas, log }),
    sendRequest: (request) => client.sendRequest(request),
  })
  const { integrations, organizations } = store
  return new RoutineChecks({ ...ports, check, integrations, organizations, providers: directory, contexts: engine.contexts })
}

/** Ids are made at the real time, and the plan leaves the youngest alone. */
const settle = () => lab.time.setWall(Date.now() + HOUR)

test('an integration that wants it is checked by itself, with the stored token, at its pace, and is no reader', async () => {
  lab = await createPushLab(null, { lifetimeMs: 10 * 365 * 24 * HOUR })
  settle()
  const checks = routine()
  await checks.plan()
  await lab.time.advance(HOUR)
  expect(await checks.run()).toBe(0)
  await lab.call('PATCH', '/api/v1/integrations/scripted', { body: { settings: { check_every_seconds: 3_600 } } })
  await checks.plan()
  await lab.time.advance(HOUR)
  expect([await checks.run(), await checks.run(), lab.api.calls]).toEqual([1, 0, 1])
  await lab.time.advance(HOUR)
  expect([await checks.run(), lab.api.calls]).toEqual([1, 2])
  expect(await connection()).toMatchObject({ last_check: { result: 'works' }, last_read_at: null })
  await lab.call('PATCH', '/api/v1/integrations/scripted', { body: { settings: { check_every_seconds: null } } })
  await lab.time.advance(HOUR)
  expect([await checks.run(), await checks.run(), lab.api.calls]).toEqual([1, 0, 2])
})

test('what the provider demands is kept, and an API that asks for patience gets it', async () => {
  const base = await createPushLab(null)
  const url = base.directory.get('scripted')?.check?.request.url ?? ''
  lab = await createPushLab(null, { lifetimeMs: 10 * 365 * 24 * HOUR, record: { check: { request: { url }, everySeconds: 3_600 } } })
  await lab.connect('bob')
  settle()
  const checks = routine()
  await checks.plan()
  await lab.time.advance(HOUR)
  base.api.status = 429
  base.api.headers = { 'retry-after': '7200' }
  expect(await checks.run()).toBe(2)
  await lab.time.advance(HOUR + 30 * MINUTE)
  expect(await checks.run()).toBe(0)
  expect(base.api.calls).toBeGreaterThan(0)
  await base.close()
})

test('a token that is out is not renewed for a routine check', async () => {
  lab = await createPushLab(null, { settings: { checkEveryMs: HOUR } })
  settle()
  const checks = routine()
  await checks.plan()
  await lab.time.advance(2 * HOUR)
  expect([await checks.run(), lab.api.calls, lab.provider.presented.length]).toEqual([1, 0, 0])
})
