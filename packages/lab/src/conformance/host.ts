import type { Page } from 'playwright-core'
import type { TabSettings } from './asked.ts'
import type { Tab } from './tab.ts'

export type HostKind = 'node' | 'chromium'

type Remote<Inner, Name extends keyof Inner> = {
  readonly [Key in Name]: Inner[Key] extends (...given: infer Given) => infer Result ? (...given: Given) => Promise<Awaited<Result>> : never
}

const METHODS = [
  'open',
  'signIn',
  'begin',
  'beginAll',
  'outcome',
  'peek',
  'abort',
  'send',
  'sendAll',
  'refresh',
  'signOut',
  'status',
  'user',
  'noted',
  'shown',
  'dispose',
] as const

/** A tab from outside. */
export interface TabHandle extends Remote<Tab, (typeof METHODS)[number]> {
  /** Null in Node. */
  readonly page: Page | null
  /** Moves the wall clock, of the whole device in Chromium; timers and the monotonic clock go on as they are. */
  readonly jumpClock: (ms: number) => Promise<void>
  /** Time passes as in sleep: timers that are due fire once afterwards. For the whole device in Chromium; in Node for this tab, and only its clocks move. */
  readonly passTime: (ms: number) => Promise<void>
  /** What the page's console said. */
  readonly console: readonly string[]
  readonly close: () => Promise<void>
}

export interface TabOpening {
  readonly settings: TabSettings
  /** Chromium: runs in the page before anything else. */
  readonly before?: string
  /** Chromium: time is turned by hand, and begins this far from the true one. Node: the wall clock begins so. */
  readonly clockAheadMs?: number
}

/** A browser of its own: its tabs share cookies, locks and channels. */
export interface Device {
  readonly openTab: (opening: TabOpening) => Promise<TabHandle>
  /** As when somebody clears the site's data. */
  readonly clearCookies: () => Promise<void>
  readonly close: () => Promise<void>
}

export interface Host {
  readonly kind: HostKind
  readonly newDevice: (origin: string) => Promise<Device>
  readonly close: () => Promise<void>
}

export function tabHandle(
  invoke: (name: string, given: readonly unknown[]) => Promise<unknown>,
  rest: Pick<TabHandle, 'page' | 'jumpClock' | 'passTime' | 'console' | 'close'>,
): TabHandle {
  const methods = METHODS.map((name) => [name, (...given: unknown[]) => invoke(name, given)])
  return { ...Object.fromEntries(methods), ...rest } as TabHandle
}
