// What is somebody's own (S98, peers.md rows 62 and 71): a member meets the connections of nobody else, under any route.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ConnectionId } from '../core/ids.ts'
import { connectionOf, type SignedInPerson, signIn } from '../testing/people.ts'
import { openWholeNode, type WholeNode } from '../testing/whole-node.ts'

let node: WholeNode
let ana: SignedInPerson
let mine: ConnectionId
let others: ConnectionId
const never: ConnectionId = 'con_01890a5d-ac96-774b-bcce-b302099affff'

beforeAll(async () => {
  node = await openWholeNode()
  const { organization, store } = node.parts
  const owner = await signIn(node, { role: 'owner', organization })
  ana = await signIn(node, { role: 'member', organization, externalId: 'ana' })
  const made = await node.ask('POST', '/api/v1/integrations', owner.token, { slug: 'github', provider: 'github', client_id: 'c', client_secret: 's' })
  expect([made.status, made.text]).toEqual([201, expect.anything()])
  const returning = await node.ask('PATCH', `/api/v1/integrations/${made.json.id}`, owner.token, { settings: { return_urls: ['https://app.example/done'] } })
  expect([returning.status, returning.text]).toEqual([200, expect.anything()])
  const integration = made.json.id as `int_${string}`
  mine = await connectionOf(store, { organization, integration, owner: 'ana', account: 'ana-at-github' })
  others = await connectionOf(store, { organization, integration, owner: 'bob', account: 'bob-at-github' })
}, 60_000)
afterAll(() => node.close())

const ask = (method: string, path: string, body?: unknown) => node.ask(method, `/api/v1/${path}`, ana.token, body)

/** Without what is different in any two answers. */
async function said(method: string, path: string, body: unknown): Promise<unknown> {
  const { status, json } = await ask(method, path, body)
  const { request_id: _id, ...rest } = json ?? {}
  return JSON.parse(
    JSON.stringify({ status, ...rest })
      .replaceAll(others, 'ID')
      .replaceAll(never, 'ID'),
  )
}

describe('a member', () => {
  test.each([
    ['GET', 'connections/:id', undefined],
    ['POST', 'connections/:id/refresh', {}],
    ['POST', 'connections/:id/test', {}],
    ['POST', 'connections/:id/reconnect', { return_url: 'https://app.example/done' }],
    ['POST', 'connections/:id/disconnect', {}],
    ['DELETE', 'connections/:id', undefined],
    ['GET', 'proxy/:id/user', undefined],
    ['POST', 'proxy/:id/user', {}],
  ] as const)("%s %s of somebody else's is as unknown as one that never was", async (method, path, body) => {
    const before = await node.store.users.get(ana.id)
    const foreign = await said(method, path.replace(':id', others), body)
    expect(foreign).toMatchObject({ status: 404, code: 'not_found' })
    expect(foreign).toEqual(await said(method, path.replace(':id', never), body))
    expect(await node.store.users.get(ana.id)).toEqual(before)
  })

  test('sees their own connections and no others, however they ask', async () => {
    for (const path of ['connections', 'connections?owner=ana', 'owners/ana/connections']) {
      const { json } = await ask('GET', path)
      expect([path, json.items.map(({ id }: { id: string }) => id)]).toEqual([path, [mine]])
    }
    for (const path of ['connections?owner=bob', 'owners/bob/connections', 'owners/nobody/connections'])
      expect([path, (await ask('GET', path)).json]).toEqual([path, { items: [], cursor: null }])
    expect((await ask('GET', `connections/${mine}`)).json.owner).toBe('ana')
  })

  test('goes no further with a cursor', async () => {
    const cursor = Buffer.from('con_ffffffff-ffff-7fff-bfff-ffffffffffff').toString('base64url')
    expect((await ask('GET', `connections?cursor=${cursor}`)).json.items.map(({ owner }: { owner: string }) => owner)).toEqual(['ana'])
  })

  test('connects for themselves alone', async () => {
    const body = { integration: 'github', return_url: 'https://app.example/done' }
    const forBob = await ask('POST', 'connect/sessions', { ...body, owner: 'bob' })
    expect([forBob.status, forBob.json.code, forBob.json.field]).toEqual([403, 'role_missing', '/owner'])
    for (const own of [{}, { owner: 'ana' }]) {
      const session = await ask('POST', 'connect/sessions', { ...body, ...own })
      expect([session.status, session.json.owner]).toEqual([201, 'ana'])
    }
    const completed = await ask('POST', 'connect/complete', { session: 'cs_01890a5d-ac96-774b-bcce-b302099affff', code: 'x', owner: 'bob' })
    expect([completed.status, completed.json.code]).toEqual([403, 'role_missing'])
  })

  test('a backend still has to say for whom it connects', async () => {
    const key = (
      await node.parts.services.apiKeys.create(node.parts.organization, { name: 'k', scopes: ['connect'], expiresAt: null }, { kind: 'cli', id: null })
    ).text
    const answer = await node.ask('POST', '/api/v1/connect/sessions', key, { integration: 'github', return_url: 'https://app.example/done' })
    expect([answer.status, answer.json.code, answer.json.field]).toEqual([400, 'invalid_request', '/owner'])
  })

  test('changes nothing that is the organization’s to change, not even on a connection of their own', async () => {
    for (const [method, path, body] of [
      ['PATCH', `connections/${mine}`, { tags: ['x'] }],
      ['POST', `connections/${mine}/pause`, {}],
      ['POST', `connections/${mine}/probe`, {}],
      ['PUT', `connections/${mine}/credentials`, {}],
      ['POST', 'connections', { integration: 'github', owner: 'ana', access_token: 'x' }],
      ['GET', `connections/${mine}/token`, undefined],
      ['GET', 'integrations', undefined],
      ['GET', 'events', undefined],
      ['GET', 'users', undefined],
    ] as const) {
      const answer = await ask(method, path, body)
      expect([path, answer.status, answer.json.code]).toEqual([path, 403, 'role_missing'])
    }
  })

  test('ends a connection of their own, and the event names them', async () => {
    const ended = await ask('POST', `connections/${mine}/disconnect`)
    expect([ended.status, ended.json.status]).toEqual([200, 'disconnected'])
    const [event] = (await node.store.events.list(node.parts.organization, { connection: mine, type: 'connection.disconnected' }, { limit: 1, cursor: null }))
      .items
    expect(event?.actor).toEqual({ kind: 'user', id: ana.id })
  })
})

test('a person without an external id owns connections under their own id', async () => {
  const { organization } = node.parts
  const bea = await signIn(node, { role: 'member', organization })
  const session = await node.ask('POST', '/api/v1/connect/sessions', bea.token, { integration: 'github', return_url: 'https://app.example/done' })
  expect(session.json.owner).toBe(bea.id)
})
