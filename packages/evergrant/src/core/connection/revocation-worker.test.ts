import { describe, expect, test } from 'vitest'
import { systemEntropy } from '../../system.ts'
import { createApiLab } from '../../testing/api-lab.ts'
import type { LabOptions } from '../../testing/engine-lab.ts'
import { testSeal } from '../../testing/seal.ts'
import type { ProviderRequest, WireOutcome } from '../provider/wire.ts'
import { runRevocations } from './revocation-worker.ts'

const REVOKE = {
  url: 'https://provider.example/revoke',
  method: 'POST',
  clientAuth: 'body',
  format: 'form',
  token: 'refresh',
  parameter: 'token',
  parameters: {},
  reach: 'grant',
  fallback: null,
} as const
const record: NonNullable<LabOptions['record']> = { revoke: REVOKE }

const answered = (status: number): WireOutcome => ({ kind: 'answered', answer: { status, headers: {}, body: new Uint8Array(), text: '' } })

async function start(more: NonNullable<LabOptions['record']> = {}) {
  const lab = await createApiLab({ record: { ...record, ...more } })
  const sent: ProviderRequest[] = []
  const outcomes: WireOutcome[] = []
  const run = () =>
    runRevocations({
      connections: lab.store.connections,
      credentials: lab.store.credentials,
      contextOf: async (row) =>
        lab.engine.contexts.provider(await lab.engine.contexts.of(row.connection.integration), row.connection.variables, row.connection.facts),
      sendRequest: async (request) => {
        sent.push(request)
        return outcomes.shift() ?? answered(200)
      },
      seal: testSeal(),
      clock: lab.time.clock,
      entropy: systemEntropy,
      log: { info: () => {}, warn: () => {}, error: () => {} },
    })
  const types = async () => (await lab.call('GET', `/api/v1/events?connection=${lab.connection}`)).json.items.map((event: { type: string }) => event.type)
  return { lab, sent, outcomes, run, types }
}

describe('upstream revocation', () => {
  test('a disconnect tells the provider once, with the newest refresh token', async () => {
    const { lab, sent, run, types } = await start()
    expect((await lab.call('DELETE', `/api/v1/connections/${lab.connection}`)).json.revocation).toBe('queued')
    expect([await run(), await run()]).toEqual([1, 0])
    expect(sent).toHaveLength(1)
    expect(sent[0]).toMatchObject({ method: 'POST', url: 'https://provider.example/revoke' })
    expect(new URLSearchParams(sent[0]?.body ?? '').get('token')).toBe('rt-1')
    expect(await types()).toContain('connection.revocation_done')
  })

  test('a provider in trouble is told later, and nothing is forgotten meanwhile', async () => {
    const { lab, sent, outcomes, run, types } = await start()
    await lab.call('DELETE', `/api/v1/connections/${lab.connection}`)
    outcomes.push(answered(503), { kind: 'not_sent', cause: 'ECONNREFUSED' })
    expect(await run()).toBe(1)
    expect(await run()).toBe(0)
    await lab.time.advance(31_000)
    expect(await run()).toBe(1)
    await lab.time.advance(3_600_000)
    expect(await run()).toBe(1)
    expect(sent).toHaveLength(3)
    expect(await types()).toContain('connection.revocation_done')
  })

  test('a clear refusal ends it with an event, and the connection stays disconnected', async () => {
    const { lab, outcomes, run, types } = await start()
    await lab.call('DELETE', `/api/v1/connections/${lab.connection}`)
    outcomes.push(answered(400))
    await run()
    await lab.time.advance(3_600_000)
    expect(await run()).toBe(0)
    expect(await types()).toContain('connection.revocation_failed')
    expect((await lab.call('GET', `/api/v1/connections/${lab.connection}`)).json.status).toBe('disconnected')
  })

  test('while another connection lives on the same account, the provider is told nothing', async () => {
    const { lab, run } = await start()
    const { account } = (await lab.call('GET', `/api/v1/connections/${lab.connection}`)).json
    await lab.call('POST', '/api/v1/connections', { body: { integration: 'scripted', owner: 'sibling', account: account.id ?? 'acc', access_token: 'x' } })
    const expected = account.id === null ? 'queued' : 'sibling_lives'
    expect((await lab.call('DELETE', `/api/v1/connections/${lab.connection}`)).json.revocation).toBe(expected)
    expect(await run()).toBe(expected === 'queued' ? 1 : 0)
  })

  test.each([
    ['grant', 1, 'connection.revocation_failed'],
    ['token', 2, 'connection.revocation_done'],
  ] as const)(
    'an account that was connected again before the provider could be told keeps its new grant: where a revocation reaches the %s, %i were sent',
    async (reach, requests, told) => {
      const { lab, sent, outcomes, run, types } = await start({ revoke: { ...REVOKE, reach } })
      const { account } = (await lab.call('GET', `/api/v1/connections/${lab.connection}`)).json
      expect((await lab.call('DELETE', `/api/v1/connections/${lab.connection}`)).json.revocation).toBe('queued')
      outcomes.push(answered(503))
      await run()
      const again = { integration: 'scripted', owner: 'owner-1', account: account.id, access_token: 'new' }
      expect((await lab.call('POST', '/api/v1/connections', { body: again })).status).toBe(201)
      await lab.time.advance(31_000)
      expect(await run()).toBe(1)
      expect(sent).toHaveLength(requests)
      expect(await types()).toContain(told)
      await lab.time.advance(3_600_000)
      expect(await run()).toBe(0)
    },
  )

  test('credentials of a grant without a browser authenticate the client, and are never sent as a token', async () => {
    const { lab, sent, run } = await start({
      grant: 'client_credentials',
      revoke: { ...REVOKE, clientAuth: 'as_token', fallback: { ...REVOKE, clientAuth: 'as_token', token: 'access' } },
    })
    const credentials = { client_id: 'own', client_secret: 'own-secret' }
    const made = await lab.call('POST', '/api/v1/connections', { body: { integration: 'scripted', owner: 'customer', credentials, verify: false } })
    await lab.call('DELETE', `/api/v1/connections/${made.json.id}`)
    expect([await run(), sent]).toEqual([1, []])
    await lab.call('DELETE', `/api/v1/connections/${lab.connection}`)
    await run()
    expect(Object.fromEntries(new URLSearchParams(sent[0]?.body ?? ''))).toEqual({ token: 'at-1', client_id: 'client' })
  })
})
