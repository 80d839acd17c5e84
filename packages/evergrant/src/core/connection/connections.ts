import type { NewEvent } from '../audit/event.ts'
import type { ConnectionId, IntegrationId, OrganizationId, RevocationId } from '../ids.ts'
import type { JsonObject } from '../json.ts'
import type { GrantRow } from '../refresh/credentials.ts'
import type { GrantEnd } from '../refresh/grant-lifetime.ts'
import type { Instant } from '../time.ts'
import type { Connection, ConnectionStatus } from './connection.ts'
import type { NewCredential } from './credential.ts'

/** One page of a list. `cursor` is opaque; null means this was the last page. */
export interface Page<Item> {
  readonly items: readonly Item[]
  readonly cursor: string | null
}

export interface PageRequest {
  /** 1 to 200. */
  readonly limit: number
  readonly cursor: string | null
}

export interface ConnectionFilter {
  readonly integration?: IntegrationId
  readonly owner?: string
  readonly status?: ConnectionStatus
  readonly tag?: string
}

export interface NewConnection {
  readonly connection: Connection
  readonly credential: NewCredential
  readonly dueAt: Instant | null
  /** None is known by default. */
  readonly end?: GrantEnd
  readonly event: NewEvent
  /** Fingerprint of the token that an import brought, kept for ever: see {@link ImportIdentity}. */
  readonly imported?: string
}

/** `exists`: (integration, owner, account) is taken by that connection; nothing was written. */
export type InsertOutcome = { readonly kind: 'inserted' } | { readonly kind: 'exists'; readonly connection: ConnectionId }

export interface ConnectionPatch {
  readonly metadata?: JsonObject
  readonly tags?: readonly string[]
  readonly accountLabel?: string | null
}

/** A fresh grant for an existing connection: reconnect or import over. Sealed for generation `expectedGeneration + 1`. */
export interface GrantReplacement {
  readonly organization: OrganizationId
  readonly connection: ConnectionId
  /** Retry with a new seal when this has moved: the new grant always wins over a refresh of the old one. */
  readonly expectedGeneration: number
  /** Set where the stored refresh token goes on in the new credential: it is `moved`, too, once somebody has claimed since this epoch, to spend it. */
  readonly onlyAtEpoch?: number
  readonly credential: NewCredential
  readonly account: string | null
  readonly accountLabel: string | null
  readonly scopes: readonly string[] | null
  readonly variables: Readonly<Record<string, string>>
  readonly facts: Readonly<Record<string, string>>
  readonly consentedAt: Instant
  readonly dueAt: Instant | null
  /** None is known by default. */
  readonly end?: GrantEnd
  readonly event: NewEvent
  /** As in {@link NewConnection}. */
  readonly imported?: string
}

/** By what a line of an import is known again, also after its token was rotated away. */
export interface ImportIdentity {
  readonly integration: IntegrationId
  readonly owner: string
  readonly account: string | null
  /** Keyed fingerprint of the refresh token, or of the access token when there is none. */
  readonly fingerprint: string
  /** Two connections that spend this token would end its grant: it is stored for one owner alone. */
  readonly exclusive: boolean
}

/** One grant of a bulk import. `imported` of `row` is the fingerprint of `identity`. */
export interface NewImport {
  readonly identity: ImportIdentity
  readonly row: NewConnection
}

/**
 * `already`: this owner's grant was imported before, into that connection, whatever became of it since. `exists`: the account is
 * taken by a live connection that has another token. `shared`: a live connection of another owner was imported with this token.
 * `connection` is null where it would be made by a line before, in the same batch, and nothing is written.
 */
export type ImportOutcome = { readonly kind: 'inserted' } | { readonly kind: 'already' | 'exists' | 'shared'; readonly connection: ConnectionId | null }

export type ReplaceOutcome =
  | { readonly kind: 'replaced'; readonly generation: number }
  | { readonly kind: 'moved'; readonly generation: number }
  | { readonly kind: 'gone' }

/** Upstream revocation that has to happen. Lives in its own row until it is done, so that a crash cannot forget it. */
export interface Revocation {
  readonly id: RevocationId
  readonly organization: OrganizationId
  readonly connection: ConnectionId
  readonly integration: IntegrationId
  /** Which generation's tokens to revoke; null when they are the staged ones below. */
  readonly generation: number | null
  /** Tokens of an answer that came after the disconnect, sealed as credential of `generation`; null otherwise. */
  readonly staged: { readonly generation: number; readonly accessToken: Uint8Array | null; readonly refreshToken: Uint8Array | null } | null
  readonly attempts: number
  readonly dueAt: Instant
}

export interface DisconnectRequest {
  readonly organization: OrganizationId
  readonly connection: ConnectionId
  readonly at: Instant
  readonly event: NewEvent
  /** Only while it needs its owner since then: `mended` when it was reconnected meanwhile. */
  readonly brokenAt?: Instant
  /** Made only if, in the same transaction, no live sibling (same integration, same account) remains, or `perToken`. Null when the provider cannot revoke. */
  readonly revocation: { readonly id: RevocationId; readonly perToken: boolean } | null
}

export type DisconnectOutcome =
  | { readonly kind: 'disconnected'; readonly revocation: 'queued' | 'sibling_lives' | 'unsupported' }
  | { readonly kind: 'already' }
  | { readonly kind: 'mended' }
  | { readonly kind: 'gone' }

/** Connections, without their secrets. Every read names the organization: a foreign id is simply not found. */
export interface Connections {
  insert(connection: NewConnection): Promise<InsertOutcome>
  /** One transaction for up to 500 grants; outcomes in their order. Repeating it repeats nothing. */
  importMany(batch: readonly NewImport[]): Promise<readonly ImportOutcome[]>
  /** What {@link importMany} would say, written nowhere. */
  foreseeImport(batch: readonly ImportIdentity[]): Promise<readonly ImportOutcome[]>
  get(organization: OrganizationId, id: ConnectionId): Promise<GrantRow | undefined>
  /** Live connections first, then by id. */
  byOwner(organization: OrganizationId, integration: IntegrationId, owner: string): Promise<readonly GrantRow[]>
  byAccount(organization: OrganizationId, integration: IntegrationId, account: string): Promise<readonly GrantRow[]>
  list(organization: OrganizationId, filter: ConnectionFilter, page: PageRequest): Promise<Page<GrantRow>>
  /** Merge is the caller's; this replaces the named columns only. `expectedVersion` null means unconditional. */
  patch(
    organization: OrganizationId,
    id: ConnectionId,
    patch: ConnectionPatch,
    expectedVersion: number | null,
    event: NewEvent,
  ): Promise<'patched' | 'moved' | 'gone'>
  /** active <-> paused. From any other state: `refused`, nothing written. `dueAt` takes effect on resume. */
  setPaused(
    organization: OrganizationId,
    id: ConnectionId,
    paused: boolean,
    dueAt: Instant | null,
    event: NewEvent,
  ): Promise<'changed' | 'already' | 'refused' | 'gone'>
  replaceGrant(replacement: GrantReplacement): Promise<ReplaceOutcome>
  /** State, event and revocation job in one transaction. Ciphertext stays. Wins over everything (I13). */
  disconnect(request: DisconnectRequest): Promise<DisconnectOutcome>
  takeDueRevocations(limit: number, visibilityMs: number): Promise<readonly Revocation[]>
  finishRevocation(id: RevocationId, event: NewEvent): Promise<void>
  retryRevocation(id: RevocationId, dueAt: Instant): Promise<void>
  counts(organization: OrganizationId): Promise<Readonly<Record<ConnectionStatus, number>>>
  /** Removes ciphertext of connections disconnected before `before`; at most `limit`. Returns how many. */
  purge(before: Instant, limit: number): Promise<number>
}
