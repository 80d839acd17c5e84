// Fail-open (S97, CWE-636): while somebody is let in, each call of the store fails in turn. Who must be refused is never let in.
import { beforeAll, expect, test } from 'vitest'
import { Fault } from '../../core/fault/fault.ts'
import { openMemoryStore, type Store } from '../../store/index.ts'
import { type ApiAnswer, type ApiLab, createApiLab } from '../../testing/api-lab.ts'
import { type SignedInPerson, signIn } from '../../testing/people.ts'

/** Which call of the store fails next, and how many there were since it was set. */
const trouble = { calls: 0, failing: 0, how: (): unknown => new Fault('store_unavailable') }

function breakable(store: Store): Store {
  const guarded = <Part extends object>(part: Part): Part =>
    new Proxy(part, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key)
        if (typeof value !== 'function') return value
        return (...args: unknown[]) => {
          trouble.calls += 1
          if (trouble.calls === trouble.failing) return Promise.reject(trouble.how())
          return Reflect.apply(value, target, args)
        }
      },
    })
  const kept = new Set(['changes', 'close'])
  return Object.fromEntries(
    Object.entries(store).map(([name, part]) => [name, kept.has(name) || typeof part !== 'object' || part === null ? part : guarded(part)]),
  ) as unknown as Store
}

let lab: ApiLab
let admin: string
beforeAll(async () => {
  lab = await createApiLab({ store: async ({ clock, timers }) => breakable(await openMemoryStore({ clock, timers })) })
  admin = await lab.keyFor(['admin'])
})

const person = (role: 'owner' | 'viewer' | 'member' = 'owner'): Promise<SignedInPerson> => signIn(lab, { role, organization: lab.organization })
const listing = (key: string): Promise<ApiAnswer> => lab.call('GET', '/api/v1/connections', { key })

/** Each makes somebody who must be refused, anew, and says how they ask. */
const REFUSED: readonly (readonly [who: string, make: () => Promise<() => Promise<ApiAnswer>>])[] = [
  [
    'somebody whose session was ended',
    async () => {
      const { token, opened } = await person()
      // Whoever was here before is remembered for a while: what is remembered must go with the end.
      expect((await listing(token)).status).toBe(200)
      await lab.services.sessions.end(opened.signedIn.session, 'here', { address: null, userAgent: null })
      return () => listing(token)
    },
  ],
  [
    'somebody who was disabled',
    async () => {
      const { token, id } = await person('member')
      expect((await listing(token)).status).toBe(200)
      expect((await lab.call('PATCH', `/api/v1/users/${id}`, { key: admin, body: { disabled: true } })).status).toBe(200)
      return () => listing(token)
    },
  ],
  [
    'the refresh credential of a session that was ended',
    async () => {
      const { refreshToken, opened } = await person()
      await lab.services.sessions.end(opened.signedIn.session, 'here', { address: null, userAgent: null })
      return () => lab.call('POST', '/api/v1/auth/refresh', { key: null, body: { refresh_token: refreshToken } })
    },
  ],
  [
    'a revoked key',
    async () => {
      const made = (await lab.call('POST', '/api/v1/api-keys', { key: admin, body: { name: 'gone', scopes: ['connections:read'] } })).json
      expect((await listing(made.key)).status).toBe(200)
      expect((await lab.call('DELETE', `/api/v1/api-keys/${made.id}`, { key: admin })).status).toBeLessThan(300)
      return () => listing(made.key)
    },
  ],
  [
    'a key without the scope',
    async () => {
      const key = await lab.keyFor(['events:read'])
      return () => listing(key)
    },
  ],
  [
    'a role without the right',
    async () => {
      const { token } = await person('viewer')
      return () => lab.call('POST', '/api/v1/api-keys', { key: token, body: { name: 'x', scopes: ['admin'] } })
    },
  ],
  [
    'a wrong password',
    async () => {
      const { user } = await person('member')
      return () => lab.call('POST', '/api/v1/auth/login', { key: null, body: { email: user.email, password: 'green pears travel slowly', mode: 'bearer' } })
    },
  ],
  [
    'a made-up link for a new password',
    async () => () =>
      lab.call('POST', '/api/v1/auth/password/reset', { key: null, body: { token: 'A'.repeat(43), password: 'green pears travel slowly', mode: 'bearer' } }),
  ],
  [
    'a made-up token of a first start',
    async () => () =>
      lab.call('POST', '/api/v1/auth/setup', {
        key: null,
        body: { token: 'A'.repeat(43), email: 'a@example.com', password: 'green pears travel slowly', mode: 'bearer' },
      }),
  ],
]

test.each(REFUSED)('whichever call of the store fails, %s is never let in (S97)', async (_who, make) => {
  const ask = await make()
  Object.assign(trouble, { calls: 0, failing: 0 })
  const plain = await ask()
  const calls = trouble.calls
  expect([401, 403, 410]).toContain(plain.status)
  for (const how of [() => new Fault('store_unavailable'), () => new TypeError('a mistake of ours'), () => undefined]) {
    for (let failing = 1; failing <= calls + 1; failing += 1) {
      const again = await make()
      Object.assign(trouble, { calls: 0, failing, how })
      const { status, json } = await again()
      Object.assign(trouble, { failing: 0 })
      expect([failing, status >= 400 && json?.access_token === undefined && json?.items === undefined, status]).toEqual([failing, true, status])
    }
  }
})

test('the same ways let in whoever is somebody', async () => {
  expect((await listing((await person()).token)).status).toBe(200)
  expect((await listing(await lab.keyFor(['connections:read']))).status).toBe(200)
})
