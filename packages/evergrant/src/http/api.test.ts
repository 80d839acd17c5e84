import { beforeAll, describe, expect, test } from 'vitest'
import { type ApiLab, createApiLab } from '../testing/api-lab.ts'

let lab: ApiLab
beforeAll(async () => {
  lab = await createApiLab({ record: { revoke: null } })
})

const UNKNOWN = 'con_01890a5d-ac96-774b-bcce-b302099a8057'

describe('tokens', () => {
  test('a token is read with its generation and its end', async () => {
    const answer = await lab.call('GET', `/api/v1/connections/${lab.connection}/token`)
    expect(answer.status).toBe(200)
    expect(answer.json).toEqual({
      access_token: 'at-1',
      token_type: 'Bearer',
      expires_at: '2026-01-01T01:00:00.000Z',
      generation: 1,
      scopes: null,
      connection_id: lab.connection,
      status: 'active',
    })
    expect(answer.headers['cache-control']).toBe('no-store')
    expect(answer.headers['etag']).toBeUndefined()
  })

  test('a token is read by integration and owner', async () => {
    const answer = await lab.call('GET', '/api/v1/token?integration=scripted&owner=owner-1')
    expect(answer.status).toBe(200)
    expect(answer.json.access_token).toBe('at-1')
  })

  test('an owner without a connection is told so, and one with two gets their ids', async () => {
    const none = await lab.call('GET', '/api/v1/token?integration=scripted&owner=nobody')
    expect([none.status, none.json.code]).toEqual([404, 'not_found'])
    for (const account of ['a', 'b']) await lab.call('POST', '/api/v1/connections', { body: { integration: 'scripted', owner: 'two', account, refresh_token: `rt-${account}` } })
    const two = await lab.call('GET', '/api/v1/token?integration=scripted&owner=two')
    expect([two.status, two.json.code]).toEqual([409, 'conflict'])
    expect(two.json.detail).toMatch(/con_.*con_/)
  })

  test('a refresh that cannot happen is a problem with the provider named', async () => {
    const made = await lab.call('POST', '/api/v1/connections', { body: { integration: 'scripted', owner: 'access-only', access_token: 'only', expires_at: '2027-01-01T00:00:00Z' } })
    const answer = await lab.call('POST', `/api/v1/connections/${made.json.id}/refresh`)
    expect([answer.status, answer.json.code]).toEqual([409, 'refresh_not_supported'])
    expect(answer.json.type).toBe('https://evergrant.example/docs/errors#refresh_not_supported')
  })
})
