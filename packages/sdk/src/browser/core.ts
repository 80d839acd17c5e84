import type { SessionAnswer } from './answers.ts'
import type { EvergrantClock } from './clock.ts'
import type { EvergrantState } from './snapshot.ts'
import type { TabCoordinator } from './tabs.ts'

/** What became of a refresh. Only `rejected` means that nobody is signed in. */
export type RefreshResult =
  | { readonly kind: 'ok'; readonly generation: number }
  | { readonly kind: 'rejected'; readonly code: string }
  | { readonly kind: 'transient'; readonly retryAt: Date; readonly error: Error }

/** Which requests may be sent a second time after a refresh: all whose handler did not run, those of safe methods alone, or none. */
export type ReplayPolicy = 'if-not-executed' | 'safe-methods' | 'never'

/** How the refresh credential travels: made by `cookieSession()` or `bearerSession()`. */
export interface SessionMode {
  readonly mode: 'cookie' | 'bearer'
  /** Body of `auth/refresh` and `auth/logout`; `null` when there is nothing to refresh with. */
  body(): { readonly refresh_token: string } | undefined | null
  /** Takes the credential of an answer; without one, forgets it. */
  keep(refreshToken: string | undefined): void
  /** Joins the other tabs; gives the way to ask them for a session of this tab's own. */
  branch?(core: Core): () => Promise<unknown>
}

/**
 * One client: what it was given, and what it holds. The functions beside it are the only ones that write here, each its own part. A record, not objects with
 * methods: names of functions are shortened in an application's bundle, names of members are not.
 */
export interface Core extends EvergrantClock {
  /** Ends in `/api/v1/`. */
  readonly api: URL
  /** What a relative address is relative to. */
  readonly base: string | URL
  readonly send: typeof globalThis.fetch
  /** The only origins that get the access token. */
  readonly origins: ReadonlySet<string>
  readonly session: SessionMode
  /** Cookie mode: the tabs share one credential, and one session. */
  readonly cookie: boolean
  readonly tabs: TabCoordinator | undefined
  readonly refresh?: { readonly timeoutMs?: number; readonly leadTimeMs?: number }
  readonly replay?: ReplayPolicy
  readonly isAuthFailure?: (response: Response) => boolean
  /** For a tab that has nothing to refresh with: asks the other tabs. */
  inherit?: (() => Promise<unknown>) | undefined

  // state.ts
  state: EvergrantState
  readonly handlers: Set<{ readonly name: string; readonly handler: (detail: never) => void }>

  /** What else `dispose` stops: page events, watches. */
  readonly ends: Set<() => void>

  // session.ts
  /** The session that this page holds. */
  answer?: SessionAnswer | undefined
  /** Counts tokens, and ends, of this page: what a request was sent with. */
  version: number
  /** Counts sign-ins and sign-outs of this browser: the time of the last one, or one more. */
  epoch: number
  /** The end of the token on both clocks. */
  wallEnd: number
  monoEnd: number
  /** How long before its end the token is renewed. */
  lead: number
  /** Tokens whose header is still recognised as ours. */
  readonly tokens: string[]
  /** Whether the application was told that nobody is signed in. */
  told?: boolean

  // flight.ts
  flying?: Promise<RefreshResult> | undefined
  /** Whether requests had better wait for the refresh that is under way. */
  blocking?: boolean
  failures: number
  /** Time of `mono` until which nothing is tried, and whether the server asked for that. */
  until: number
  asked?: boolean
  trouble?: RefreshResult
  readonly starts: number[]

  // request.ts
  queued: number
  /** Origins that refused even a new token, with its version: refreshing again would not help them. */
  readonly futile: Record<string, number>
}
