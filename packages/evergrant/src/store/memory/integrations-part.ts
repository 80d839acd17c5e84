import type { NewEvent } from '../../core/audit/event.ts'
import type { Integration } from '../../core/connection/integration.ts'
import type { Integrations } from '../../core/connection/integrations.ts'
import type { IntegrationId, OrganizationId } from '../../core/ids.ts'
import { afterOf, limitOf, toPage } from '../sql/paging.ts'
import { decideDeaths } from './deaths.ts'
import type { Tables } from './tables.ts'

function live(tables: Tables, id: IntegrationId, organization?: OrganizationId): Integration | undefined {
  const kept = tables.integrations.get(id)
  if (kept === undefined || kept.removed) return undefined
  return organization === undefined || kept.integration.organization === organization ? withDeaths(tables, kept.integration) : undefined
}

function withDeaths(tables: Tables, integration: Integration): Integration {
  const deathsHeld = tables.watches.get(integration.id)?.held ?? null
  return deathsHeld === integration.deathsHeld ? integration : { ...integration, deathsHeld }
}

function all(tables: Tables, organization: OrganizationId): Integration[] {
  return [...tables.integrations.values()]
    .filter((kept) => !kept.removed && kept.integration.organization === organization)
    .map((kept) => withDeaths(tables, kept.integration))
}

function slugTaken(tables: Tables, { organization, slug, id }: Integration): boolean {
  return all(tables, organization).some((other) => other.slug === slug && other.id !== id)
}

function put(tables: Tables, integration: Integration, removed: boolean, event: NewEvent): void {
  tables.integrations.set(integration.id, { integration, removed })
  tables.append(event)
  tables.changed({ kind: 'integration', integration: integration.id })
}

function insert(tables: Tables, integration: Integration, event: NewEvent): 'inserted' | 'slug_taken' {
  if (!tables.organizations.has(integration.organization)) throw new Error(`${integration.organization} is not stored`)
  if (slugTaken(tables, integration)) return 'slug_taken'
  put(tables, integration, false, event)
  return 'inserted'
}

function update(tables: Tables, integration: Integration, event: NewEvent): 'updated' | 'moved' | 'slug_taken' | 'gone' {
  const current = live(tables, integration.id, integration.organization)
  if (current === undefined) return 'gone'
  if (current.version !== integration.version - 1) return 'moved'
  if (slugTaken(tables, integration)) return 'slug_taken'
  put(tables, integration, false, event)
  return 'updated'
}

function remove(tables: Tables, organization: OrganizationId, id: IntegrationId, event: NewEvent): 'removed' | 'in_use' | 'gone' {
  const current = live(tables, id, organization)
  if (current === undefined) return 'gone'
  if (tables.connections.ofIntegration(id).some((row) => row.grant.connection.state !== 'disconnected')) return 'in_use'
  put(tables, { ...current, clientSecret: null, slug: id }, true, event)
  return 'removed'
}

export function integrationsPart(tables: Tables): Integrations {
  return {
    insert: async (integration, event) => insert(tables, integration, event),
    get: async (organization, id) => live(tables, id, organization),
    bySlug: async (organization, slug) => all(tables, organization).find((integration) => integration.slug === slug),
    list: async (organization, page) => {
      const limit = limitOf(page)
      const after = afterOf(page) ?? ''
      const found = all(tables, organization).filter((integration) => integration.id > after)
      found.sort((left, right) => (left.id < right.id ? -1 : 1))
      return toPage(found.slice(0, limit + 1), limit, (item) => item.id)
    },
    update: async (integration, event) => update(tables, integration, event),
    remove: async (organization, id, event) => remove(tables, organization, id, event),
    setBlocked: async (id, blocked, event) => {
      const kept = tables.integrations.get(id)
      if (kept === undefined || (kept.integration.blocked === null) === (blocked === null)) return false
      put(tables, { ...kept.integration, blocked }, kept.removed, event)
      return true
    },
    decideDeaths: async (id, decision, confirmedForMs, event) => decideDeaths(tables, id, decision, confirmedForMs, event),
    load: async (id) => live(tables, id),
  }
}
