import type { NewEvent } from '../audit/event.ts'
import type { ApiKeyId, OrganizationId } from '../ids.ts'
import type { Instant } from '../time.ts'

/** What a key may do. `tokens:read` is the right to see access tokens; `proxy` the right to use them unseen. */
export const API_KEY_SCOPES = [
  'connections:read',
  'connections:write',
  'tokens:read',
  'proxy',
  'connect',
  'integrations:read',
  'integrations:write',
  'events:read',
  'api_keys:write',
  'agents:read',
  'agents:write',
  'admin',
] as const
export type ApiKeyScope = (typeof API_KEY_SCOPES)[number]

/** A backend's key. Only a hash is stored; the key itself is shown once. */
export interface ApiKey {
  readonly id: ApiKeyId
  readonly organization: OrganizationId
  readonly name: string
  /** The first 12 characters, for people to recognise it. */
  readonly hint: string
  /** SHA-256 of the whole key, base64url: the secret has 256 bits, so a plain hash is enough (ASVS 11.2.4). */
  readonly hash: string
  readonly scopes: readonly ApiKeyScope[]
  readonly createdAt: Instant
  readonly lastUsedAt: Instant | null
  readonly expiresAt: Instant | null
  readonly revokedAt: Instant | null
  /** The key that this one replaces. */
  readonly replaces: ApiKeyId | null
}

export interface ApiKeys {
  insert(key: ApiKey, event: NewEvent): Promise<void>
  byHash(hash: string): Promise<ApiKey | undefined>
  get(organization: OrganizationId, id: ApiKeyId): Promise<ApiKey | undefined>
  list(organization: OrganizationId): Promise<readonly ApiKey[]>
  /** Inserts the successor and lets the old key end at `overlapUntil`, in one transaction. */
  rotate(old: ApiKeyId, successor: ApiKey, overlapUntil: Instant, event: NewEvent): Promise<'rotated' | 'gone'>
  revoke(organization: OrganizationId, id: ApiKeyId, at: Instant, event: NewEvent): Promise<'revoked' | 'already' | 'gone'>
  touch(marks: readonly { readonly id: ApiKeyId; readonly at: Instant }[]): Promise<void>
}
