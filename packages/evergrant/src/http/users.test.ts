import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { newId, type OrganizationId } from '../core/ids.ts'
import { MINUTE } from '../core/time.ts'
import type { Role } from '../core/user/user.ts'
import { systemEntropy } from '../system.ts'
import { type ApiAnswer, type ApiLab, createApiLab } from '../testing/api-lab.ts'
import { connectionOf, openFor, type SignedInPerson, signIn } from '../testing/people.ts'

let lab: ApiLab
let owner: SignedInPerson
let admin: SignedInPerson
let member: SignedInPerson
beforeEach(async () => {
  lab = await createApiLab()
  owner = await person('owner')
  admin = await person('admin')
  member = await person('member')
})
afterEach(() => lab.app.close())

const person = (role: Role, organization: OrganizationId = lab.organization): Promise<SignedInPerson> => signIn(lab, { role, organization })
type Method = Parameters<ApiLab['call']>[0]
const as = (who: SignedInPerson | string, method: Method, path: string, body?: unknown): Promise<ApiAnswer> =>
  lab.call(method, `/api/v1/${path}`, { key: typeof who === 'string' ? who : who.token, ...(body === undefined ? {} : { body }) })
const members = (id: string) => `organizations/${lab.organization}/members/${id}`
const outcome = ({ status, json }: ApiAnswer) => [status, json?.code ?? null]
/** Past the ten minutes of a proof, within the life of the session: a new access token for the same proof. */
async function later(who: SignedInPerson): Promise<SignedInPerson> {
  await lab.time.advance(11 * MINUTE)
  const opened = await lab.services.sessions.refresh(who.refreshToken, { address: null, userAgent: null })
  return { ...who, token: opened.accessToken, refreshToken: opened.refreshCredential, opened }
}

describe('my profile', () => {
  test('says who I am, and lets me change what I am called', async () => {
    const read = await as(member, 'GET', 'users/profile')
    expect(read.json).toEqual({
      id: member.id,
      email: `${member.id}@example.com`,
      email_verified: true,
      name: 'Ana',
      owner: member.id,
      role: 'member',
      organization: { id: lab.organization, name: 'Acme' },
    })
    expect((await as(member, 'PATCH', 'users/profile', { name: 'Anna' })).json.name).toBe('Anna')
    expect((await as(member, 'GET', 'users/profile')).json.name).toBe('Anna')
  })

  test.each(['role', 'organization', 'organization_id', 'owner', 'external_id', 'email', 'status', 'generation', 'version'])(
    'takes no %s from me (S101)',
    async (field) => {
      const answer = await as(member, 'PATCH', 'users/profile', { name: 'Eve', [field]: 'owner' })
      expect(outcome(answer)).toEqual([400, 'invalid_request'])
      expect(answer.json.field).toBe(`/${field}`)
      expect((await as(member, 'GET', 'users/profile')).json).toMatchObject({ name: 'Ana', role: 'member' })
    },
  )

  test('is about a person: an API key has none', async () => {
    expect((await lab.call('GET', '/api/v1/users/profile')).status).toBe(403)
  })
})

describe('users, for those who administer them', () => {
  test('are listed with their roles, a page at a time', async () => {
    const first = await as(admin, 'GET', 'users?limit=2')
    const second = await as(admin, 'GET', `users?limit=2&cursor=${first.json.cursor}`)
    expect([...first.json.items, ...second.json.items].map(({ id, role }) => [id, role])).toEqual([
      [owner.id, 'owner'],
      [admin.id, 'admin'],
      [member.id, 'member'],
    ])
    expect(JSON.stringify([first.json, second.json])).not.toMatch(/password/)
  })

  test('a backend with an admin key provisions them without proving who it is', async () => {
    const key = await lab.keyFor(['admin'])
    const named = await as(key, 'PATCH', `users/${member.id}`, { external_id: 'user-7', name: 'Seven' })
    expect([named.status, named.json.external_id, named.json.owner]).toEqual([200, 'user-7', 'user-7'])
    expect((await as(key, 'GET', `users/${member.id}`)).json.name).toBe('Seven')
  })

  test.each(['role', 'organization', 'email_verified', 'version', 'owner', 'password'])('a change takes no %s (S101)', async (field) => {
    expect(outcome(await as(owner, 'PATCH', `users/${member.id}`, { name: 'x', [field]: 'owner' }))).toEqual([400, 'invalid_request'])
  })

  test('two people never have one external id', async () => {
    await as(owner, 'PATCH', `users/${member.id}`, { external_id: 'user-7' })
    expect(outcome(await as(owner, 'PATCH', `users/${admin.id}`, { external_id: 'user-7' }))).toEqual([409, 'already_exists'])
  })

  test('nobody gets the id of another person for an external id: what names that person would lead to them', async () => {
    expect(outcome(await as(owner, 'PATCH', `users/${member.id}`, { external_id: admin.id }))).toEqual([409, 'already_exists'])
    const foreign = await person('member', await lab.anotherOrganization())
    expect(outcome(await as(owner, 'PATCH', `users/${member.id}`, { external_id: foreign.id }))).toEqual([409, 'already_exists'])
    for (const free of [member.id, 'usr_01890a5d-ac96-774b-bcce-b302099affff'])
      expect((await as(owner, 'PATCH', `users/${member.id}`, { external_id: free })).json.owner).toBe(free)
  })

  test('an external id does not change under connections, which are found by it', async () => {
    await as(owner, 'PATCH', `users/${member.id}`, { external_id: 'owner-1' })
    const refused = await as(owner, 'PATCH', `users/${member.id}`, { external_id: 'somebody-else' })
    expect([...outcome(refused), refused.json.field]).toEqual([409, 'conflict', '/external_id'])
    await as(member, 'DELETE', `connections/${lab.connection}`)
    expect((await as(owner, 'PATCH', `users/${member.id}`, { external_id: 'somebody-else' })).status).toBe(200)
  })

  test('nor under one that lies behind two hundred that are over', async () => {
    const { organization, integration, store } = lab
    await as(owner, 'PATCH', `users/${member.id}`, { external_id: 'many' })
    await connectionOf(store, { organization, integration, owner: 'many', account: 'first' })
    for (let index = 0; index < 200; index += 1) {
      const connection = await connectionOf(store, { organization, integration, owner: 'many', account: `account-${index}` })
      const event = { ...(await store.events.list(organization, { connection }, { limit: 1, cursor: null })).items[0]!, id: newId('evt', systemEntropy) }
      await store.connections.disconnect({ organization, connection, at: 1, event, revocation: null })
    }
    expect(outcome(await as(owner, 'PATCH', `users/${member.id}`, { external_id: 'somebody-else' }))).toEqual([409, 'conflict'])
  })

  test('a disabled person is out at once, everywhere, and back with a new sign-in when enabled', async () => {
    const elsewhere = await openFor(lab, member.user, { organization: lab.organization })
    expect((await as(admin, 'PATCH', `users/${member.id}`, { disabled: true })).json.disabled_at).not.toBeNull()
    for (const { token } of [member, elsewhere]) expect(outcome(await as(token, 'GET', 'users/profile'))).toEqual([401, 'session_revoked'])
    await expect(lab.services.sessions.refresh(member.refreshToken, { address: null, userAgent: null })).rejects.toMatchObject({ code: 'session_revoked' })
    expect((await as(admin, 'PATCH', `users/${member.id}`, { disabled: false })).json.disabled_at).toBeNull()
    expect((await as(member, 'GET', 'users/profile')).status).toBe(401)
    expect((await as((await openFor(lab, member.user, { organization: lab.organization })).token, 'GET', 'users/profile')).status).toBe(200)
  })

  test('ends the sessions of a member in this organization, and nowhere else (S56)', async () => {
    const other = await lab.anotherOrganization()
    await lab.store.users.addMember(
      { organization: other, user: member.id, role: 'member', createdAt: 0 },
      {
        id: `evt_${lab.services.entropy.uuid()}`,
        organization: other,
        type: 'user.joined',
        at: 0,
        actor: { kind: 'cli', id: null },
        connection: null,
        subject: member.id,
        data: {},
      },
    )
    const [here, elsewhere] = [await openFor(lab, member.user, { organization: lab.organization }), await openFor(lab, member.user, { organization: other })]
    for (const nobody of [member, await person('operator')])
      expect(outcome(await as(nobody, 'DELETE', `users/${member.id}/sessions`))).toEqual([403, 'role_missing'])
    expect(outcome(await as(admin, 'DELETE', `users/${owner.id}/sessions`))).toEqual([403, 'role_missing'])
    expect((await as(admin, 'DELETE', `users/${member.id}/sessions`)).json).toEqual({ signed_out: 2 })
    for (const { token } of [member, here]) expect(outcome(await as(token, 'GET', 'users/profile'))).toEqual([401, 'session_revoked'])
    expect((await as(elsewhere.token, 'GET', 'users/profile')).status).toBe(200)
    expect((await as(admin, 'DELETE', `users/${member.id}/sessions`)).json).toEqual({ signed_out: 0 })
    const { items } = await lab.store.events.list(lab.organization, { type: 'session.ended', subject: member.id }, { limit: 10, cursor: null })
    expect(items.map(({ actor, data }) => [actor, data['end']])).toEqual([[{ kind: 'user', id: admin.id }, 'ended_by_admin']])
    expect((await openFor(lab, member.user, { organization: lab.organization })).token).toMatch(/^eyJ/)
  })

  test('two owners who disable each other at once leave one who may sign in', async () => {
    const second = await person('owner')
    // Both are known: whoever were still being looked up when the other one is done would be nobody any more.
    for (const one of [owner, second]) expect((await as(one, 'GET', 'users')).status).toBe(200)
    const disable = (by: SignedInPerson, whom: SignedInPerson) => as(by, 'PATCH', `users/${whom.id}`, { disabled: true })
    const answers = await Promise.all([disable(owner, second), disable(second, owner)])
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409])
    expect(answers.find(({ status }) => status === 409)?.json.detail).toContain('last owner of the organization who is not disabled')
    const enabled = (await as(admin, 'GET', 'users')).json.items.filter(
      (user: { role: string; disabled_at: string | null }) => user.role === 'owner' && user.disabled_at === null,
    )
    expect(enabled).toHaveLength(1)
  })

  test('the command line disables no last owner, and a disabled owner does not stand in for them', async () => {
    const cli = lab.services.apiKeys.issueLocal(lab.organization).text
    expect(outcome(await as(cli, 'PATCH', `users/${owner.id}`, { disabled: true }))).toEqual([409, 'conflict'])
    const second = await person('owner')
    expect((await as(cli, 'PATCH', `users/${second.id}`, { disabled: true })).status).toBe(200)
    for (const attempt of [
      () => as(cli, 'PATCH', `users/${owner.id}`, { disabled: true }),
      () => as(cli, 'DELETE', `users/${owner.id}`),
      () => as(owner, 'PATCH', members(owner.id), { role: 'admin' }),
      () => as(owner, 'DELETE', members(owner.id)),
      () => as(owner, 'DELETE', 'users/me'),
    ])
      expect(outcome(await attempt())).toEqual([409, 'conflict'])
    expect((await as(cli, 'DELETE', `users/${second.id}`)).json.user.outcome).toBe('erased')
  })

  test('a disabling that was interrupted leaves no session for the time after', async () => {
    const { endAll } = lab.store.sessions
    lab.store.sessions.endAll = () => Promise.reject(new Error('the process ended here'))
    expect((await as(admin, 'PATCH', `users/${member.id}`, { disabled: true })).status).toBe(500)
    lab.store.sessions.endAll = endAll
    expect((await as(admin, 'PATCH', `users/${member.id}`, { disabled: false })).json.disabled_at).toBeNull()
    expect(outcome(await as(member, 'GET', 'users/profile'))).toEqual([401, 'session_revoked'])
  })

  test('who joins another organization while they are decided about is left as they are', async () => {
    const other = await lab.anotherOrganization()
    const { update } = lab.store.users
    const joined = { id: newId('evt', systemEntropy), organization: other, type: 'user.joined', at: 0, connection: null, subject: member.id, data: {} } as const
    lab.store.users.update = async (...written) => {
      lab.store.users.update = update
      await lab.store.users.addMember({ organization: other, user: member.id, role: 'member', createdAt: 0 }, { ...joined, actor: { kind: 'cli', id: null } })
      return update(...written)
    }
    expect(outcome(await as(admin, 'PATCH', `users/${member.id}`, { external_id: 'owner-1' }))).toEqual([409, 'conflict'])
    expect((await lab.store.users.get(member.id))?.externalId).toBeNull()
    expect(outcome(await as(admin, 'PATCH', `users/${member.id}`, { disabled: true }))).toEqual([403, 'role_missing'])
  })

  test('nobody disables themselves', async () => {
    expect(outcome(await as(owner, 'PATCH', `users/${owner.id}`, { disabled: true }))).toEqual([409, 'conflict'])
  })

  test('an unknown user and one of another organization are the same', async () => {
    const foreign = await person('member', await lab.anotherOrganization())
    for (const id of [foreign.id, 'usr_01890a5d-ac96-774b-bcce-b302099affff'])
      for (const [method, body] of [
        ['GET', undefined],
        ['PATCH', { name: 'x' }],
        ['DELETE', undefined],
      ] as const)
        expect([method, ...outcome(await as(owner, method, `users/${id}`, body))]).toEqual([method, 404, 'not_found'])
  })
})

describe('roles', () => {
  test('a role that was taken away counts at once, in a session that is open (S102)', async () => {
    expect((await as(admin, 'GET', 'users')).status).toBe(200)
    expect((await as(owner, 'PATCH', members(admin.id), { role: 'viewer' })).json.role).toBe('viewer')
    expect(outcome(await as(admin, 'GET', 'users'))).toEqual([403, 'role_missing'])
    expect((await as(admin, 'GET', 'connections')).status).toBe(200)
    await as(owner, 'DELETE', members(admin.id))
    expect(outcome(await as(admin, 'GET', 'connections'))).toEqual([401, 'session_revoked'])
  })

  test('a person who becomes a member sees only their own from then on', async () => {
    const viewer = await person('viewer')
    expect((await as(viewer, 'GET', 'connections')).json.items).toHaveLength(1)
    await as(owner, 'PATCH', members(viewer.id), { role: 'member' })
    expect((await as(viewer, 'GET', 'connections')).json.items).toEqual([])
  })

  const attempts: readonly (readonly [string, () => Promise<ApiAnswer>])[] = [
    ['an admin makes themselves an owner', () => as(admin, 'PATCH', members(admin.id), { role: 'owner' })],
    ['an admin makes a member an owner', () => as(admin, 'PATCH', members(member.id), { role: 'owner' })],
    ['an admin takes an owner’s role away', () => as(admin, 'PATCH', members(owner.id), { role: 'viewer' })],
    ['an admin removes an owner', () => as(admin, 'DELETE', members(owner.id))],
    ['an admin disables an owner', () => as(admin, 'PATCH', `users/${owner.id}`, { disabled: true })],
    ['an admin erases an owner', () => as(admin, 'DELETE', `users/${owner.id}`)],
    ['a member makes themselves an admin', () => as(member, 'PATCH', members(member.id), { role: 'admin' })],
    ['an admin key makes an owner', async () => as(await lab.keyFor(['admin']), 'PATCH', members(member.id), { role: 'owner' })],
    ['an admin key takes an owner’s role away', async () => as(await lab.keyFor(['admin']), 'PATCH', members(owner.id), { role: 'viewer' })],
  ]
  test.each(attempts)('%s: refused', async (_what: string, run: () => Promise<ApiAnswer>) => {
    expect(outcome(await run())).toEqual([403, 'role_missing'])
    const roles = (await as(owner, 'GET', 'users')).json.items.map(({ role }: { role: string }) => role)
    expect(roles).toEqual(['owner', 'admin', 'member'])
  })

  test.each([
    ['gives a role', () => as(admin, 'PATCH', members(member.id), { role: 'admin' })],
    ['takes somebody out', () => as(admin, 'DELETE', members(member.id))],
  ])('an administrator whose role is taken while the request is under way %s to nobody', async (_what, decide) => {
    const { users } = lab.store
    const { get } = users
    const demoted = { id: 'evt_demoted' as const, organization: lab.organization, type: 'user.role_changed' as const, at: 0, connection: null, data: {} }
    users.get = async (id) => {
      users.get = get
      await users.changeRole(lab.organization, admin.id, 'viewer', { ...demoted, actor: { kind: 'cli', id: null }, subject: admin.id })
      return get(id)
    }
    expect(outcome(await decide())).toEqual([409, 'conflict'])
    expect((await as(owner, 'GET', `users/${member.id}`)).json.role).toBe('member')
    expect(outcome(await decide())).toEqual([403, 'role_missing'])
  })

  test('an organization keeps its last owner', async () => {
    for (const attempt of [
      () => as(owner, 'PATCH', members(owner.id), { role: 'admin' }),
      () => as(owner, 'DELETE', members(owner.id)),
      () => as(owner, 'DELETE', 'users/me'),
    ])
      expect(outcome(await attempt())).toEqual([409, 'conflict'])
    await as(owner, 'PATCH', members(admin.id), { role: 'owner' })
    expect((await as(owner, 'DELETE', members(owner.id))).status).toBe(204)
  })

  test('the events name who did it to whom', async () => {
    await as(owner, 'PATCH', members(member.id), { role: 'operator' })
    const [event] = (await as(owner, 'GET', 'events?type=user.role_changed')).json.items
    expect(event).toMatchObject({ actor: { kind: 'user', id: owner.id }, subject: member.id, data: { from: 'member', to: 'operator' } })
  })
})

describe('sensitive changes', () => {
  const changes: readonly (readonly [what: string, method: Method, path: () => string, body: unknown])[] = [
    ['a role', 'PATCH', () => members(member.id), { role: 'viewer' }],
    ['a membership', 'DELETE', () => members(member.id), undefined],
    ['disabling', 'PATCH', () => `users/${member.id}`, { disabled: true }],
    ["ending somebody's sessions", 'DELETE', () => `users/${member.id}/sessions`, undefined],
    ['an external id', 'PATCH', () => `users/${member.id}`, { external_id: 'x' }],
    ['erasing a user', 'DELETE', () => `users/${member.id}`, undefined],
    ['erasing an owner', 'DELETE', () => 'owners/owner-1', undefined],
    ['exporting an owner', 'GET', () => 'owners/owner-1/export', undefined],
    ['an API key', 'POST', () => 'api-keys', { name: 'k', scopes: ['admin'] }],
    ['exporting myself', 'GET', () => 'users/me/export', undefined],
    ['erasing myself', 'DELETE', () => 'users/me', undefined],
    ['inviting somebody', 'POST', () => 'users/invitations', { email: 'new@example.com', role: 'admin' }],
  ]
  test.each(changes)('%s needs a proof of identity of the last ten minutes', async (_what, method, path, body) => {
    const tired = await later(owner)
    expect(outcome(await as(tired, method, path(), body))).toEqual([403, 'reauthentication_required'])
    expect((await as(tired, 'GET', 'users')).json.items).toHaveLength(3)
  })

  test('a name needs none', async () => {
    expect((await as(await later(owner), 'PATCH', `users/${member.id}`, { name: 'Ben' })).status).toBe(200)
  })
})
