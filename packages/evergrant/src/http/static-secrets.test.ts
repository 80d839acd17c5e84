import { describe, expect, test, vi } from 'vitest'
import type { Reply } from '../testing/answering-endpoint.ts'
import type { ApiLab } from '../testing/api-lab.ts'
import { anotherKey, eventsOf, HOUR, MINUTE, type RecordDraft, readConnection, refusedFor, startMachineLab, tokenOf } from '../testing/machine-lab.ts'

/** Two minutes of the death runner. */
async function settled(lab: ApiLab): Promise<void> {
  for (let round = 0; round < 12; round++) {
    await lab.time.advance(10_000)
    await lab.engine.runDue()
  }
}

describe('a static secret', () => {
  const api = { base: 'https://provider.example/v1' }
  const KEY: RecordDraft = { grant: 'api_key', api, check: { request: { url: 'https://provider.example/v1/me' } } }
  const credentials = { api_key: 'key-one' }
  const works: Reply = { status: 200, body: { id: 1 } }
  const unauthorized: Reply = { status: 401, body: { message: 'bad key key-one' } }

  test('is tried with the check of its record, kept without an end, and read', async () => {
    const { lab, endpoint, create } = await startMachineLab(KEY, () => works)
    const made = await create({ credentials })
    expect([made.status, made.json.grant, made.json.refreshable, made.json.expires_at, made.json.due_at]).toEqual([201, 'api_key', false, null, null])
    expect(endpoint.sent[0]).toMatchObject({ url: 'https://provider.example/v1/me', headers: { authorization: 'Bearer key-one' } })
    await lab.time.advance(400 * 24 * HOUR)
    expect((await tokenOf(lab, made.json.id)).json).toMatchObject({ access_token: 'key-one', token_type: 'ApiKey', expires_at: null, generation: 1 })
    expect((await lab.call('POST', `/api/v1/connections/${made.json.id}/refresh`)).json.code).toBe('refresh_not_supported')
  })

  test('that is wrong is told at creation', async () => {
    const { create } = await startMachineLab(KEY, () => unauthorized)
    const refused = await create({ credentials })
    expect([refused.status, refused.json.code, refused.json.field]).toEqual([422, 'credentials_refused', '/credentials/api_key'])
    expect(refused.text).not.toContain('key-one')
    expect((await create({ credentials, verify: false })).status).toBe(201)
  })

  test('refused by an API, and by the check: it needs a new one, which is stored under the same id', async () => {
    const { lab, endpoint, create } = await startMachineLab(KEY, () => works)
    const { json } = await create({ credentials })
    endpoint.reply = ({ headers }) => (headers.authorization === 'Bearer key-two' ? works : unauthorized)
    const refused = await tokenOf(lab, json.id, '?rejected_generation=1')
    expect([refused.status, refused.json.code, refused.json.needs_reauth]).toEqual([409, 'new_credentials_needed', true])
    expect(refused.json.detail).toContain('The API key was refused')
    expect((await readConnection(lab, json.id)).status).toBe('needs_reauth')
    expect((await tokenOf(lab, json.id)).json.code).toBe('new_credentials_needed')
    expect((await eventsOf(lab, json.id))[0]).toMatchObject({ type: 'connection.needs_reauth', data: { told_by: 'provider', http_status: 401 } })
    const put = await lab.call('PUT', `/api/v1/connections/${json.id}/credentials`, { body: { credentials: { api_key: 'key-two' } } })
    expect([put.status, put.json.id, put.json.status, put.json.generation]).toEqual([200, json.id, 'active', 2])
    expect((await tokenOf(lab, json.id)).json).toMatchObject({ access_token: 'key-two', generation: 2 })
    expect((await tokenOf(lab, json.id, '?rejected_generation=1')).json).toMatchObject({ access_token: 'key-two' })
  })

  test('that the provider still takes does not end on the word of one caller, however many say it', async () => {
    const { lab, endpoint, create } = await startMachineLab(KEY, () => works)
    const { json } = await create({ credentials })
    const answers = await Promise.all(Array.from({ length: 50 }, () => tokenOf(lab, json.id, '?rejected_generation=1')))
    expect(new Set(answers.map((answer) => answer.json.code))).toEqual(new Set(['upstream_token_refused']))
    expect(endpoint.sent).toHaveLength(2)
    expect((await tokenOf(lab, json.id, '?rejected_generation=1')).json.code).toBe('upstream_token_refused')
    expect(endpoint.sent).toHaveLength(2)
    expect((await tokenOf(lab, json.id)).status).toBe(200)
  })

  test('a password that the provider echoes as it is typed is kept nowhere', async () => {
    const basic: RecordDraft = { ...KEY, grant: 'basic', api: { ...api, authorization: { prefix: 'Basic ' } } }
    const { lab, endpoint, create } = await startMachineLab(basic, () => works)
    const { json } = await create({ credentials: { username: 'ann', password: 'pass-w0rd' } })
    endpoint.reply = () => ({ status: 401, body: { message: 'ann has another password than pass-w0rd' } })
    const refused = await tokenOf(lab, json.id, '?rejected_generation=1')
    expect(refused.json.code).toBe('new_credentials_needed')
    const said = JSON.stringify([refused.json, await eventsOf(lab, json.id), await readConnection(lab, json.id), lab.logged])
    expect(said).toContain('another password than [redacted]')
    expect(said).not.toContain('pass-w0rd')
  })

  test('that cannot be opened is told as that, and by whom it is mended', async () => {
    const { lab, create } = await startMachineLab(KEY, () => works)
    const { json } = await create({ credentials })
    const { get } = lab.store.connections
    vi.spyOn(lab.store.connections, 'get').mockImplementation(async (...of) => {
      const row = await get(...of)
      return row && { ...row, credential: { ...row.credential, accessToken: row.credential.accessToken?.map((byte) => byte ^ 1) ?? null } }
    })
    const put = await lab.call('PUT', `/api/v1/connections/${json.id}/credentials`, { body: {} })
    expect(put.status).toBe(503)
    expect(['seal_broken', 'seal_key_missing']).toContain(put.json.code)
    expect(put.text).not.toContain('key-one')
  })

  test('a provider that cannot be asked ends nothing', async () => {
    const { lab, endpoint, create } = await startMachineLab(KEY, () => works)
    const { json } = await create({ credentials })
    endpoint.reply = () => ({ status: 503, body: '' })
    expect((await tokenOf(lab, json.id, '?rejected_generation=1')).json).toMatchObject({ code: 'provider_unavailable', needs_reauth: false })
    expect((await tokenOf(lab, json.id)).status).toBe(200)
  })

  test('without a check in the record two callers are believed, and the stored secret can be put back', async () => {
    const { lab, create } = await startMachineLab({ grant: 'api_key', api }, () => null)
    const { json } = await create({ credentials })
    expect((await tokenOf(lab, json.id, '?rejected_generation=1')).json.code).toBe('upstream_token_refused')
    await lab.time.advance(10 * MINUTE)
    expect((await refusedFor(lab, json.id, await anotherKey(lab))).json.code).toBe('new_credentials_needed')
    expect((await eventsOf(lab, json.id))[0]).toMatchObject({ type: 'connection.needs_reauth', data: { told_by: 'callers' } })
    await lab.time.advance(HOUR)
    expect((await readConnection(lab, json.id)).status).toBe('needs_reauth')
    expect((await lab.call('PUT', `/api/v1/connections/${json.id}/credentials`)).json).toMatchObject({ status: 'active', generation: 2, fault: null })
    expect((await tokenOf(lab, json.id)).json).toMatchObject({ access_token: 'key-one' })
  })

  test('many that end at once are held: they are served on, and nobody is asked for new ones', async () => {
    const { lab, create } = await startMachineLab({ grant: 'api_key', api }, () => null)
    const ids: string[] = []
    for (let index = 0; index < 8; index++) ids.push((await create({ owner: `customer-${index}`, credentials: { api_key: `key-${index}` } })).json.id)
    const codes: string[] = []
    for (const id of ids) await tokenOf(lab, id, '?rejected_generation=1')
    await lab.time.advance(10 * MINUTE)
    const key = await anotherKey(lab)
    for (const id of ids) codes.push((await refusedFor(lab, id, key)).json.code)
    expect(codes.slice(0, 5)).toEqual(Array(5).fill('new_credentials_needed'))
    expect(codes.slice(6)).toEqual(['deaths_held', 'deaths_held'])
    expect((await tokenOf(lab, ids[7] ?? '')).json).toMatchObject({ access_token: 'key-7' })
    expect((await lab.call('GET', '/api/v1/integrations/scripted')).json.deaths_held).not.toBeNull()
    expect((await lab.call('POST', '/api/v1/integrations/scripted/deaths/release')).status).toBe(200)
    for (let round = 0; round < 3; round++) {
      await lab.time.advance(10_000)
      await lab.engine.runDue()
    }
    // Nothing can be renewed, so nothing stays due.
    expect(await readConnection(lab, ids[7] ?? '')).toMatchObject({ status: 'active', fault: null, due_at: null })
  })

  test('held ones go back to work by themselves once the provider takes one of them again', async () => {
    const { lab, endpoint, create } = await startMachineLab(KEY, () => works)
    const ids: string[] = []
    for (let index = 0; index < 8; index++) ids.push((await create({ owner: `customer-${index}`, credentials: { api_key: `key-${index}` } })).json.id)
    endpoint.reply = () => unauthorized
    for (const id of ids) await tokenOf(lab, id, '?rejected_generation=1')
    expect((await lab.call('GET', '/api/v1/integrations/scripted')).json.deaths_held).not.toBeNull()
    await settled(lab)
    const status = async (id: string | undefined) => (await readConnection(lab, id ?? '')).fault?.code ?? 'none'
    expect(await status(ids[7])).toBe('deaths_held')
    endpoint.reply = () => works
    await settled(lab)
    expect((await lab.call('GET', '/api/v1/integrations/scripted')).json.deaths_held).toBeNull()
    expect(await status(ids[7])).toBe('none')
  })

  test('with a known end is warned of like any other, and asks for a new one when it has come', async () => {
    const { lab, create } = await startMachineLab(KEY, () => works)
    const { json } = await create({ credentials, expires_at: '2026-01-11T00:00:00Z' })
    expect([json.expires_at, json.ends_at]).toEqual(['2026-01-11T00:00:00.000Z', '2026-01-11T00:00:00.000Z'])
    expect((await tokenOf(lab, json.id)).status).toBe(200)
    await lab.time.advance(10 * 24 * HOUR + 1)
    expect((await tokenOf(lab, json.id)).json).toMatchObject({ status: 409, code: 'new_credentials_needed' })
    expect((await readConnection(lab, json.id)).status).toBe('needs_reauth')
    const put = await lab.call('PUT', `/api/v1/connections/${json.id}/credentials`, { body: { credentials: { api_key: 'key-two' }, expires_at: null } })
    expect(put.json).toMatchObject({ status: 'active', expires_at: null })
  })

  test('user name and password are read as they stand in the header (RFC 7617)', async () => {
    const { lab, create } = await startMachineLab({ grant: 'basic', api: { ...api, authorization: { prefix: 'Basic ' } } }, () => works)
    const { json } = await create({ credentials: { username: 'Aladdin', password: 'open sesame' } })
    expect((await tokenOf(lab, json.id)).json).toMatchObject({ access_token: 'QWxhZGRpbjpvcGVuIHNlc2FtZQ==', token_type: 'Basic' })
    const umlaut = await create({ owner: 'other', credentials: { username: 'test', password: '123\u00a3' } })
    expect((await tokenOf(lab, umlaut.json.id)).json.access_token).toBe('dGVzdDoxMjPCow==')
  })
})
