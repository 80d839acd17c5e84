import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ApiAnswer, type ApiLab, createApiLab } from '../testing/api-lab.ts'
import { type SignedInPerson, signIn } from '../testing/people.ts'

let lab: ApiLab
let owner: SignedInPerson
beforeEach(async () => {
  lab = await createApiLab()
  owner = await signIn(lab, { role: 'owner', organization: lab.organization })
})
afterEach(() => lab.app.close())

const as = (token: string, method: Parameters<ApiLab['call']>[0], path: string, body?: unknown): Promise<ApiAnswer> =>
  lab.call(method, `/api/v1/${path}`, { key: token, ...(body === undefined ? {} : { body }) })
const outcome = ({ status, json }: ApiAnswer) => [status, json?.code ?? null]
const make = (slug = 'acme-test') => as(owner.token, 'POST', 'organizations', { name: 'Acme Test', slug })

describe('organizations', () => {
  test('an owner makes one, is its owner, and finds both', async () => {
    const made = await make()
    expect([made.status, made.json.role, made.json.slug]).toEqual([201, 'owner', 'acme-test'])
    const listed = (await as(owner.token, 'GET', 'organizations')).json.items
    expect(listed.map(({ slug, role }: { slug: string; role: string }) => [slug, role])).toEqual([
      ['acme', 'owner'],
      ['acme-test', 'owner'],
    ])
    expect(outcome(await make())).toEqual([409, 'already_exists'])
  })

  test.each(['admin', 'operator', 'member', 'viewer'] as const)('a person of role %s makes none', async (role) => {
    const { token } = await signIn(lab, { role, organization: lab.organization })
    expect(outcome(await as(token, 'POST', 'organizations', { name: 'Mine', slug: 'mine' }))).toEqual([403, 'role_missing'])
  })

  test('an API key has its own and makes none', async () => {
    expect((await lab.call('GET', '/api/v1/organizations')).json.items.map(({ id }: { id: string }) => id)).toEqual([lab.organization])
    expect((await lab.call('POST', '/api/v1/organizations', { body: { name: 'x', slug: 'x' } })).status).toBe(403)
    expect((await lab.call('GET', '/api/v1/organizations/current')).json).toMatchObject({ id: lab.organization, role: null, key: { scopes: ['admin'] } })
    expect((await as(owner.token, 'GET', 'organizations/current')).json).toMatchObject({ id: lab.organization, role: 'owner', key: null })
  })
})

describe('a session goes to another organization', () => {
  test('with a new access token for it; the one for the first is refused, and nothing of the first is left within reach', async () => {
    const there = (await make()).json.id
    const moved = await as(owner.token, 'POST', 'auth/organization', { organization: there })
    expect([moved.status, moved.json.user.organization.id, moved.json.user.role]).toEqual([200, there, 'owner'])
    expect(moved.json.session.id).toBe(owner.opened.signedIn.session.id)
    // An access token, which other servers see too, never becomes a refresh credential.
    expect([moved.json.refresh_token, moved.headers['set-cookie']]).toEqual([undefined, undefined])
    const token = moved.json.access_token
    expect((await as(token, 'GET', 'organizations/current')).json.id).toBe(there)
    expect((await as(token, 'GET', 'connections')).json.items).toEqual([])
    expect((await as(token, 'GET', `connections/${lab.connection}`)).status).toBe(404)
    expect(outcome(await as(owner.token, 'GET', 'connections'))).toEqual([401, 'access_token_expired'])
    const refreshed = await lab.services.sessions.refresh(owner.refreshToken, { address: null, userAgent: null })
    expect(refreshed.organization.id).toBe(there)
    expect((await as(refreshed.accessToken, 'POST', 'auth/organization', { organization: lab.organization })).status).toBe(200)
  })

  test('never to one that is not theirs: the same answer as for one that never was', async () => {
    const foreign = await lab.anotherOrganization()
    const said = async (organization: string) => {
      const { status, json } = await as(owner.token, 'POST', 'auth/organization', { organization })
      return { status, code: json.code, detail: json.detail.replace(organization, 'ID') }
    }
    const answer = await said(foreign)
    expect(answer).toMatchObject({ status: 404, code: 'not_found' })
    expect(answer).toEqual(await said('org_01890a5d-ac96-774b-bcce-b302099affff'))
    expect((await as(owner.token, 'GET', 'organizations/current')).json.id).toBe(lab.organization)
  })
})

describe('somebody who belongs to two organizations', () => {
  test('is not erased, disabled or renamed for both by an administrator of one', async () => {
    const there = (await make()).json.id
    const shared = await signIn(lab, { role: 'member', organization: lab.organization })
    const at = lab.time.clock.wall()
    const event = {
      id: 'evt_x',
      organization: there,
      type: 'user.joined',
      at,
      actor: { kind: 'cli', id: null },
      connection: null,
      subject: shared.id,
      data: {},
    } as const
    await lab.store.users.addMember({ organization: there, user: shared.id, role: 'member', createdAt: at }, event)
    const admin = await signIn(lab, { role: 'admin', organization: lab.organization })
    for (const body of [{ disabled: true }, { external_id: 'owner-1' }, { name: 'x' }])
      expect(outcome(await as(admin.token, 'PATCH', `users/${shared.id}`, body))).toEqual([403, 'role_missing'])
    // The owner of both may.
    expect((await as(owner.token, 'PATCH', `users/${shared.id}`, { name: 'x' })).status).toBe(200)
    const taken = await as(admin.token, 'DELETE', `users/${shared.id}`)
    expect([taken.status, taken.json.user]).toEqual([200, { id: shared.id, outcome: 'removed' }])
    expect((await lab.store.users.membershipsOf(shared.id)).map(({ organization }) => organization)).toEqual([there])
    expect(await lab.store.users.get(shared.id)).toBeDefined()
  })
})
