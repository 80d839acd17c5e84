import type { ConnectionReport } from './answers.ts'

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

export type ReconnectStep = 'opening' | 'waiting' | Reconnected['kind']

export interface ReconnectOptions {
  /** `tab`: goes there in this tab, for pages that must not open windows. */
  readonly target?: 'window' | 'tab'
  /** One of the integration's return URLs, where the flow ends. */
  readonly returnUrl?: string
  /** Ends the wait. The window stays, and a success in it still counts. */
  readonly signal?: AbortSignal
  readonly onStep?: (step: ReconnectStep) => void
}

export type Reconnected =
  | { readonly kind: 'done'; readonly connection: ConnectionReport }
  /** The browser opened no window: offer `url` as a link, or go there. */
  | { readonly kind: 'blocked'; readonly url: string }
  /** Nobody finished it. A later success is seen by those who watch the connection. */
  | { readonly kind: 'cancelled' | 'expired' }
