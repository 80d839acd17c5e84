import { beforeEach, describe, expect, test } from 'vitest'
import { newId } from '../../core/ids.ts'
import { personActor } from '../../core/session/session-events.ts'
import { SECOND } from '../../core/time.ts'
import type { Role, User } from '../../core/user/user.ts'
import { systemEntropy } from '../../system.ts'
import { createSessionLab, PAGE, type SessionLab } from '../../testing/session-lab.ts'

let lab: SessionLab
beforeEach(async () => {
  lab = await createSessionLab()
})

const tokenOf = async (role: Role): Promise<string> => (await lab.signIn('cookie', await lab.addUser(role))).accessToken

const eventOf = (type: 'user.role_changed' | 'user.disabled' | 'user.left', user: User) => ({
  id: newId('evt', systemEntropy),
  organization: lab.organization,
  type,
  at: lab.time.clock.wall(),
  actor: personActor(user.id),
  connection: null,
  subject: user.id,
  data: {},
})

describe('a person with an access token', () => {
  test.each([
    ['owner', '/api/v1/api-keys', 200],
    ['admin', '/api/v1/api-keys', 200],
    ['operator', '/api/v1/api-keys', 403],
    ['operator', '/api/v1/events', 200],
    ['viewer', '/api/v1/events', 200],
    ['member', '/api/v1/events', 403],
    ['viewer', '/api/v1/integrations', 200],
    ['member', '/api/v1/integrations', 403],
  ] as const)('of role %s asking for %s gets %i', async (role, url, status) => {
    const answer = await lab.call('GET', url, { key: await tokenOf(role) })
    expect(answer.status).toBe(status)
    if (status === 403) expect([answer.json.code, answer.json.action, answer.headers['evergrant-auth']]).toEqual(['role_missing', 'contact_admin', 'scope'])
  })

  test.each(['owner', 'admin', 'operator', 'member', 'viewer'] as const)('of role %s never reads a token of a connection (S89)', async (role) => {
    const answer = await lab.call('GET', `/api/v1/connections/${lab.connection}/token`, { key: await tokenOf(role) })
    expect([answer.status, answer.json.code]).toEqual([403, 'role_missing'])
  })

  test('is told what to do by every refusal, and the handler did not run', async () => {
    const { accessToken } = await lab.signIn('cookie')
    expect((await lab.validate(accessToken)).status).toBe(200)
    const [head, body, signature = ''] = accessToken.split('.')
    const forged = `${head}.${body}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`
    const none = await lab.call('GET', '/api/v1/auth/validate', { key: null })
    const wrong = await lab.validate(forged)
    await lab.time.advance(606 * SECOND)
    const late = await lab.validate(accessToken)
    expect([none, wrong, late].map(({ status, json, headers }) => [status, json.code, headers['evergrant-auth'], headers['www-authenticate']])).toEqual([
      [401, 'unauthenticated', 'missing', 'Bearer realm="evergrant"'],
      [401, 'access_token_expired', 'expired', 'Bearer error="invalid_token"'],
      [401, 'access_token_expired', 'expired', 'Bearer error="invalid_token"'],
    ])
    expect(late.json.action).toBe('retry')
  })

  test('is written into events as themselves', async () => {
    const admin = await lab.addUser('admin')
    const { accessToken } = await lab.signIn('cookie', admin)
    const made = await lab.call('POST', '/api/v1/api-keys', { key: accessToken, body: { name: 'ci', scopes: ['connections:read'] } })
    expect(made.status).toBe(201)
    const { items } = await lab.store.events.list(lab.organization, { subject: made.json.id }, { limit: 10, cursor: null })
    expect(items.map(({ actor }) => actor)).toEqual([{ kind: 'user', id: admin.id }])
  })

  test('loses a right with the role, and the session with the membership, at the next request (S102)', async () => {
    await lab.addUser('owner')
    const user = await lab.addUser('admin')
    const { accessToken } = await lab.signIn('cookie', user)
    const ask = () => lab.call('GET', '/api/v1/api-keys', { key: accessToken })
    expect((await ask()).status).toBe(200)
    expect(await lab.store.users.changeRole(lab.organization, user.id, 'viewer', eventOf('user.role_changed', user))).toBe('changed')
    expect((await ask()).json.code).toBe('role_missing')
    expect(await lab.store.users.removeMember(lab.organization, user.id, lab.time.clock.wall(), eventOf('user.left', user))).toBe('removed')
    const refused = await ask()
    expect([refused.status, refused.json.code, refused.headers['evergrant-auth']]).toEqual([401, 'session_revoked', 'revoked'])
  })

  test('who is disabled is out at the next request, and does not come back with a refresh (S49)', async () => {
    const user = await lab.addUser('admin')
    const { accessToken, refreshCredential } = await lab.signIn('cookie', user)
    expect((await lab.validate(accessToken)).status).toBe(200)
    const now = lab.time.clock.wall()
    expect(await lab.store.users.update({ ...user, disabledAt: now, updatedAt: now, version: 2 }, eventOf('user.disabled', user))).toBe('updated')
    expect((await lab.validate(accessToken)).json.code).toBe('session_revoked')
    const answer = await lab.refresh(refreshCredential)
    expect([answer.status, answer.json.code]).toEqual([401, 'session_revoked'])
  })

  test('in a loop is slowed by session, and nobody else is', async () => {
    const slow = await createSessionLab({ app: { keyLimit: { perSecond: 1, capacity: 3 } } })
    const [ana, other] = [await slow.signIn('cookie'), await slow.signIn('cookie', await slow.addUser('viewer'))]
    const answers = []
    for (let index = 0; index < 4; index++) answers.push(await slow.validate(ana.accessToken))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 429])
    expect((await slow.validate(other.accessToken)).status).toBe(200)
  })

  test('made-up tokens are counted against their address; genuine ones beside them pass', async () => {
    const tight = await createSessionLab({ app: { failureLimit: { perSecond: 1, capacity: 2 } } })
    const { accessToken } = await tight.signIn('cookie')
    expect((await tight.validate(accessToken)).status).toBe(200)
    const [head, body] = accessToken.split('.')
    const statuses = []
    for (let index = 0; index < 4; index++) statuses.push((await tight.validate(`${head}.${body}.${'A'.repeat(80)}${index}AAAAA`)).status)
    expect(statuses).toEqual([401, 401, 429, 429])
    expect((await tight.validate(accessToken)).status).toBe(200)
  })
})

describe('who is no person', () => {
  test('a key of a backend is refused where a person is asked for', async () => {
    for (const url of ['/api/v1/auth/validate', '/api/v1/users/me/sessions']) {
      const answer = await lab.call('GET', url)
      expect([answer.status, answer.json.code]).toEqual([403, 'forbidden'])
      expect(answer.json.detail).toContain('not an API key')
    }
  })

  test.each(['/api/v1/auth/validate', '/api/v1/users/me/sessions', '/api/v1/connections', '/api/v1/events', '/api/v1/api-keys'])(
    'a cookie lets nobody in at %s (S55)',
    async (url) => {
      const { refreshCredential } = await lab.signIn('cookie', await lab.addUser('owner'))
      const headers = { ...PAGE, cookie: `__Host-evergrant_session=${refreshCredential}` }
      const plain = await lab.call('GET', url, { key: null, headers })
      const asToken = await lab.call('GET', url, { key: refreshCredential, headers })
      expect([plain.status, plain.json.code, asToken.status]).toEqual([401, 'unauthenticated', 401])
    },
  )

  test('an access token of another server of ours is worth nothing here', async () => {
    const other = await createSessionLab()
    const { accessToken } = await other.signIn('cookie')
    expect((await lab.validate(accessToken)).json.code).toBe('access_token_expired')
  })
})
