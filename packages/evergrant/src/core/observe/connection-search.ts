import type { ConnectionStatus } from '../connection/connection.ts'
import type { IntegrationId } from '../ids.ts'
import type { Instant } from '../time.ts'

/** What connections are looked for by. Everything given must hold. */
export interface ConnectionSearch {
  /** The whole id, or the beginning of owner, account or label (ASCII letters in any case), or a whole tag. */
  readonly text?: string
  /** One of these; none of them when empty. */
  readonly integrations?: readonly IntegrationId[]
  readonly owner?: string
  readonly tag?: string
  /** One of these. */
  readonly statuses?: readonly ConnectionStatus[]
  /** Code of the stored fault. */
  readonly code?: string
  /** When the grant ends whatever we do. */
  readonly ends?: Span
  /** When it is renewed next by itself; what ends before that is not renewed. */
  readonly renews?: Span
}

/** `from` inclusive, `to` exclusive; null is open. */
export interface Span {
  readonly from: Instant | null
  readonly to: Instant | null
}

export interface ClosedSpan extends Span {
  readonly from: Instant
  readonly to: Instant
}

export const SORTS = ['created', 'account', 'status', 'expires', 'last_success', 'next'] as const

/** `expires` is the end that no renewal moves. Connections without such an instant come last, whichever way it is turned. */
export interface ConnectionSort {
  readonly by: (typeof SORTS)[number]
  readonly down: boolean
}

/** Newest first, as every list. */
export const NEWEST_FIRST: ConnectionSort = { by: 'created', down: true }

/** Those that need somebody come first. */
export const STATUS_ORDER: readonly ConnectionStatus[] = ['needs_reauth', 'blocked', 'degraded', 'paused', 'active', 'disconnected']

/** `-` before a name turns it. Undefined: there is no such sort. */
export function sortOf(text: string): ConnectionSort | undefined {
  const down = text.startsWith('-')
  const by = SORTS.find((name) => name === (down ? text.slice(1) : text))
  return by === undefined ? undefined : { by, down }
}

/** ASCII letters alone, as the databases fold them. */
export function folded(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
}
