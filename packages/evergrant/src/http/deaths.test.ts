import { beforeEach, expect, test } from 'vitest'
import { newId } from '../core/ids.ts'
import { deathReport } from '../core/refresh/death-watch.ts'
import { protocolTimes } from '../core/refresh/protocol-times.ts'
import { systemEntropy } from '../system.ts'
import { type ApiLab, createApiLab } from '../testing/api-lab.ts'

let lab: ApiLab

/** One refused grant, where none is believed: its end is held. */
beforeEach(async () => {
  lab = await createApiLab()
  const row = await lab.row()
  const at = lab.time.clock.wall()
  const evidence = { intent: null, httpStatus: 400, providerCode: 'invalid_grant', providerText: null, answerHash: null }
  const fault = { code: 'connection_revoked' as const, at, evidence }
  await lab.store.credentials.commitFailure({
    connection: lab.connection,
    organization: lab.organization,
    intent: null,
    attempt: newId('itn', systemEntropy),
    presentedGeneration: 1,
    answer: null,
    effect: 'dead',
    answered: false,
    fault,
    countsAsFailure: true,
    nextAttemptAt: null,
    dueAt: null,
    event: null,
    death: { ...deathReport({ row, fault, refreshes: 3 }, protocolTimes(), systemEntropy), limit: 0 },
  })
})

/** The node's own work between two requests. */
async function settle(): Promise<void> {
  await lab.engine.runDue()
  await lab.time.advance(6_000)
  await lab.engine.runDue()
  await lab.time.advance(1_000)
}

const integration = async () => (await lab.call('GET', '/api/v1/integrations/scripted')).json
const connection = async () => (await lab.call('GET', `/api/v1/connections/${lab.connection}`)).json
const decide = (decision: string, options = {}) => lab.call('POST', `/api/v1/integrations/scripted/deaths/${decision}`, options)

test('an integration and its connections say that ends are held, and a token that lives is served', async () => {
  expect((await integration()).deaths_held).toEqual({ since: '2026-01-01T00:00:00.000Z', deaths: 1, agreements: 0, decision: null })
  expect(await connection()).toMatchObject({ status: 'active', fault: { code: 'deaths_held', action: 'wait', evidence: { provider_code: 'invalid_grant' } } })
  expect((await lab.call('GET', `/api/v1/connections/${lab.connection}/token`)).json.access_token).toBe('at-1')
  const refused = await lab.call('POST', `/api/v1/connections/${lab.connection}/refresh`)
  expect([refused.status, refused.json.code, refused.json.needs_reauth]).toEqual([503, 'deaths_held', false])
})

test('confirmed, the grant is over with the fault that the provider gave, and the event says who confirmed', async () => {
  const confirmed = await decide('confirm')
  expect([confirmed.status, confirmed.json.deaths_held.decision]).toEqual([200, 'confirm'])
  expect((await decide('release')).json).toMatchObject({ code: 'conflict', detail: expect.stringContaining('decided already (confirm)') })
  await settle()
  expect((await integration()).deaths_held).toBeNull()
  expect(await connection()).toMatchObject({ status: 'needs_reauth', fault: { code: 'connection_revoked' } })
  const { items } = (await lab.call('GET', '/api/v1/events?type=integration.deaths_confirmed')).json
  expect(items).toMatchObject([{ data: { by: 'operator' }, actor: { kind: 'api_key' } }])
})

test('released, the grant goes back to work and its fault is gone', async () => {
  expect((await decide('release')).status).toBe(200)
  await settle()
  expect((await integration()).deaths_held).toBeNull()
  expect(await connection()).toMatchObject({ status: 'active', fault: null })
})

test('where nothing is held there is nothing to decide; another organization and a reader may not', async () => {
  await decide('release')
  await settle()
  const nothing = await decide('confirm')
  expect([nothing.status, nothing.json.code, nothing.json.detail]).toEqual([409, 'conflict', expect.stringContaining('No ends of scripted are held')])
  expect((await decide('confirm', { key: await lab.keyFor(['integrations:read']) })).status).toBe(403)
  expect((await lab.call('POST', '/api/v1/integrations/nowhere/deaths/confirm')).status).toBe(404)
})
