import type { ApiKey, ApiKeys } from '../../core/access/api-key.ts'
import type { Idempotency, IdempotencyOutcome } from '../../core/access/idempotency.ts'
import type { Organizations } from '../../core/access/organization.ts'
import { SETTINGS_DEFAULTS } from '../../core/access/organization-settings.ts'
import type { NewEvent } from '../../core/audit/event.ts'
import type { ApiKeyId, OrganizationId } from '../../core/ids.ts'
import { type Instant, MINUTE } from '../../core/time.ts'
import type { Tables } from './tables.ts'
import { addMembership } from './users-part.ts'

const LONGEST_REQUEST_MS = 5 * MINUTE

function insertKey(tables: Tables, key: ApiKey, event: NewEvent): void {
  tables.apiKeys.set(key.id, key)
  tables.append(event)
  tables.changed({ kind: 'api_key' })
}

function ownKey(tables: Tables, organization: OrganizationId, id: ApiKeyId): ApiKey | undefined {
  const key = tables.apiKeys.get(id)
  return key?.organization === organization ? key : undefined
}

/** The overlap only ever shortens the old key's life. */
function rotate(tables: Tables, id: ApiKeyId, successor: ApiKey, overlapUntil: Instant, event: NewEvent): 'rotated' | 'gone' {
  const old = ownKey(tables, successor.organization, id)
  if (old === undefined || old.revokedAt !== null) return 'gone'
  tables.apiKeys.set(id, { ...old, expiresAt: Math.min(old.expiresAt ?? overlapUntil, overlapUntil) })
  insertKey(tables, successor, event)
  return 'rotated'
}

function revoke(tables: Tables, organization: OrganizationId, id: ApiKeyId, at: Instant, event: NewEvent): 'revoked' | 'already' | 'gone' {
  const key = ownKey(tables, organization, id)
  if (key === undefined) return 'gone'
  if (key.revokedAt !== null) return 'already'
  tables.apiKeys.set(id, { ...key, revokedAt: at })
  tables.append(event)
  tables.changed({ kind: 'api_key' })
  return 'revoked'
}

export function apiKeysPart(tables: Tables): ApiKeys {
  return {
    insert: async (key, event) => insertKey(tables, key, event),
    byHash: async (hash) => [...tables.apiKeys.values()].find((key) => key.hash === hash),
    get: async (organization, id) => ownKey(tables, organization, id),
    list: async (organization) =>
      [...tables.apiKeys.values()].filter((key) => key.organization === organization).sort((left, right) => (left.id < right.id ? -1 : 1)),
    rotate: async (old, successor, overlapUntil, event) => rotate(tables, old, successor, overlapUntil, event),
    revoke: async (organization, id, at, event) => revoke(tables, organization, id, at, event),
    touch: async (marks) => {
      for (const { id, at } of marks) {
        const key = tables.apiKeys.get(id)
        if (key !== undefined && (key.lastUsedAt ?? 0) < at) tables.apiKeys.set(id, { ...key, lastUsedAt: at })
      }
    },
  }
}

export function organizationsPart(tables: Tables): Organizations {
  const bySlug = (slug: string) => [...tables.organizations.values()].find((organization) => organization.slug === slug)
  return {
    insert: async (organization, event, founder) => {
      if (bySlug(organization.slug) !== undefined) return 'slug_taken'
      tables.organizations.set(organization.id, { ...organization, requireSecondFactor: [] })
      tables.append(event)
      if (founder !== undefined) {
        addMembership(tables, founder.membership)
        tables.append(founder.event)
        tables.changed({ kind: 'user', user: founder.membership.user })
      }
      return 'inserted'
    },
    get: async (id) => tables.organizations.get(id),
    bySlug: async (slug) => bySlug(slug),
    list: async () => [...tables.organizations.values()].sort((left, right) => (left.id < right.id ? -1 : 1)),
    settings: async (id) => tables.settings.get(id) ?? SETTINGS_DEFAULTS,
    saveSettings: async (id, change, event) => {
      const next = { ...(tables.settings.get(id) ?? SETTINGS_DEFAULTS), ...change }
      tables.settings.set(id, next)
      tables.append(event)
      return next
    },
    rename: async (id, name) => {
      const organization = tables.organizations.get(id)
      if (organization !== undefined) tables.organizations.set(id, { ...organization, name })
    },
    requireSecondFactor: async (id, roles, event, held) => {
      const organization = tables.organizations.get(id)
      if (organization === undefined) return 'gone'
      if (organization.requireSecondFactor.join() === roles.join()) return 'already'
      if (held !== undefined && organization.requireSecondFactor.join() !== held.join()) return 'moved'
      tables.organizations.set(id, { ...organization, requireSecondFactor: roles })
      tables.append(event)
      tables.changed({ kind: 'organization', organization: id })
      return 'changed'
    },
  }
}

const requestKey = (organization: OrganizationId, key: string): string => `${organization} ${key}`

function begin(tables: Tables, place: string, requestHash: string, at: Instant): IdempotencyOutcome {
  const kept = tables.requests.get(place)
  if (kept !== undefined && kept.requestHash !== requestHash) return { kind: 'mismatch' }
  if (kept !== undefined && kept.status !== null) return { kind: 'replay', status: kept.status, body: kept.body ?? new Uint8Array() }
  // A request that has run for longer than any may run died with its process: the same key starts again.
  if (kept !== undefined && kept.at >= at - LONGEST_REQUEST_MS) return { kind: 'running' }
  tables.requests.set(place, { requestHash, at, status: null, body: null })
  return { kind: 'first' }
}

function purge(tables: Tables, before: Instant, limit: number): number {
  const old = [...tables.requests].filter(([, kept]) => kept.at < before).sort(([, left], [, right]) => left.at - right.at)
  for (const [place] of old.slice(0, limit)) tables.requests.delete(place)
  return Math.min(old.length, limit)
}

export function idempotencyPart(tables: Tables): Idempotency {
  return {
    begin: async (organization, key, requestHash, at) => begin(tables, requestKey(organization, key), requestHash, at),
    finish: async (organization, key, status, body) => {
      const kept = tables.requests.get(requestKey(organization, key))
      if (kept !== undefined && kept.status === null) tables.requests.set(requestKey(organization, key), { ...kept, status, body })
    },
    forget: async (organization, key) => {
      if (tables.requests.get(requestKey(organization, key))?.status === null) tables.requests.delete(requestKey(organization, key))
    },
    purge: async (before, limit) => purge(tables, before, limit),
  }
}
