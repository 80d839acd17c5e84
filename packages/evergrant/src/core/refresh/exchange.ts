import type { SessionAnswer } from '../connect/connect-sessions.ts'
import type { ConnectSessionId, IntentId, OrganizationId } from '../ids.ts'
import type { ProviderContext } from '../provider/context.ts'
import type { Verdict } from '../provider/verdict.ts'
import type { Instant } from '../time.ts'

export interface CodeExchangeRequest {
  readonly organization: OrganizationId
  readonly session: ConnectSessionId
  /** Already durable: `beginExchange` wrote it. */
  readonly intent: IntentId
  readonly context: ProviderContext
  readonly code: string
  readonly redirectUri: string
  readonly verifier: string | null
  /** What only the callback said, kept with the answer so that a restart can go on with both. */
  readonly callback: Readonly<Record<string, string>>
}

export interface CodeExchangeResult {
  readonly verdict: Verdict
  /** When the request was sent: lifetimes count from here. */
  readonly sentAt: Instant
  /** Null when nothing was answered. Sealed body, ready for `stage`. */
  readonly answer: SessionAnswer | null
}

/**
 * The authorization-code exchange, through the same sender, judge and journal as a refresh. The caller stages the grant
 * (retrying until the store has it) and then calls `settle`.
 */
export interface CodeExchange {
  run(request: CodeExchangeRequest): Promise<CodeExchangeResult>
  settle(intent: IntentId): void
}
