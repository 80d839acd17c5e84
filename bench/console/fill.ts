import { openNode } from '../../packages/evergrant/src/compose-node.ts'
import { readConfig } from '../../packages/evergrant/src/config.ts'
import type { OrganizationId } from '../../packages/evergrant/src/core/ids.ts'
import { systemEntropy, uuidSource } from '../../packages/evergrant/src/system.ts'
import { scaleRecord } from '../scale/provider-record.ts'
import type { SideDatabase } from '../scale/side-database.ts'
import type { SideRow } from '../scale/value.ts'
import { seedConnections } from '../seed.ts'

const BATCH = 5_000
const HOUR = 3_600_000
const DAY = 24 * HOUR
const INTEGRATIONS = 8
/** Of a hundred connections: so many need their owner, are paused, are disconnected, and are in trouble. */
const SHARES = { needs_reauth: 3, paused: 1, disconnected: 2, degraded: 2 } as const
const CODES = ['connection_revoked', 'connection_expired', 'refresh_outcome_lost'] as const
/** Nine of ten events are renewals, as in a real audit record. */
const RARE = [
  'connection.refresh_failed',
  'connection.needs_reauth',
  'connection.reconnected',
  'connect.started',
  'connect.completed',
  'session.opened',
  'api_key.created',
] as const

interface FillPlan {
  readonly env: Readonly<Record<string, string>>
  readonly connections: number
  readonly events: number
  readonly open: () => Promise<SideDatabase>
}

/** The schema, an organization and one connection are the product's own; all other rows are copies with other values. */
export async function fill({ env, connections, events, open }: FillPlan): Promise<OrganizationId> {
  const log = { info: () => {}, warn: () => {}, error: (_: unknown, message: string) => console.error(message) }
  const node = await openNode(readConfig(env, { development: true }), log)
  await seedConnections(node, scaleRecord('http://127.0.0.1'), { count: 1, concurrency: 10, slug: 'default' })
  await node.journal.close()
  await node.marks.close()
  await node.membership.leave()
  await node.store.close()
  const side = await open()
  try {
    const integrations = await copyIntegrations(side)
    const ids = await copyConnections(side, integrations, connections)
    await copyEvents(side, ids, events)
    await side.settle()
    return String((await side.query('select organization_id from connection limit 1'))[0]?.organization_id) as OrganizationId
  } finally {
    await side.close()
  }
}

async function one(side: SideDatabase, sql: string): Promise<SideRow> {
  const [row] = await side.query(sql)
  if (row === undefined) throw new Error(`nothing found: ${sql}`)
  return row
}

async function insert(side: SideDatabase, table: string, rows: readonly SideRow[]): Promise<void> {
  const columns = Object.keys(rows[0] ?? {})
  await side.insertMany(
    table,
    columns,
    rows.map((row) => columns.map((column) => row[column] ?? null)),
  )
}

const faultOf = (code: string, at: number): string =>
  JSON.stringify({ code, at, evidence: { intent: null, httpStatus: 400, providerCode: 'invalid_grant', providerText: null, answerHash: null } })

async function copyIntegrations(side: SideDatabase): Promise<readonly string[]> {
  const template = await one(side, 'select * from integration')
  const copies = Array.from({ length: INTEGRATIONS - 1 }, (_, index) => ({
    ...template,
    id: `int_${systemEntropy.uuid()}`,
    slug: `bench-${index}`,
    blocked: index === 0 ? faultOf('client_rejected', Date.now() - DAY) : null,
  }))
  await insert(side, 'integration', copies)
  return [String(template.id), ...copies.map(({ id }) => id)]
}

/** Spread evenly and without chance, so that every run asks the same questions of the same rows. */
async function copyConnections(side: SideDatabase, integrations: readonly string[], count: number): Promise<readonly string[]> {
  const templates = {
    connection: await one(side, 'select * from connection'),
    health: await one(side, 'select * from health'),
    credential: await one(side, 'select * from credential'),
  }
  const now = Date.now()
  const ids: string[] = []
  const triggers = (await side.query('select count(*) as n from connection_tag'))[0]
  if (triggers === undefined) throw new Error('there is no table of tags')
  for (let first = 1; first < count; first += BATCH) {
    const batch = Array.from({ length: Math.min(BATCH, count - first) }, (_, offset) => connectionRows(templates, integrations, first + offset, now))
    ids.push(...batch.map(({ id }) => id))
    for (const table of ['connection', 'health', 'credential'] as const)
      await insert(
        side,
        table,
        batch.map((rows) => rows[table]),
      )
    const tagged = batch.flatMap(({ id, connection }) =>
      (JSON.parse(String(connection.tags)) as string[]).map((tag) => ({ organization_id: connection.organization_id ?? null, tag, connection_id: id })),
    )
    // Triggers are off while PostgreSQL is filled; on SQLite they have done it already.
    const known = new Set((await side.query('select connection_id from connection_tag')).map((row) => String(row.connection_id)))
    const missing = tagged.filter(({ connection_id: id }) => !known.has(id))
    if (missing.length > 0) await insert(side, 'connection_tag', missing)
  }
  return ids
}

type Templates = Readonly<Record<'connection' | 'health' | 'credential', SideRow>>

function connectionRows(templates: Templates, integrations: readonly string[], index: number, now: number) {
  const id = `con_${systemEntropy.uuid()}`
  const place = index % 100
  const { needs_reauth: over, paused, disconnected, degraded } = SHARES
  const state = place < over ? 'needs_reauth' : place < over + paused ? 'paused' : place < over + paused + disconnected ? 'disconnected' : 'active'
  const weak = place >= 100 - degraded
  const code = state === 'needs_reauth' ? (CODES[index % 3] ?? null) : weak ? 'provider_unavailable' : null
  const tags = [...(index % 10 === 0 ? ['vip'] : []), ...(index % 1_000 === 7 ? ['beta'] : [])]
  const connection: SideRow = {
    ...templates.connection,
    id,
    integration_id: integrations[(index * 7) % integrations.length] ?? null,
    owner: `customer-${index}`,
    account: `account-${index}@example.com`,
    account_label: index % 2 === 0 ? `Shop number ${index}` : null,
    state,
    fault: code === null ? null : faultOf(code, now - (index % 30) * DAY),
    tags: JSON.stringify(tags),
    created_at: now - (index % 400) * DAY,
    disconnected_at: state === 'disconnected' ? now - DAY : null,
  }
  const health: SideRow = {
    ...templates.health,
    connection_id: id,
    due_at: state === 'active' ? now + 12 * HOUR + (index % 50_000) * 1_000 : null,
    failures: weak ? 3 : 0,
    last_refreshed_at: index % 9 === 0 ? null : now - (index % 90_000) * 1_000,
    ends_at: index % 3 === 0 ? now + (index % 365) * DAY + HOUR : null,
  }
  const credential: SideRow = { ...templates.credential, connection_id: id, access_expires_at: weak ? now - HOUR : now + 13 * HOUR }
  return { id, connection, health, credential }
}

async function copyEvents(side: SideDatabase, connections: readonly string[], count: number): Promise<void> {
  const template = await one(side, "select * from event where type = 'connection.created'")
  const end = Date.now() - HOUR
  const step = (30 * DAY) / count
  let at = end - 30 * DAY
  const uuid = uuidSource(
    () => Math.floor(at),
    (length) => systemEntropy.bytes(length),
  )
  for (let first = 0; first < count; first += BATCH) {
    const rows: SideRow[] = []
    for (let index = first; index < Math.min(count, first + BATCH); index += 1) {
      at += step
      const rare = index % 10 === 3 ? (RARE[Math.floor(index / 10) % RARE.length] ?? null) : null
      rows.push({
        ...template,
        id: `evt_${uuid()}`,
        type: rare ?? 'connection.refreshed',
        at: Math.floor(at),
        connection_id: rare === 'session.opened' || rare === 'api_key.created' ? null : (connections[(index * 31) % connections.length] ?? null),
        data: JSON.stringify(rare === 'connection.refresh_failed' ? { code: 'provider_unavailable', generation: 3 } : { generation: 3 }),
      })
    }
    await insert(side, 'event', rows)
  }
}
