import type { Readable } from 'node:stream'
import type { ConnectionId, OrganizationId } from '../../core/ids.ts'
import type { QuotaBook, QuotaSubject } from '../../core/pacing/quota-book.ts'
import type { ProviderContext } from '../../core/provider/context.ts'
import type { Cancellation } from '../../core/time.ts'

/** What the proxy needs to reach providers' APIs. */
export interface Upstream {
  /** @throws Fault `not_found`, `client_rejected`, `provider_unavailable` */
  contextOf(organization: OrganizationId, connection: ConnectionId): Promise<UpstreamContext>
  /** Follows no redirect and guards the address. Rejects with an error that has a {@link UpstreamFailure} as `kind`. */
  send(request: UpstreamRequest): Promise<UpstreamAnswer>
  /** What is left of providers' quotas. */
  readonly pacing: Pick<QuotaBook, 'ready' | 'enter' | 'shown'>
}

export interface UpstreamContext {
  readonly context: ProviderContext
  /** How often a request may be replayed after a 401 that renewed the token. */
  readonly replays: number
  /** Whose quotas a request counts against. */
  readonly quota: QuotaSubject
}

interface UpstreamRequest {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  readonly body: Buffer | Readable | null
  /** Bytes of a body that is a stream, where they are known. */
  readonly bodyLength?: number | undefined
  /** Until the head of the answer is here, in milliseconds. */
  readonly deadlineMs: number
  readonly signal?: Cancellation
  /** Of the client, where its provider wants one shown. A secret. */
  readonly certificate?: string | undefined
}

export interface UpstreamAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  readonly body: Readable
}

/** `not_sent`: no byte reached the API. The others may have acted. */
type UpstreamFailure = 'not_sent' | 'no_answer' | 'timeout' | 'cancelled'

export function failureOf(error: unknown): UpstreamFailure | undefined {
  if (typeof error !== 'object' || error === null || !('kind' in error)) return undefined
  const { kind } = error
  return kind === 'not_sent' || kind === 'no_answer' || kind === 'timeout' || kind === 'cancelled' ? kind : undefined
}
