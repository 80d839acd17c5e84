import { bearerSession, cookieSession, createEvergrant, type Evergrant } from '../../../sdk/src/browser/index.ts'
import type { TabSettings } from './asked.ts'
import type { Fetch } from './cookie-jar.ts'

/** What the tab is given where there is no browser around it. */
export interface TabWorld {
  readonly fetch?: Fetch
  /** How far the clocks of this tab are ahead: the wall clock, and the monotonic one. Changed while the tab lives. */
  readonly clock?: { offsetMs: number; sleptMs: number }
}

/** A client as the tab sees it: ours, or the canary. */
export interface Client {
  readonly evergrant: Evergrant | null
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>
  signIn(email: string, password: string): Promise<void>
  /** The kind of the outcome. */
  refresh(force: boolean): Promise<string>
  signOut(scope: 'here' | 'everywhere'): Promise<void>
  status(): string
  /** Id of the person; null when nobody is signed in. */
  user(): string | null
  on(event: string, listener: (detail: unknown) => void): void
  shown(): readonly string[]
  dispose(): void
}

export const EVENTS = ['signed_out', 'refreshed', 'degraded', 'recovered', 'queued', 'replayed', 'refresh_ineffective'] as const

/** The browser client of the SDK, as an application makes it. */
export function createSubject(settings: TabSettings, { fetch: given, clock }: TabWorld): Client {
  const { baseUrl, mode, origins, coordination, refreshTimeoutMs } = settings
  const evergrant = createEvergrant({
    baseUrl,
    session: mode === 'cookie' ? cookieSession() : bearerSession(),
    ...(origins === undefined ? {} : { origins }),
    ...(coordination === undefined ? {} : { coordination }),
    ...(refreshTimeoutMs === undefined ? {} : { refresh: { timeoutMs: refreshTimeoutMs } }),
    ...(given === undefined ? {} : { fetch: given }),
    ...(clock === undefined ? {} : { clock: { now: () => Date.now() + clock.offsetMs, mono: () => performance.now() + clock.sleptMs } }),
  })
  return {
    evergrant,
    fetch: (input, init) => evergrant.fetch(input, init),
    signIn: async (email, password) => {
      const { kind } = await evergrant.signIn({ email, password })
      if (kind !== 'signed_in') throw new Error('a person of the kit has no second factor')
    },
    refresh: async (force) => (await evergrant.refresh({ force })).kind,
    signOut: async (scope) => void (await evergrant.signOut({ scope })),
    status: () => evergrant.getState().status,
    user: () => evergrant.getState().user?.id ?? null,
    on: (event, listener) => void evergrant.on(event as 'refreshed', listener),
    shown: () => [JSON.stringify(evergrant.getState()), JSON.stringify(evergrant), String(evergrant)],
    dispose: () => evergrant.dispose(),
  }
}
