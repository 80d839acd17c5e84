// What a scenario asks a tab, and what the tab reports: plain data, since the tab may live in a page of Chromium.

export type Transport = 'string' | 'request' | 'axios'
export type Mode = 'cookie' | 'bearer'

export interface TabSettings {
  readonly baseUrl: string
  readonly mode: Mode
  readonly transport: Transport
  /** `naive` is the canary: it refreshes on every 401 and shares nothing. */
  readonly subject: 'evergrant' | 'naive'
  readonly origins?: readonly string[]
  /** `none`: no help between tabs. */
  readonly coordination?: 'auto' | 'none'
  /** How long one refresh may take. */
  readonly refreshTimeoutMs?: number
  /** What handlers of events do, inside themselves. */
  readonly inHandlers?: 'fetch' | 'refresh' | 'sign-out'
}

export interface BodySpec {
  readonly kind: 'json' | 'text' | 'form-data' | 'blob' | 'array-buffer' | 'search-params' | 'stream'
  readonly text: string
}

export interface Asked {
  /** Path on the origin of the API, or a whole URL. */
  readonly url: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: BodySpec
  readonly credentials?: 'omit' | 'same-origin' | 'include'
  /** The caller's own limit. */
  readonly timeoutMs?: number
  /** Give a URL object instead of text. */
  readonly asUrl?: boolean
  /** Leave the path as it is: the page resolves it. */
  readonly relative?: boolean
  /** The same `Request` object again, where the transport has one. */
  readonly reuse?: string
}

export type Outcome =
  | { readonly kind: 'answer'; readonly status: number; readonly text: string; readonly at: number }
  | {
      readonly kind: 'error'
      /** Of the innermost error that is ours; else of what was thrown. */
      readonly name: string
      readonly code: string | null
      readonly action: string | null
      readonly retryAt: string | null
      /** True for what a library calls a cancellation. */
      readonly cancelled: boolean
      readonly message: string
      readonly at: number
    }

export interface Noted {
  readonly event: string
  readonly code: string | null
  readonly detail: string
}

export const outcomeStatus = (outcome: Outcome | null): number | string | null =>
  outcome === null ? null : outcome.kind === 'answer' ? outcome.status : outcome.name
