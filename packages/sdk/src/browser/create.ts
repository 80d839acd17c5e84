import type { ConnectionReport } from './answers.ts'
import { type EvergrantClock, race, systemClock } from './clock.ts'
import { createWatching, find, list, watch, watchAll } from './connections.ts'
import type { Core, RefreshResult, ReplayPolicy, SessionMode } from './core.ts'
import { force, refresh } from './flight.ts'
import { type Reconnected, type ReconnectOptions, reconnect } from './reconnect.ts'
import { authorizedFetch, type EvergrantFetch, failureOf } from './request.ts'
import { left } from './session.ts'
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
  /** Who gets the access token besides `baseUrl`: the origins of your own API. Nobody else ever does. */
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

/** Reads and repairs the connections of the signed-in person. Their tokens never come here. */
export interface Connections {
  /** As the server sees them now. */
  list(): Promise<readonly ConnectionReport[]>
  get(id: string): Promise<ConnectionReport | null>
  /** What was last heard, without asking: null before the first answer. The same array until something changes. */
  known(): readonly ConnectionReport[] | null
  /** Calls back with the connection when it changes, and soon with what it is; null when there is no such one. Asks every 30 s while somebody watches. */
  watch(id: string, listener: (connection: ConnectionReport | null) => void): () => void
  /** The same for all of them. */
  watchAll(listener: (connections: readonly ConnectionReport[]) => void): () => void
  /** Call it in the click: opens a window in which the owner grants again. The server, not the window, says when it is done. */
  reconnect(id: string, options?: ReconnectOptions): Promise<Reconnected>
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
  const client = clientOf(core)
  const watching = createWatching(core)
  const dispose = (): void => {
    watching.unpoll()
    watching.listeners.clear()
    client.dispose()
  }
  return {
    ...client,
    connections: {
      list: () => list(watching),
      get: async (id) => find(await list(watching), id),
      known: () => watching.known,
      watch: (id, listener) => watch(watching, id, listener),
      watchAll: (listener) => watchAll(watching, listener),
      reconnect: (id, how) => reconnect(watching, id, how),
    },
    dispose,
    [Symbol.dispose]: dispose,
  }
}

function clientOf(core: Core): SessionClient {
  const { tabs } = core
  core.inherit = core.session.branch?.(core)
  core.epoch = tabs?.read()?.epoch ?? 0
  tabs?.listen((data) => hear(core, data))
  const sleep = keepAwake(core)
  const dispose = (): void => {
    core.handlers.clear()
    sleep()
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
  const core: Core = {
    ...options,
    ...clock,
    api,
    base: page?.baseURI ?? api,
    send: options.fetch ?? fetch.bind(globalThis),
    origins: new Set([api, ...origins].map((origin) => new URL(origin, api).origin)),
    cookie: session.mode === 'cookie',
    tabs: coordination === 'auto' ? browserTabs(`evergrant:${api}`, clock) : coordination === 'none' ? undefined : coordination,
    state: START,
    handlers: new Set(),
    version: 0,
    epoch: 0,
    wallEnd: 0,
    monoEnd: 0,
    lead: 0,
    tokens: [],
    failures: 0,
    until: 0,
    starts: [],
    queued: 0,
    futile: {},
  }
  if (onSignedOut) on(core, 'signed_out', onSignedOut)
  return core
}
