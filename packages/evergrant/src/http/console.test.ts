import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { newId } from '../core/ids.ts'
import { MINUTE } from '../core/time.ts'
import { systemEntropy } from '../system.ts'
import { type ApiLab, createApiLab } from '../testing/api-lab.ts'
import { connectionOf, signIn } from '../testing/people.ts'

let lab: ApiLab
beforeEach(async () => {
  lab = await createApiLab()
})
afterEach(() => lab.app.close())

const made = (owner: string, account: string | null = null) =>
  connectionOf(lab.store, { organization: lab.organization, integration: lab.integration, owner, account })
const listed = async (query: string) => (await lab.call('GET', `/api/v1/connections?${query}`)).json.items.map(({ owner }: { owner: string }) => owner)

describe('the list of connections', () => {
  test('is searched, filtered and ordered, page by page', async () => {
    const ids = [await made('anna', 'zz'), await made('Annex', 'yy'), await made('bert', 'xx')]
    await lab.call('POST', `/api/v1/connections/${ids[2]}/pause`)
    expect(await listed('q=ANN')).toEqual(['Annex', 'anna'])
    expect(await listed(`q=${ids[1]}`)).toEqual(['Annex'])
    expect(await listed('status=paused,needs_reauth')).toEqual(['bert'])
    expect(await listed('q=ann&sort=created')).toEqual(['anna', 'Annex'])
    const first = (await lab.call('GET', '/api/v1/connections?sort=-account&limit=2')).json
    expect(first.items.map(({ owner }: { owner: string }) => owner)).toEqual(['anna', 'Annex'])
    expect((await listed(`sort=-account&limit=2&cursor=${first.cursor}`)).slice(0, 1)).toEqual(['bert'])
  })

  test.each([
    ['status=broken', 'status'],
    ['sort=colour', 'sort'],
    ['expires_before=2026-02-30T00:00:00Z', '/expires_before'],
  ])('%s names what is wrong', async (query, field) => {
    const answer = await lab.call('GET', `/api/v1/connections?${query}`)
    expect([answer.status, answer.json.field]).toEqual([400, field])
  })

  test('counts itself by the same filter, and is exported as a table that no spreadsheet executes', async () => {
    await made('=cmd()', 'a,"b"')
    const facets = (await lab.call('GET', '/api/v1/connections/facets?q=%3Dcmd')).json
    expect(facets).toMatchObject({ total: 1, status: [{ value: 'active', count: 1 }], integration: [{ value: 'scripted', count: 1 }] })
    const table = await lab.call('GET', '/api/v1/connections/export?q=%3Dcmd')
    expect(table.headers['content-type']).toContain('text/csv')
    const [head, line, end] = table.text.split('\r\n')
    expect(head).toContain('id,status,provider')
    expect(line).toContain(`'=cmd(),"a,""b"""`)
    expect(end).toBe('')
  })

  test('an export of what nobody can ask for is refused as the list is, and does not begin', async () => {
    const [list, table] = [await lab.call('GET', '/api/v1/connections?integration=none'), await lab.call('GET', '/api/v1/connections/export?integration=none')]
    expect([table.status, table.json.code]).toEqual([list.status, list.json.code])
    expect(table.headers['content-disposition']).toBeUndefined()
  })

  test('a member sees and counts only their own', async () => {
    await made('somebody')
    const ana = await signIn(lab, { role: 'member', organization: lab.organization })
    const own = await made(ana.id)
    const ask = async (path: string) => (await lab.call('GET', path, { key: ana.token })).json
    expect((await ask('/api/v1/connections?q=some')).items).toEqual([])
    expect((await ask('/api/v1/connections/facets')).total).toBe(1)
    expect((await lab.call('GET', '/api/v1/connections/export', { key: ana.token })).text).not.toContain('somebody')
    expect((await ask(`/api/v1/connections/${own}/why`)).status).toBe('active')
    expect((await ask(`/api/v1/connections/${lab.connection}/why`)).code).toBe('not_found')
    expect((await ask('/api/v1/console/overview')).code).toBe('role_missing')
  })
})

describe('one connection', () => {
  test('says why it is in its state, and what happens next', async () => {
    await lab.call('POST', `/api/v1/connections/${lab.connection}/pause`)
    const why = (await lab.call('GET', `/api/v1/connections/${lab.connection}/why`)).json
    expect(why).toMatchObject({ status: 'paused', rule: null, evidence: null, next: { what: 'Somebody resumes it.', at: null }, retries: [] })
    expect(why.sentence).toMatch(/^Somebody paused it/)
    expect(why.steps.at(-1).what).toBe('It was paused')
  })

  test('a grant that ended names the answer and the rule', async () => {
    const id = await made('broken', 'acc')
    const row = await lab.store.credentials.read(id)
    const intent = newId('itn', systemEntropy)
    const claim = { connection: id, generation: 1, epoch: row?.credential.epoch ?? 0, node: { id: 'n', incarnation: '1' }, intent, leaseMs: 1_000 }
    expect((await lab.store.credentials.claim(claim)).kind).toBe('claimed')
    const at = lab.time.clock.wall()
    const fault = {
      code: 'connection_revoked' as const,
      at,
      evidence: { intent, httpStatus: 400, providerCode: 'invalid_grant', providerText: 'gone', answerHash: null },
    }
    await lab.store.credentials.commitFailure({
      connection: id,
      organization: lab.organization,
      intent,
      attempt: intent,
      presentedGeneration: 1,
      answer: null,
      effect: 'dead',
      answered: true,
      fault,
      countsAsFailure: true,
      nextAttemptAt: null,
      dueAt: null,
      event: {
        id: newId('evt', systemEntropy),
        organization: lab.organization,
        type: 'connection.needs_reauth',
        at,
        actor: { kind: 'system', id: null },
        connection: id,
        subject: intent,
        data: { code: fault.code, http_status: 400, provider_code: 'invalid_grant' },
      },
      death: null,
    })
    const why = (await lab.call('GET', `/api/v1/connections/${id}/why`)).json
    expect(why).toMatchObject({
      status: 'needs_reauth',
      rule: { code: 'connection_revoked', class: 'grant' },
      evidence: { http_status: 400, provider_code: 'invalid_grant' },
    })
    expect(why.steps.at(-1)).toMatchObject({ what: 'The grant ended', detail: 'connection_revoked, HTTP 400, invalid_grant' })
    const overview = (await lab.call('GET', '/api/v1/console/overview')).json
    expect(overview.counts).toMatchObject({ total: 2, healthy: 1, needs_owner: 1 })
    expect(overview.sentence).toBe('1 of 2 connections is healthy. 1 needs its owner.')
    const [cause] = overview.attention
    expect(cause).toMatchObject({ cause: 'needs_reauth', code: 'connection_revoked', connections: 1, link_repairs: true })
    const behind = await lab.call('GET', `/api/v1/connections?${new URLSearchParams(cause.filter)}`)
    expect(behind.json.items.map((one: { id: string }) => one.id)).toEqual([id])
  })

  test('a cause says where no link repairs its connections: their provider names the account in the browser alone', async () => {
    await lab.app.close()
    lab = await createApiLab({ record: { account: [{ from: 'callback', parameter: 'company' }] } })
    const sent = { integration: 'scripted', owner: 'ada', account: '7', access_token: 'at', expires_at: '2020-01-01T00:00:00Z' }
    const { json } = await lab.call('POST', '/api/v1/connections', { body: sent })
    await lab.call('POST', `/api/v1/connections/${json.id}/refresh`)
    expect((await lab.call('GET', '/api/v1/console/overview')).json.attention).toMatchObject([{ cause: 'needs_reauth', link_repairs: false }])
  })

  test('its timeline has events and hours of use, each once over all pages', async () => {
    for (let turn = 0; turn < 3; turn += 1) {
      await lab.call('POST', `/api/v1/connections/${lab.connection}/${turn % 2 === 0 ? 'pause' : 'resume'}`)
      await lab.time.advance(30 * MINUTE)
    }
    await lab.call('POST', `/api/v1/connections/${lab.connection}/resume`)
    const at = lab.time.clock.wall() - 20 * MINUTE
    const actor = { kind: 'api_key' as const, id: 'key_1' }
    await lab.store.uses.add([{ organization: lab.organization, connection: lab.connection, actor, access: 'proxy', minute: at, count: 4 }], [])
    const seen: string[] = []
    let cursor: string | null = null
    do {
      const page: { items: { kind: string; use?: { count: number }; event?: { type: string } }[]; cursor: string | null } = (
        await lab.call('GET', `/api/v1/connections/${lab.connection}/timeline?limit=2${cursor === null ? '' : `&cursor=${cursor}`}`)
      ).json
      seen.push(...page.items.map(({ event, use }) => event?.type ?? `used ${use?.count}`))
      cursor = page.cursor
    } while (cursor !== null)
    expect(seen.filter((what) => what === 'used 4')).toHaveLength(1)
    expect(seen.filter((what) => what === 'connection.paused')).toHaveLength(2)
  })
})

describe('many connections', () => {
  const bulk = (body: object) => lab.call('POST', '/api/v1/connections/bulk', { body })

  test('are paused, and the pause is undone for exactly those that it changed', async () => {
    const ids = [await made('a'), await made('b'), await made('c')]
    await lab.call('POST', `/api/v1/connections/${ids[0]}/pause`)
    const dry = (await bulk({ action: 'pause', ids, dry_run: true })).json
    expect(dry).toMatchObject({ bulk_id: null, count: 3, results: [] })
    expect(await listed('status=paused')).toEqual(['a'])
    const done = (await bulk({ action: 'pause', ids })).json
    expect(done.results.map(({ outcome }: { outcome: string }) => outcome)).toEqual(['same', 'done', 'done'])
    const undone = await lab.call('POST', `/api/v1/connections/bulk/${done.bulk_id}/undo`)
    expect(undone.json.results.map(({ outcome }: { outcome: string }) => outcome)).toEqual(['done', 'done'])
    expect(await listed('status=paused')).toEqual(['a'])
    expect((await lab.call('POST', `/api/v1/connections/bulk/${done.bulk_id}/undo`)).status).toBe(409)
  })

  test('an undo comes within ten minutes or not at all', async () => {
    const done = (await bulk({ action: 'tag', tag: 'vip', filter: {} })).json
    await lab.time.advance(11 * MINUTE)
    const late = await lab.call('POST', `/api/v1/connections/bulk/${done.bulk_id}/undo`)
    expect([late.status, late.json.code]).toEqual([409, 'conflict'])
    expect((await lab.call('GET', '/api/v1/connections?tag=vip')).json.items).toHaveLength(1)
  })

  test('are disconnected only by whoever wrote their number', async () => {
    const id = await made('a', 'x')
    const refused = await bulk({ action: 'disconnect', filter: { owner: 'a' } })
    expect([refused.status, refused.json.field]).toEqual([400, '/confirm'])
    expect((await lab.call('GET', `/api/v1/connections/${id}`)).json.status).toBe('active')
    expect((await bulk({ action: 'disconnect', filter: { owner: 'a' }, confirm: '1' })).json.results[0].outcome).toBe('done')
  })

  test('one that cannot be changed stops no other, and says why', async () => {
    const [gone, well] = [await made('gone', 'x'), await made('well')]
    await lab.call('DELETE', `/api/v1/connections/${gone}`)
    const { results } = (await bulk({ action: 'pause', ids: [gone, well] })).json
    expect(results.map(({ outcome }: { outcome: string }) => outcome)).toEqual(['refused', 'done'])
    expect(results[0].detail).not.toBe('')
  })

  test('either ids or a filter', async () => {
    for (const body of [{ action: 'pause' }, { action: 'pause', ids: [lab.connection], filter: {} }]) expect((await bulk(body)).status).toBe(400)
    expect((await bulk({ action: 'tag', ids: [lab.connection] })).json.field).toBe('/tag')
  })
})

describe('events', () => {
  test('are found by a query, and a wrong one names its character', async () => {
    await lab.call('POST', `/api/v1/connections/${lab.connection}/pause`)
    const found = await lab.call('GET', `/api/v1/events?q=${encodeURIComponent('type:connection.* -type:connection.created')}`)
    expect(found.json.items.map(({ type }: { type: string }) => type)).toEqual(['connection.paused'])
    const wrong = await lab.call('GET', '/api/v1/events?q=hello')
    expect([wrong.status, wrong.json.field, wrong.json.position]).toEqual([400, 'q', 1])
    expect((await lab.call('GET', '/api/v1/events?type=a.b&q=type:c.d')).status).toBe(400)
  })

  test('are exported line by line', async () => {
    const lines = (await lab.call('GET', '/api/v1/events/export')).text.trim().split('\n')
    const { items } = (await lab.call('GET', '/api/v1/events?limit=200')).json
    expect(lines.map((line) => JSON.parse(line).id)).toEqual(items.map(({ id }: { id: string }) => id))
    expect((await lab.call('GET', '/api/v1/events/export?format=csv')).text.split('\r\n')[0]).toBe('id,at,type,actor_kind,actor_id,connection_id,subject,data')
  })
})

describe('figures', () => {
  test('the history has what was refreshed, and the states of now', async () => {
    await lab.call('POST', `/api/v1/connections/${lab.connection}/refresh`)
    const answer = await lab.call('GET', '/api/v1/metrics/history?series=connections_by_status,connect_started')
    expect(answer.json.series).toContainEqual({ name: 'connections_by_status', labels: { status: 'active' }, points: [[expect.any(String), 1]] })
    expect((await lab.call('GET', '/api/v1/metrics/history?series=nonsense')).json.field).toBe('series')
  })

  test('what expires is counted, and listed behind its bucket', async () => {
    const at = new Date(lab.time.clock.wall() + 40 * MINUTE).toISOString()
    const grant = { integration: 'scripted', owner: 'static', access_token: 'at-static', expires_at: at }
    const id = (await lab.call('POST', '/api/v1/connections', { body: grant })).json.id
    const { buckets } = (await lab.call('GET', '/api/v1/expiries?lane=provider')).json
    expect(buckets.filter(({ human }: { human: number }) => human > 0)).toMatchObject([{ lane: 'scripted', human: 1 }])
    expect((await lab.call('GET', '/api/v1/expiries/list')).json.items.map((one: { id: string }) => one.id)).toEqual([id])
    expect((await lab.call('GET', '/api/v1/console/overview')).json.expiring).toEqual({ day: 1, week: 1, month: 1, quarter: 1 })
  })
})
