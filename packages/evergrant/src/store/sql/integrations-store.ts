import type { NewEvent } from '../../core/audit/event.ts'
import type { StoredFault } from '../../core/connection/connection.ts'
import type { Page, PageRequest } from '../../core/connection/connections.ts'
import { DEFAULT_SETTINGS, type Integration, type IntegrationSettings } from '../../core/connection/integration.ts'
import type { Integrations } from '../../core/connection/integrations.ts'
import type { IntegrationId, OrganizationId } from '../../core/ids.ts'
import type { DeathDecision, DeathsHeld } from '../../core/refresh/deaths.ts'
import { decideDeaths } from './deaths.ts'
import { append } from './event-rows.ts'
import { afterOf, limitOf, toPage } from './paging.ts'
import { changed, type Database, type Dialect, type Program, type Row, row, rows, run, type SqlValue } from './program.ts'
import { bytesOrNull, integer, integerOrNull, json, jsonOrNull, text, textOrNull, toJson } from './rows.ts'

const OWN_COLUMNS = 'id, organization_id, slug, name, provider, client_id, client_secret, scopes, variables, settings, blocked, created_at, updated_at, version'
const COLUMNS = OWN_COLUMNS.split(', ')
  .map((column) => `i.${column}`)
  .concat('w.held_at', 'w.deaths', 'w.refreshes', 'w.agreements', 'w.decision')
  .join(', ')
const TABLES = 'integration i left join death_watch w on w.integration_id = i.id'

function toIntegration(found: Row): Integration {
  return {
    id: text(found, 'id') as IntegrationId,
    organization: text(found, 'organization_id') as OrganizationId,
    slug: text(found, 'slug'),
    name: text(found, 'name'),
    provider: text(found, 'provider'),
    clientId: text(found, 'client_id'),
    clientSecret: bytesOrNull(found, 'client_secret'),
    scopes: json<readonly string[]>(found, 'scopes'),
    variables: json<Readonly<Record<string, string>>>(found, 'variables'),
    // A row may be older than a setting.
    settings: { ...DEFAULT_SETTINGS, ...json<IntegrationSettings>(found, 'settings') },
    blocked: jsonOrNull<StoredFault>(found, 'blocked'),
    deathsHeld: toDeathsHeld(found),
    createdAt: integer(found, 'created_at'),
    updatedAt: integer(found, 'updated_at'),
    version: integer(found, 'version'),
  }
}

function toDeathsHeld(found: Row): DeathsHeld | null {
  const since = integerOrNull(found, 'held_at')
  if (since === null) return null
  return {
    since,
    deaths: integer(found, 'deaths'),
    refreshes: integer(found, 'refreshes'),
    agreements: integer(found, 'agreements'),
    decision: textOrNull(found, 'decision') as DeathDecision | null,
  }
}

function values(integration: Integration): readonly SqlValue[] {
  return [
    integration.slug,
    integration.name,
    integration.provider,
    integration.clientId,
    integration.clientSecret,
    JSON.stringify(integration.scopes),
    JSON.stringify(integration.variables),
    JSON.stringify(integration.settings),
    toJson(integration.blocked),
    integration.createdAt,
    integration.updatedAt,
    integration.version,
  ]
}

function* slugTaken(integration: Integration): Program<boolean> {
  const { organization, slug, id } = integration
  return (yield* row('select id from integration where organization_id = ? and slug = ? and id <> ?', organization, slug, id)) !== undefined
}

function* insert(integration: Integration, event: NewEvent): Program<'inserted' | 'slug_taken'> {
  if (yield* slugTaken(integration)) return 'slug_taken'
  yield* run(
    `insert into integration (${OWN_COLUMNS}) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    integration.id,
    integration.organization,
    ...values(integration),
  )
  yield* append(event)
  yield* changed({ kind: 'integration', integration: integration.id })
  return 'inserted'
}

function* update(integration: Integration, event: NewEvent): Program<'updated' | 'moved' | 'slug_taken' | 'gone'> {
  const { id, organization, version } = integration
  const found = yield* row('select version from integration where id = ? and organization_id = ? and removed_at is null', id, organization)
  if (found === undefined) return 'gone'
  if (integer(found, 'version') !== version - 1) return 'moved'
  if (yield* slugTaken(integration)) return 'slug_taken'
  const updated = yield* run(
    `update integration set slug = ?, name = ?, provider = ?, client_id = ?, client_secret = ?, scopes = ?, variables = ?, settings = ?, blocked = ?,
       created_at = ?, updated_at = ?, version = ? where id = ? and organization_id = ? and version = ?`,
    ...values(integration),
    id,
    organization,
    version - 1,
  )
  if (updated === 0) return 'moved'
  yield* append(event)
  yield* changed({ kind: 'integration', integration: id })
  return 'updated'
}

/** Disconnected connections keep pointing at it, so the row stays as a record: without its secret, and with its slug set free. */
function* remove(dialect: Dialect, organization: OrganizationId, id: IntegrationId, event: NewEvent): Program<'removed' | 'in_use' | 'gone'> {
  const found = yield* row(
    `select i.id from integration i where i.id = ? and i.organization_id = ? and i.removed_at is null ${dialect.forUpdate('i')}`,
    id,
    organization,
  )
  if (found === undefined) return 'gone'
  const live = yield* row("select id from connection where integration_id = ? and state <> 'disconnected' limit 1", id)
  if (live !== undefined) return 'in_use'
  yield* run('update integration set removed_at = now_ms(), client_secret = null, slug = id where id = ?', id)
  yield* append(event)
  yield* changed({ kind: 'integration', integration: id })
  return 'removed'
}

function* setBlocked(id: IntegrationId, blocked: StoredFault | null, event: NewEvent): Program<boolean> {
  const updated = yield* run(`update integration set blocked = ? where id = ? and blocked is ${blocked === null ? 'not null' : 'null'}`, toJson(blocked), id)
  if (updated === 0) return false
  yield* append(event)
  yield* changed({ kind: 'integration', integration: id })
  return true
}

function* find(condition: string, ...params: readonly SqlValue[]): Program<Integration | undefined> {
  const found = yield* row(`select ${COLUMNS} from ${TABLES} where i.removed_at is null and ${condition}`, ...params)
  return found === undefined ? undefined : toIntegration(found)
}

/** Oldest first. */
function* list(organization: OrganizationId, page: PageRequest): Program<Page<Integration>> {
  const limit = limitOf(page)
  const found = yield* rows(
    `select ${COLUMNS} from ${TABLES} where i.removed_at is null and i.organization_id = ? and i.id > ? order by i.id limit ?`,
    organization,
    afterOf(page) ?? '',
    limit + 1,
  )
  return toPage(found.map(toIntegration), limit, (item) => item.id)
}

export function integrationsStore(database: Database): Integrations {
  const { dialect } = database
  return {
    insert: (integration, event) => database.write(() => insert(integration, event)),
    get: (organization, id) => database.read(() => find('i.id = ? and i.organization_id = ?', id, organization)),
    bySlug: (organization, slug) => database.read(() => find('i.slug = ? and i.organization_id = ?', slug, organization)),
    list: (organization, page) => database.read(() => list(organization, page)),
    update: (integration, event) => database.write(() => update(integration, event)),
    remove: (organization, id, event) => database.write(() => remove(dialect, organization, id, event)),
    setBlocked: (id, blocked, event) => database.write(() => setBlocked(id, blocked, event)),
    decideDeaths: (id, decision, confirmedForMs, event) =>
      database.write(() => decideDeaths(dialect, id, decision, confirmedForMs, event), { repeatable: true }),
    load: (id) => database.read(() => find('i.id = ?', id)),
  }
}
