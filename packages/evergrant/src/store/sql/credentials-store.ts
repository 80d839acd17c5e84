import type { ConnectionId, IntentId, OrganizationId } from '../../core/ids.ts'
import type { Credentials, FailureCommit, GrantRow, StoredAnswer } from '../../core/refresh/credentials.ts'
import { claim, reclaim, reclaimForgotten, release } from './claims.ts'
import { settleDeath, takeHeldProbes, unsettledDeaths } from './deaths.ts'
import { cutAnswers, markReads, reschedule, takeDue } from './due.ts'
import { commitFailure, commitGrant } from './grants.ts'
import { parkedIntegrations, takeParked } from './parked.ts'
import { type Database, type Program, type Row, row, rows, type WriteTraits } from './program.ts'
import { forgetAnswers } from './retention.ts'
import { bytesOrNull, GRANT_COLUMNS, GRANT_TABLES, integer, text, toGrantRow } from './rows.ts'
import { dueWarnings, warn } from './warnings.ts'

function* read(connection: ConnectionId): Program<GrantRow | undefined> {
  const found = yield* row(`select ${GRANT_COLUMNS} from ${GRANT_TABLES} where k.id = ?`, connection)
  return found === undefined ? undefined : toGrantRow(found)
}

function* unappliedAnswers(organization: OrganizationId, limit: number): Program<readonly (StoredAnswer & { readonly connection: ConnectionId })[]> {
  const found = yield* rows(
    `select intent_id, connection_id, received_at, http_status, verdict, body, body_hash from answer
     where organization_id = ? and applied = 0 and connection_id is not null order by received_at desc limit ?`,
    organization,
    limit,
  )
  return found.map(toAnswer)
}

function toAnswer(found: Row): StoredAnswer & { readonly connection: ConnectionId } {
  return {
    connection: text(found, 'connection_id') as ConnectionId,
    intent: text(found, 'intent_id') as IntentId,
    receivedAt: integer(found, 'received_at'),
    httpStatus: integer(found, 'http_status'),
    verdict: text(found, 'verdict'),
    body: bytesOrNull(found, 'body') ?? new Uint8Array(),
    bodyHash: text(found, 'body_hash'),
  }
}

/** A death locks its integration, too. */
const failureTraits = ({ death, connection }: FailureCommit): WriteTraits => (death === null ? { connection } : { repeatable: true })

export function credentialsStore(database: Database): Credentials {
  const { dialect } = database
  return {
    read: (connection) => database.read(() => read(connection)),
    claim: (request) => database.write(() => claim(dialect, request), { connection: request.connection }),
    release: (connection, intent, dueAt) => database.write(() => release(dialect, connection, intent, dueAt), { connection }),
    commitGrant: (commit) => database.write(() => commitGrant(dialect, commit), { connection: commit.connection }),
    commitFailure: (commit) => database.write(() => commitFailure(dialect, commit), failureTraits(commit)),
    takeDue: (limit, visibilityMs, parking = []) => database.write(() => takeDue(dialect, limit, visibilityMs, parking)),
    takeParked: (integration, limit, visibilityMs) => database.write(() => takeParked(dialect, integration, limit, visibilityMs)),
    parkedIntegrations: () => database.read(() => parkedIntegrations()),
    reclaim: (node) => database.write(() => reclaim(dialect, node), { repeatable: true }),
    reclaimForgotten: (connection, node, epoch) => database.write(() => reclaimForgotten(dialect, connection, node, epoch), { connection }),
    dueWarnings: (limit) => database.read(() => dueWarnings(limit)),
    warn: (steps) => database.write(() => warn(steps), { repeatable: true }),
    markReads: (marks) => (marks.length === 0 ? Promise.resolve() : database.write(() => markReads(marks), { repeatable: true })),
    reschedule: (taken, dueAt) => database.write(() => reschedule(taken, dueAt), { connection: taken.connection }),
    cutAnswers: (olderThan, limit) => database.write(() => cutAnswers(dialect, olderThan, limit)),
    forgetAnswers: (olderThan, limit) => database.write(() => forgetAnswers(dialect, olderThan, limit)),
    takeHeldProbes: (everyMs) => database.write(() => takeHeldProbes(dialect, everyMs)),
    unsettledDeaths: (limit) => database.read(() => unsettledDeaths(limit)),
    settleDeath: (settlement) => database.write(() => settleDeath(dialect, settlement), { repeatable: true }),
    unappliedAnswers: (organization, limit) => database.read(() => unappliedAnswers(organization, limit)),
  }
}
