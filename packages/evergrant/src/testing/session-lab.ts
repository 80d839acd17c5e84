import { Fault } from '../core/fault/fault.ts'
import type { OrganizationId } from '../core/ids.ts'
import type { SessionMode } from '../core/session/session.ts'
import type { Opened } from '../core/session/session-service.ts'
import type { Role, User } from '../core/user/user.ts'
import type { AppOptions } from '../http/app.ts'
import { openMemoryStore, type Store } from '../store/index.ts'
import { type ApiAnswer, type ApiLab, createApiLab } from './api-lab.ts'
import type { LabOptions } from './engine-lab.ts'
import type { ManualTime } from './manual-time.ts'
import { newMember } from './people.ts'

export const APP_ORIGIN = 'https://app.evergrant.example'
/** What a page of a listed origin of the same site sends with every request that carries the cookie. */
export const PAGE = { origin: APP_ORIGIN, 'sec-fetch-site': 'same-site', 'evergrant-client': '1' } as const

export interface SessionLab extends ApiLab {
  /** While true every call to people, sessions, keys and organizations fails as a database does that is away. */
  readonly database: {
    down: boolean
    /** Runs after each call that succeeded, before its caller goes on. */
    after: ((call: string) => Promise<void> | void) | null
    readonly asked: string[]
  }
  readonly ana: User
  addUser(role: Role, organization?: OrganizationId): Promise<User>
  /** A session of `ana`, unless somebody else is named. */
  signIn(mode: SessionMode, user?: User): Promise<Opened>
  /** As a page of the application does it in cookie mode. */
  refresh(cookie: string | null, headers?: Readonly<Record<string, string>>): Promise<ApiAnswer>
  /** As a program does it in bearer mode. */
  refreshBearer(text: string): Promise<ApiAnswer>
  validate(accessToken: string): Promise<ApiAnswer>
}

/** The API over the real embedded store, with a person who can be signed in. */
export async function createSessionLab(options: LabOptions & { readonly app?: Partial<AppOptions> } = {}): Promise<SessionLab> {
  const database: SessionLab['database'] = { down: false, after: null, asked: [] }
  const lab = await createApiLab({
    ...options,
    app: { allowedOrigins: [APP_ORIGIN], ...options.app },
    store: async (time) => breakable(await (options.store?.(time) ?? inMemory(time)), database),
  })
  const addUser = (role: Role, organization: OrganizationId = lab.organization): Promise<User> => newMember(lab, { role, organization })
  const ana = await addUser('member')
  return {
    ...lab,
    database,
    ana,
    addUser,
    signIn: (mode, user = ana) =>
      lab.services.sessions.open({ user, organization: lab.organization, mode, methods: ['pwd'], address: '203.0.113.7', userAgent: 'Browser 1' }),
    refresh: (cookie, headers = PAGE) =>
      lab.call('POST', '/api/v1/auth/refresh', { key: null, headers: { ...headers, ...(cookie === null ? {} : { cookie: `${COOKIE}=${cookie}` }) } }),
    refreshBearer: (text) => lab.call('POST', '/api/v1/auth/refresh', { key: null, body: { refresh_token: text } }),
    validate: (accessToken) => lab.call('GET', '/api/v1/auth/validate', { key: accessToken }),
  }
}

/** The lab is reached by https. */
const COOKIE = '__Host-evergrant_session'

/** The value that an answer gave to the cookie: `''` where it was taken away, null where nothing was said of it. */
export function cookieOf(answer: ApiAnswer): string | null {
  const header = answer.headers['set-cookie']
  const lines = header === undefined ? [] : Array.isArray(header) ? header : [String(header)]
  const line = lines.find((candidate) => candidate.startsWith(`${COOKIE}=`))
  return line === undefined ? null : (line.slice(COOKIE.length + 1).split(';')[0] ?? '')
}

function inMemory({ clock, timers }: ManualTime): Promise<Store> {
  return openMemoryStore({ clock, timers })
}

function breakable(store: Store, state: SessionLab['database']): Store {
  const guarded = <Part extends object>(name: string, part: Part): Part =>
    new Proxy(part, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key)
        if (typeof value !== 'function') return value
        return async (...args: unknown[]) => {
          const call = `${name}.${String(key)}`
          state.asked.push(call)
          if (state.down) throw new Fault('store_unavailable')
          const result: unknown = await Reflect.apply(value, target, args)
          await state.after?.(call)
          return result
        }
      },
    })
  return {
    ...store,
    users: guarded('users', store.users),
    sessions: guarded('sessions', store.sessions),
    signingKeys: guarded('signingKeys', store.signingKeys),
    organizations: guarded('organizations', store.organizations),
    changes: { ...store.changes, fresh: () => !state.down && store.changes.fresh() },
  }
}
