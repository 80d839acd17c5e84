import type { TabSettings } from './asked.ts'
import type { Client, TabWorld } from './subject.ts'

/**
 * The canary: the interceptor that most applications start with. It refreshes on every 401, shares no flight, replays whatever it was given, and takes
 * every failed refresh for a sign-out. A kit that lets it pass where it must fail measures nothing.
 */
export function createNaive({ baseUrl, mode }: TabSettings, { fetch: given = fetch }: TabWorld): Client {
  const listeners = new Map<string, ((detail: unknown) => void)[]>()
  let access: string | null = null
  let refreshToken: string | null = null
  let user: string | null = null
  const emit = (event: string, detail: unknown) => {
    for (const listener of listeners.get(event) ?? []) listener(detail)
  }
  const headers = { 'content-type': 'application/json', 'evergrant-client': '1' }

  const take = async (response: Response): Promise<boolean> => {
    if (!response.ok) return false
    const body: { access_token: string; refresh_token?: string; user: { id: string } } = await response.json()
    access = body.access_token
    refreshToken = body.refresh_token ?? null
    user = body.user.id
    return true
  }
  const post = (path: string, body: unknown) =>
    given(`${baseUrl}/api/v1/auth/${path}`, { method: 'POST', headers, credentials: 'include', body: JSON.stringify(body) })
  const refresh = async (): Promise<boolean> => {
    const renewed = await post('refresh', mode === 'bearer' ? { refresh_token: refreshToken } : {}).then(take, () => false)
    if (renewed) emit('refreshed', {})
    else {
      access = null
      user = null
      emit('signed_out', { code: 'unknown' })
    }
    return renewed
  }
  const send = (input: string | URL | Request, init: RequestInit = {}) => {
    const merged = new Headers(init.headers ?? (input instanceof Request ? input.headers : undefined))
    if (access !== null) merged.set('authorization', `Bearer ${access}`)
    return given(input, { ...init, headers: merged })
  }
  return {
    evergrant: null,
    fetch: async (input, init) => {
      const first = await send(input, init)
      if (first.status !== 401) return first
      await refresh()
      return await send(input, init)
    },
    signIn: async (email, password) => {
      if (!(await take(await post('login', { email, password, mode })))) throw new Error('the canary could not sign in')
    },
    refresh: async () => ((await refresh()) ? 'ok' : 'rejected'),
    signOut: async () => {
      access = null
      user = null
      emit('signed_out', {})
    },
    status: () => (user === null ? 'signed_out' : 'authenticated'),
    user: () => user,
    on: (event, listener) => void listeners.set(event, [...(listeners.get(event) ?? []), listener]),
    shown: () => [JSON.stringify({ access, user })],
    dispose: () => undefined,
  }
}
