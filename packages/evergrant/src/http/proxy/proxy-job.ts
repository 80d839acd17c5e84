import type { Readable } from 'node:stream'
import type { TokenRequest } from '../../core/refresh/refresh-engine.ts'
import type { Cancellation } from '../../core/time.ts'
import type { UpstreamContext } from './upstream.ts'

/** One call through the proxy, as its caller wants it. */
export interface ProxyJob {
  readonly target: UpstreamContext
  readonly token: Omit<TokenRequest, 'minTtlMs' | 'rejectedGeneration'>
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** A Buffer can be sent again; a stream cannot. */
  readonly body: Buffer | Readable | null
  /** Bytes of a body that is a stream, where its caller declared them. */
  readonly bodyLength?: number | undefined
  readonly deadlineMs: number
  /** How long the caller is willing to wait for a quota, in milliseconds; 0 to be told at once. */
  readonly waitMs: number
  readonly signal: Cancellation
}
