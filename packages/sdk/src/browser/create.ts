import { type EvergrantClock, race, systemClock } from './clock.ts'
import type { Connections } from './connections.ts'
import { connectionsOf } from './connections-loader.ts'
import type { Core, RefreshResult, ReplayPolicy, SessionMode } from './core.ts'
import { force, refresh } from './flight.ts'
import { authorizedFetch, type EvergrantFetch, failureOf } from './request.ts'
import { left, move } from './session.ts'
import { type SignIn, type SignInResult, type SignOut, signIn, signOut } from './sign-in.ts'
import { type EventName, type EvergrantEvents, type EvergrantState, START } from './snapshot.ts'
import { on } from './state.ts'
import { browserTabs, type TabCoordinator } from './tabs.ts'
import { hear, keepAwake } from './wake.ts'

export interface EvergrantOptions {
  /** Where Evergrant is, without `/api/v1`. May be relative in a page: `''` for the page's own origin. */
  readonly baseUrl: string
  /** `cookieSession()` or `bearerSession()`. */
  readonly session: SessionMode
  /** Who gets the access token besides `baseUrl`: the origins of your own API, such as `https://api.example.com`. Nobody else ever does. @throws TypeError for one without a scheme */
  readonly origins?: readonly string[]
  /** How long one refresh may take (10 s), and how long before its end a token is renewed (a tenth of its life, at least 30 s). */
  readonly refresh?: { readonly timeoutMs?: number; readonly leadTimeMs?: number }
  /** Which answers mean that the access token was not good. By default a 401 with the header `Evergrant-Auth`. */
  readonly isAuthFailure?: (response: Response) => boolean
  /** `if-not-executed` by default. */
  readonly replay?: ReplayPolicy
  /** `auto` (default) agrees with the other tabs of this browser; on a server it is `none`. */
  readonly coordination?: 'auto' | 'none' | TabCoordinator
  readonly onSignedOut?: (detail: EvergrantEvents['signed_out']) => void
  readonly fetch?: typeof globalThis.fetch
  /** For tests. */
  readonly clock?: Partial<EvergrantClock>
}

/** A person's session in this page. */
export interface SessionClient {
  /** As `fetch`, with the access token for the listed origins, and one replay after a refresh. */
  readonly fetch: EvergrantFetch
  readonly getState: () => EvergrantState
  /** Calls back after every change of the state. */
  readonly subscribe: (listener: () => void) => () => void
  readonly on: <Name extends EventName>(name: Name, handler: (detail: EvergrantEvents[Name]) => void) => () => void
  /**
   * Renews the token if it is time; the first call finds out who is signed in. `force`: even if it is not time, or if nobody was signed in here.
   * Never rejects.
   */
  readonly refresh: (options?: { readonly force?: boolean }) => Promise<RefreshResult>
  /** Rejects with what the server said, such as `sign_in_refused`. */
  readonly signIn: (input: SignIn) => Promise<SignInResult>
  /** Here and in the other tabs at once; rejects when the server could not be told. */
  readonly signOut: (options?: SignOut) => Promise<void>
  /** A token that is good for a while, for what is not `fetch`: WebSockets, other clients. Do not keep it. */
  readonly accessToken: (options?: { readonly signal?: AbortSignal }) => Promise<string>
  /** Ends timers, listeners and channels; nobody is signed out. */
  readonly dispose: () => void
  readonly [Symbol.dispose]: () => void
}

/** The session, and the connections of the person who is signed in. */
export interface Evergrant extends SessionClient {
  readonly connections: Connections
}

/** The session alone, without the connections: the smallest client. Never signs anybody out by itself. Touches nothing until it is called. */
export function createSessionClient(options: EvergrantOptions): SessionClient {
  return clientOf(coreOf(options))
}

/** Never signs anybody out by itself: only the person, or a code of the server's closed list, does. Touches nothing until it is called. */
export function createEvergrant(options: EvergrantOptions): Evergrant {
  const core = coreOf(options)
  return { ...clientOf(core), connections: connectionsOf(core) }
}

function clientOf(core: Core): SessionClient {
  const { tabs } = core
  core.inherit = core.session.branch?.(core)
  move(core, tabs?.read()?.epoch ?? 0)
  tabs?.listen((data) => hear(core, data))
  keepAwake(core)
  const dispose = (): void => {
    core.handlers.clear()
    for (const end of core.ends) end()
    tabs?.close()
  }
  return {
    fetch: (input, init) => authorizedFetch(core, input, init),
    getState: () => core.state,
    subscribe: (listener) => on(core, '', listener),
    on: (name, handler) => on(core, name, handler),
    refresh: ({ force: forced } = {}) => (forced ? force(core) : refresh(core)),
    signIn: (input) => signIn(core, input),
    signOut: (scope) => signOut(core, scope),
    async accessToken({ signal } = {}) {
      const failure = failureOf(await race(refresh(core), signal))
      if (failure && left(core) <= 0) throw failure
      return core.answer?.access_token ?? ''
    },
    dispose,
    [Symbol.dispose]: dispose,
  }
}

function coreOf(options: EvergrantOptions): Core {
  const clock = { ...systemClock, ...options.clock }
  const page = globalThis.document
  const { baseUrl, session, origins = [], coordination = page ? 'auto' : 'none', onSignedOut } = options
  const api = new URL(`${baseUrl.replace(/\/+$/, '')}/api/v1/`, page?.baseURI)
  // The rest comes with `move` and `adopt`.
  const core = {
    ...options,
    ...clock,
    api,
    base: page?.baseURI ?? api,
    send: options.fetch ?? fetch.bind(globalThis),
    origins: new Set([api, ...origins].map((origin) => new URL(origin).origin)),
    cookie: session.mode === 'cookie',
    tabs: coordination === 'auto' ? browserTabs(`evergrant:${api}`, clock) : coordination === 'none' ? undefined : coordination,
    state: START,
    handlers: new Set(),
    ends: new Set(),
    version: 0,
    tokens: [],
    starts: [],
    queued: 0,
    futile: {},
  } as Partial<Core> as Core
  if (onSignedOut) on(core, 'signed_out', onSignedOut)
  return core
}
