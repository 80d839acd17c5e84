import type { NewEvent } from '../../core/audit/event.ts'
import type { ConnectionId } from '../../core/ids.ts'
import {
  type BehindGrant,
  type DatabaseHome,
  type EndGrants,
  FRESH_AFTER_MS,
  type Lineage,
  type Lineages,
  type NodeComparison,
  type ReportedBehind,
  type RollingNode,
} from '../../core/refresh/lineage.ts'
import type { StoredConnection } from './connection-table.ts'
import type { Tables } from './tables.ts'

function current(tables: Tables): Lineage {
  const lineage = tables.lineage.get('')
  if (lineage === undefined) throw new Error('the lineage of this database is not written yet')
  return lineage
}

function put(tables: Tables, change: Partial<Lineage>): Lineage {
  const next = { ...current(tables), ...change }
  tables.lineage.set('', next)
  return next
}

function open(tables: Tables, { instance, home }: { readonly instance: string; readonly home: DatabaseHome | null }): Lineage {
  if (!tables.lineage.has('')) tables.lineage.set('', { instance, home, era: 1, eraAt: tables.now(), trusted: 'trusted', since: null, reason: null })
  return current(tables)
}

function tick(tables: Tables, node: string, expected: number): { readonly before: number | null; readonly lineage: Lineage } {
  const known = tables.ticks.get(node)
  if (known?.tick === expected) tables.ticks.set(node, { ...known, tick: expected + 1, at: tables.now() })
  return { before: known?.tick ?? null, lineage: current(tables) }
}

function firstTick(tables: Tables, node: string): { readonly tick: number; readonly lineage: Lineage } {
  const known = tables.ticks.get(node)
  const tick = (known?.tick ?? 0) + 1
  tables.ticks.set(node, { node, comparedEra: known?.comparedEra ?? null, tick, at: tables.now() })
  return { tick, lineage: current(tables) }
}

function distrust(tables: Tables, trusted: Lineage['trusted'], reason: string, event: NewEvent): boolean {
  if (current(tables).trusted !== 'trusted') return false
  put(tables, { trusted, since: tables.now(), reason })
  for (const [node, known] of tables.ticks) tables.ticks.set(node, { ...known, comparedEra: null })
  tables.append(event)
  return true
}

function move(tables: Tables, home: DatabaseHome, event: NewEvent): void {
  const before = current(tables).home
  if (before !== null && before.name === home.name && before.timeline === home.timeline) return
  put(tables, { home })
  tables.append(event)
}

function report(tables: Tables, node: string, era: number, behind: readonly BehindGrant[]): void {
  for (const [key, kept] of tables.behind) if (kept.node === node) tables.behind.delete(key)
  for (const grant of behind) tables.behind.set(`${node} ${grant.connection}`, { ...grant, node, ended: false })
  const tick = tables.ticks.get(node)?.tick ?? 0
  tables.ticks.set(node, { node, tick, at: tables.now(), comparedEra: era })
}

function reportAgain(tables: Tables, node: string, looked: readonly ConnectionId[], behind: readonly BehindGrant[]): void {
  for (const connection of looked) {
    const key = `${node} ${connection}`
    if (tables.behind.get(key)?.ended === true) continue
    const grant = behind.find((one) => one.connection === connection)
    if (grant === undefined) tables.behind.delete(key)
    else tables.behind.set(key, { ...grant, node, ended: false })
  }
}

function rolling(tables: Tables): RollingNode[] {
  const since = current(tables).since
  const counts = new Map<string, number>()
  for (const { node, connection, stored, ended } of tables.behind.values()) {
    const grant = tables.connections.get(connection)?.grant
    if (ended || since === null || grant === undefined || grant.credential.generation === stored) continue
    if ((grant.connection.consentedAt ?? 0) < since + FRESH_AFTER_MS) counts.set(node, (counts.get(node) ?? 0) + 1)
  }
  return [...counts].map(([node, connections]) => ({ node, connections })).sort((left, right) => (left.node < right.node ? -1 : 1))
}

/** Older than a mark (or another credential under the same generation), and its owner has not granted again since. */
function stillBehind(tables: Tables, { marked, stored }: BehindGrant, { grant }: StoredConnection): boolean {
  const { generation } = grant.credential
  const { since } = current(tables)
  return (generation < marked || generation === stored) && since !== null && (grant.connection.consentedAt ?? 0) < since + FRESH_AFTER_MS
}

function reported(tables: Tables, limit: number): ReportedBehind[] {
  const found = new Map<ConnectionId, ReportedBehind>()
  for (const behind of tables.behind.values()) {
    const row = tables.connections.get(behind.connection)
    const known = found.get(behind.connection)
    const connection = row?.grant.connection
    const mended = row !== undefined && !stillBehind(tables, behind, row)
    const stored = [behind.stored, known?.stored ?? null].filter((generation) => generation !== null)
    found.set(behind.connection, {
      connection: behind.connection,
      marked: Math.max(behind.marked, known?.marked ?? 0),
      stored: stored.length === 0 ? null : Math.min(...stored),
      organization: connection?.organization ?? null,
      owner: connection?.owner ?? null,
      integration: connection === undefined ? null : (tables.integrations.get(connection.integration)?.integration.slug ?? null),
      mended: mended || known?.mended === true,
    })
  }
  return [...found.values()].sort((left, right) => (left.connection < right.connection ? -1 : 1)).slice(0, limit)
}

function end(tables: Tables, found: readonly StoredConnection[], { fault, event, events, limit }: EndGrants): StoredConnection[] {
  const ending = [...found].sort((left, right) => (left.grant.connection.id < right.grant.connection.id ? -1 : 1)).slice(0, Math.min(limit, events.length))
  for (const [index, row] of ending.entries()) {
    const { id: connection, organization } = row.grant.connection
    const { generation } = row.grant.credential
    const id = events[index]
    tables.connections.change(row, { connection: { state: 'needs_reauth', fault, updatedAt: event.at }, health: { dueAt: null, nextAttemptAt: null } })
    if (id !== undefined)
      tables.append({ id, organization, type: 'connection.needs_reauth', ...event, connection, subject: null, data: { code: fault.code, generation } })
    tables.changed({ kind: 'connection', connection })
  }
  return ending
}

function endBehind(tables: Tables, wanted: EndGrants): number {
  const open = [...tables.behind.values()].filter((kept) => !kept.ended)
  const found = [...tables.connections.all()].filter((row) => {
    const { id, state } = row.grant.connection
    return state !== 'disconnected' && open.some((kept) => kept.connection === id && stillBehind(tables, kept, row))
  })
  const ended = new Set(end(tables, found, wanted).map((row) => row.grant.connection.id))
  for (const [key, kept] of tables.behind) if (ended.has(kept.connection)) tables.behind.set(key, { ...kept, ended: true })
  return ended.size
}

/** A grant that was made in this copy after it was found to be one belongs to it alone. */
function endInherited(tables: Tables, wanted: EndGrants): number {
  const since = current(tables).since ?? 0
  const found = [...tables.connections.all()].filter(({ grant: { connection } }) => {
    return (connection.state === 'active' || connection.state === 'paused') && (connection.consentedAt ?? 0) < since
  })
  return end(tables, found, wanted).length
}

function confirm(tables: Tables, home: DatabaseHome | null, instance: string | null, event: NewEvent): Lineage {
  if (instance !== null) tables.revocations.finishAll()
  const { trusted, era, instance: before } = current(tables)
  if (trusted === 'trusted') return current(tables)
  tables.ticks.clear()
  tables.behind.clear()
  tables.append(event)
  return put(tables, { instance: instance ?? before, home, era: era + 1, eraAt: tables.now(), trusted: 'trusted', since: null, reason: null })
}

export function lineagesPart(tables: Tables): Lineages {
  return {
    whereabouts: async () => null,
    open: async (first) => open(tables, first),
    tick: async (node, expected) => tick(tables, node, expected),
    firstTick: async (node) => firstTick(tables, node),
    distrust: async (trusted, reason, event) => distrust(tables, trusted, reason, event),
    move: async (home, event) => move(tables, home, event),
    generationsOf: async (connections) =>
      connections.flatMap((connection) => {
        const row = tables.connections.get(connection)
        return row === undefined ? [] : [{ connection, generation: row.grant.credential.generation, fingerprint: row.grant.credential.fingerprint }]
      }),
    report: async (node, era, behind) => report(tables, node, era, behind),
    reportAgain: async (node, looked, behind) => reportAgain(tables, node, looked, behind),
    rolling: async () => rolling(tables),
    reported: async (limit) => reported(tables, limit),
    nodes: async (): Promise<readonly NodeComparison[]> => [...tables.ticks.values()].sort((left, right) => (left.node < right.node ? -1 : 1)),
    endBehind: async (wanted) => endBehind(tables, wanted),
    endInherited: async (wanted) => endInherited(tables, wanted),
    confirm: async (home, instance, event) => confirm(tables, home, instance, event),
  }
}
