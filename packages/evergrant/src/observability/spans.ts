import type { SpanAttributes } from '../core/tracing.ts'

/** A span that is under way. */
export interface OpenSpan {
  readonly traceId: string
  readonly spanId: string
  rename(name: string): void
  set(attributes: SpanAttributes): void
  /** `trouble`: a stable code; null where all went well. */
  end(trouble?: string | null): void
}

/** The caller's own trace, as its `traceparent` says (W3C Trace Context, section 3.2). */
export interface RemoteParent {
  readonly traceId: string
  readonly spanId: string
  readonly sampled: boolean
}

/** Makes spans and sends them away. Nothing here throws or rejects into the work that is traced. */
export interface SpanSource {
  start(name: string, kind: 'server' | 'client' | 'internal', attributes: SpanAttributes, parent: OpenSpan | RemoteParent | null): OpenSpan
  /** Sends what is finished. Resolves in any case. */
  close(): Promise<void>
}

const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/
const NONE = /^0+$/

/** Null for what is no valid `traceparent`: the request then begins a trace of its own. */
export function readTraceparent(header: string | readonly string[] | undefined): RemoteParent | null {
  if (typeof header !== 'string' || header.length > 200) return null
  const [, traceId = '', spanId = '', flags = ''] = TRACEPARENT.exec(header) ?? []
  // Version ff is forbidden, version 00 has four fields exactly (3.2.2.1).
  if (traceId === '' || NONE.test(traceId) || NONE.test(spanId) || header.startsWith('ff')) return null
  if (header.startsWith('00') && header.length !== 55) return null
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 }
}
