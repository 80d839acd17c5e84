import type { Events } from '../audit/events.ts'
import type { ConnectionChecks } from '../connection/check-connection.ts'
import type { Checks } from '../connection/checks.ts'
import type { Connections } from '../connection/connections.ts'
import type { IntegrationId, OrganizationId } from '../ids.ts'
import type { Log } from '../log.ts'
import type { GrantRow } from '../refresh/credentials.ts'
import type { GrantContexts } from '../refresh/grant-contexts.ts'
import type { RefreshEngine } from '../refresh/refresh-engine.ts'
import type { ToldEnd, ToldEndOutcome } from '../refresh/told-end.ts'
import type { Seal } from '../seal/seal.ts'
import type { Clock, Entropy, Instant } from '../time.ts'
import type { ProofCipher } from './proof-cipher.ts'
import type { Pushes } from './pushes.ts'

/** What became of a push, for the metrics: few words, no account. */
export type PushOutcome =
  | 'handshake'
  | 'refused'
  | 'accepted'
  | 'repeated'
  | 'irrelevant'
  | 'unknown_account'
  | 'ended'
  | 'alive'
  | 'superseded'
  | 'unresolved'
  | 'changed'
  | 'code'

/** An authorization code that came in a push instead of with a browser. */
export interface PushedCode {
  readonly organization: OrganizationId
  readonly integration: IntegrationId
  readonly code: string
  readonly account: string | null
  readonly facts: Readonly<Record<string, string>>
  readonly receivedAt: Instant
}

/** Port to the connect flows. `unknown`: no flow waits for it. A Fault is tried again. */
export interface PushedCodes {
  deliver(code: PushedCode): Promise<'taken' | 'unknown'>
}

export interface PushPorts {
  readonly pushes: Pushes
  readonly connections: Pick<Connections, 'byAccount'>
  readonly events: Pick<Events, 'appendOnce'>
  readonly contexts: Pick<GrantContexts, 'of' | 'clientSecret'>
  readonly checks: Pick<ConnectionChecks, 'test'>
  /** What checks found before. */
  readonly stored: Pick<Checks, 'of'>
  readonly engine: Pick<RefreshEngine, 'refresh'> & { toldEnd(row: GrantRow, told: ToldEnd): Promise<ToldEndOutcome> }
  /** Null where no flow takes codes. */
  readonly codes: PushedCodes | null
  readonly cipher: ProofCipher
  readonly seal: Seal
  readonly clock: Clock
  readonly entropy: Entropy
  readonly log: Log
  readonly count: (provider: string, outcome: PushOutcome) => void
}
