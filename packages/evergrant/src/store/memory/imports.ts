import type { Connection } from '../../core/connection/connection.ts'
import type { ImportIdentity, ImportOutcome, InsertOutcome, NewConnection, NewImport } from '../../core/connection/connections.ts'
import { KnownGrants } from '../sql/import-decisions.ts'
import type { Tables } from './tables.ts'

type Insert = (tables: Tables, row: NewConnection) => InsertOutcome

export function markImported(tables: Tables, fingerprint: string | undefined, of: Pick<Connection, 'id' | 'integration' | 'owner'>): void {
  if (fingerprint === undefined) return
  const key = `${of.integration} ${fingerprint}`
  tables.imports.set(key, new Map([...(tables.imports.get(key) ?? []), [of.owner, of.id]]))
}

export function importMany(tables: Tables, batch: readonly NewImport[], insert: Insert): readonly ImportOutcome[] {
  const known = knownOf(
    tables,
    batch.map(({ identity }) => identity),
  )
  return batch.map(({ identity, row }) => {
    const decision = known.decide(identity, row.connection.id)
    if (decision === 'committed') return { kind: 'inserted' }
    if (decision.kind === 'inserted') insert(tables, { ...row, imported: identity.fingerprint })
    return decision
  })
}

export function foreseeImport(tables: Tables, batch: readonly ImportIdentity[]): readonly ImportOutcome[] {
  const known = knownOf(tables, batch)
  return batch.map((identity) => {
    const decision = known.decide(identity, null)
    return decision === 'committed' ? { kind: 'inserted' } : decision
  })
}

function knownOf(tables: Tables, batch: readonly ImportIdentity[]): KnownGrants {
  const known = new KnownGrants()
  const seen = new Set<string>()
  for (const { integration, owner, account, fingerprint } of batch) {
    const key = `${integration} ${fingerprint}`
    if (!seen.has(key)) {
      for (const [of, connection] of tables.imports.get(key) ?? [])
        known.mark({ integration, fingerprint }, { owner: of, connection, live: tables.connections.get(connection)?.grant.connection.state !== 'disconnected' })
      seen.add(key)
    }
    if (account === null) continue
    const holder = tables.connections
      .ofAccount(integration, account)
      .find(({ grant }) => grant.connection.owner === owner && grant.connection.state !== 'disconnected')
    if (holder !== undefined) {
      const { connection, credential } = holder.grant
      known.hold({ integration, owner, account }, { connection: connection.id, fingerprint: credential.fingerprint })
    }
  }
  return known
}
