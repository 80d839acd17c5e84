import type { NewEvent } from '../audit/event.ts'
import type { StoredFault } from '../connection/connection.ts'
import type { ConnectionId, ConnectSessionId, IntegrationId, IntentId, OrganizationId, UserId } from '../ids.ts'
import type { Instant } from '../time.ts'

/**
 * How a flow may end (DESIGN "Connecting safely"). `signed_in`: the owner is signed in to Evergrant in the same browser. `sign_in`: the flow itself
 * is how somebody signs in (`core/sign-in`); its owner is known at the end, or is the person who adds another way to sign in.
 */
export type CompletionMode = 'verified' | 'signed_in' | 'link' | 'sign_in'

/** The owner of a session of mode `sign_in` until somebody is known. */
export const NOBODY_YET = ''

/** Who is signed in to Evergrant in the browser of a flow. */
export interface BrowserPerson {
  readonly user: UserId
  /** `ownerOf` the user. */
  readonly owner: string
  /** Of their session: an owner is a name inside one organization. */
  readonly organization: OrganizationId
}

/**
 * open -> started (browser bound, state issued) -> exchanging (code in hand, intent durable) -> staged (grant sealed,
 * waiting for connect/complete) -> completed. `burned`: a mismatch ended it. A failure returns a session to `open`
 * while it lives, so that the same link can be tried again.
 */
export type ConnectSessionState = 'open' | 'started' | 'exchanging' | 'staged' | 'completed' | 'burned'

/** A short-lived, single-use permission to run one connect or reconnect flow. */
export interface ConnectSession {
  readonly id: ConnectSessionId
  readonly organization: OrganizationId
  readonly integration: IntegrationId
  readonly owner: string
  readonly mode: CompletionMode
  /** The connection to repair, for a reconnect. */
  readonly connection: ConnectionId | null
  /** SHA-256 of the link token, base64url. The token itself is never stored. */
  readonly tokenHash: string
  readonly state: ConnectSessionState
  readonly scopes: readonly string[] | null
  readonly returnUrl: string | null
  readonly createdAt: Instant
  /** The landing page lives until here (7 days for reconnect links, 30 minutes otherwise). */
  readonly expiresAt: Instant
  readonly flow: ConnectFlow | null
  readonly staged: StagedGrant | null
  readonly fault: StoredFault | null
  /** What came out: the connection that was created or repaired. */
  readonly result: ConnectionId | null
  readonly variables: Readonly<Record<string, string>>
  /** The end user chooses among these, and `integration` is the choice so far; absent: there is nothing to choose. */
  readonly choices?: readonly IntegrationId[]
}

/** One run of the flow in one browser. A new run replaces it. */
export interface ConnectFlow {
  /** SHA-256 of `state`, base64url; unique among all flows. */
  readonly stateHash: string
  /** HMAC of browser id and session id: the flow belongs to that browser. */
  readonly browserHash: string
  /** Sealed JSON {verifier, nonce, asked}: row = session id, table `connect_session`, column `flow_secret`. */
  readonly secret: Uint8Array
  readonly redirectUri: string
  /** The issuer that must come back as `iss` (RFC 9207), when known. */
  readonly issuer: string | null
  readonly startedAt: Instant
  /** 30 minutes after the start. */
  readonly expiresAt: Instant
  readonly intent: IntentId | null
}

/** The exchanged grant, held until the application confirms the owner. Sealed JSON: row = session id, column `staged`. */
export interface StagedGrant {
  readonly grant: Uint8Array
  readonly account: string | null
  readonly accountLabel: string | null
  /** SHA-256 of the completion code; null when no code is out. */
  readonly codeHash: string | null
  readonly stagedAt: Instant
}

/** Every transition is compare-and-set on the state, so that of twenty concurrent callbacks exactly one goes on. */
export interface ConnectSessions {
  insert(session: ConnectSession, event: NewEvent): Promise<void>
  get(organization: OrganizationId, id: ConnectSessionId): Promise<ConnectSession | undefined>
  /** By id alone: the flow's state names the session. */
  load(id: ConnectSessionId): Promise<ConnectSession | undefined>
  byTokenHash(tokenHash: string): Promise<ConnectSession | undefined>
  byStateHash(stateHash: string): Promise<ConnectSession | undefined>
  /** open | started -> started. `chosen` becomes the session's integration. */
  start(id: ConnectSessionId, flow: ConnectFlow, variables: Readonly<Record<string, string>>, event: NewEvent, chosen?: IntegrationId): Promise<boolean>
  /** started (with this stateHash) -> exchanging, intent written: the state is spent. Exactly one caller gets true. */
  beginExchange(id: ConnectSessionId, stateHash: string, intent: IntentId): Promise<boolean>
  /** exchanging (this intent) -> staged, with the answer row. Idempotent by intent. */
  stage(id: ConnectSessionId, intent: IntentId, staged: StagedGrant, answer: SessionAnswer, event: NewEvent | null): Promise<boolean>
  /**
   * exchanging | started | staged -> open: the link can be tried again; the fault is kept for the page, staged ciphertext is dropped, the flow
   * stays. Only while the run and its exchange are the ones `seen`: a twin of the callback, or a run that came after, goes on.
   */
  fail(seen: Pick<ConnectSession, 'id' | 'flow'>, fault: StoredFault, event: NewEvent): Promise<void>
  /** staged -> completed. Exactly one caller gets true. The staged ciphertext is dropped; the flow stays, so that a repeated request gets the same answer. */
  complete(id: ConnectSessionId, result: ConnectionId, event: NewEvent): Promise<boolean>
  /** Any live state -> burned. The staged ciphertext is dropped. */
  burn(id: ConnectSessionId, fault: StoredFault, event: NewEvent): Promise<boolean>
  /** A node says that it has the answers to these intents, and that their sessions have to wait for it. Sessions in another state than `exchanging` are left alone. */
  noteKept(intents: readonly string[], at: Instant): Promise<void>
  /**
   * At boot: sessions left in `exchanging` by earlier incarnations, whose intents are from before `before`, go back to `open` with a fault; returns how many.
   * Not those whose answer a node said it has, at `before` or since.
   */
  reopenInterrupted(before: Instant, fault: StoredFault): Promise<number>
  /** A code that came in a push, in place of one for the same key. */
  keepPushed(kept: KeptCode): Promise<void>
  pushed(integration: IntegrationId, key: string): Promise<KeptCode | undefined>
  /** Deletes sessions that ended before `before`, and pushed codes that nobody may take any more; at most `limit` of each. Returns how many sessions. */
  purge(before: Instant, limit: number): Promise<number>
}

/** An authorization code that a provider pushed, waiting for the browser that asked for it. */
export interface KeptCode {
  readonly integration: IntegrationId
  /** Of the facts that browser and push have in common. */
  readonly key: string
  /** Sealed: row = `<integration>#<key>`, table `pushed_code`, column `code`. */
  readonly code: Uint8Array
  readonly facts: Readonly<Record<string, string>>
  readonly receivedAt: Instant
  readonly until: Instant
}

export interface SessionAnswer {
  readonly intent: IntentId
  readonly receivedAt: Instant
  readonly httpStatus: number
  readonly verdict: string
  readonly body: Uint8Array
  readonly bodyHash: string
}
