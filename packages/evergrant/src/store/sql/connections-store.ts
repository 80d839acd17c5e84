import type { Connections } from '../../core/connection/connections.ts'
import { byAccount, byOwner, counts, get, list } from './connection-reads.ts'
import { insert, patch, replaceGrant, setPaused } from './connection-writes.ts'
import { foreseeImport, importMany } from './imports.ts'
import type { Database } from './program.ts'
import { disconnect, finishRevocation, purge, retryRevocation, takeDueRevocations } from './revocations.ts'

export function connectionsStore(database: Database): Connections {
  const { dialect } = database
  return {
    insert: (connection) => database.write(() => insert(connection)),
    importMany: (batch) => database.write(() => importMany(dialect, batch), { repeatable: true }),
    foreseeImport: (batch) => database.read(() => foreseeImport(dialect, batch)),
    get: (organization, id) => database.read(() => get(organization, id)),
    byOwner: (organization, integration, owner) => database.read(() => byOwner(organization, integration, owner)),
    byAccount: (organization, integration, account) => database.read(() => byAccount(organization, integration, account)),
    list: (organization, filter, page) => database.read(() => list(dialect, organization, filter, page)),
    patch: (organization, id, changes, version, event) => database.write(() => patch(organization, id, changes, version, event)),
    setPaused: (organization, id, paused, dueAt, event) => database.write(() => setPaused(dialect, organization, id, paused, dueAt, event)),
    replaceGrant: (replacement) => database.write(() => replaceGrant(dialect, replacement)),
    disconnect: (request) => database.write(() => disconnect(dialect, request)),
    takeDueRevocations: (limit, visibilityMs) => database.write(() => takeDueRevocations(dialect, limit, visibilityMs)),
    finishRevocation: (id, event) => database.write(() => finishRevocation(id, event)),
    retryRevocation: (id, dueAt) => database.write(() => retryRevocation(id, dueAt)),
    counts: (organization) => database.read(() => counts(organization)),
    purge: (before, limit) => database.write(() => purge(dialect, before, limit)),
  }
}
