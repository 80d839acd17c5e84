import type { Connection } from '../../core/connection/connection.ts'
import type { IntentId } from '../../core/ids.ts'
import type { CommitBusy, CommitOutcome, FailureCommit, FailureOutcome, GrantCommit, StoredAnswer } from '../../core/refresh/credentials.ts'
import { GIVEN_UP } from '../../core/refresh/lineage.ts'
import { dropFlight, NO_FLIGHT } from './claims.ts'
import type { StoredConnection } from './connection-table.ts'
import { countDeath, faultHeld } from './deaths.ts'
import { queueLateRevocation } from './revocations.ts'
import type { Tables } from './tables.ts'

export function commitGrant(tables: Tables, commit: GrantCommit): CommitOutcome | CommitBusy {
  requireInstant(commit.dueAt)
  const row = tables.connections.get(commit.connection)
  if (row === undefined) return keepUnapplied(tables, commit, { kind: 'superseded', generation: 0 })
  const earlier = tables.answers.get(commit.intent)
  if (earlier?.applied === true) return { kind: 'already', generation: earlier.generation + 1 }
  const { onlyAtEpoch } = commit
  if (onlyAtEpoch !== undefined && row.grant.connection.state === 'disconnected') return { kind: 'disconnected' }
  if (onlyAtEpoch !== undefined && row.grant.credential.epoch !== onlyAtEpoch) return { kind: 'superseded', generation: row.grant.credential.generation }
  if (row.grant.connection.state === 'disconnected') {
    queueLateRevocation(tables, dropFlight(tables, row, commit.intent), commit)
    return keepUnapplied(tables, commit, { kind: 'disconnected' })
  }
  const { generation, fingerprint, intent, lease } = row.grant.credential
  if (generation !== commit.presentedGeneration || fingerprint !== commit.presentedFingerprint) {
    return keepUnapplied(tables, commit, { kind: 'superseded', generation })
  }
  const { state, fault } = row.grant.connection
  if (state === 'needs_reauth' && fault !== null && GIVEN_UP.includes(fault.code)) return keepUnapplied(tables, commit, { kind: 'superseded', generation })
  const presentedElsewhere = intent !== null && intent.id !== commit.intent && lease !== null && lease.until > tables.now()
  if (commit.yields && presentedElsewhere) return { kind: 'busy', until: lease.until }
  applyGrant(tables, row, commit)
  return { kind: 'applied', generation: generation + 1 }
}

function requireInstant(at: number | null): void {
  if (at !== null && !Number.isSafeInteger(at)) throw new Error(`${at} is no instant`)
}

function keepUnapplied<Outcome extends CommitOutcome>(tables: Tables, commit: GrantCommit, outcome: Outcome): Outcome {
  keep(tables, commit, commit.answer, false)
  return outcome
}

function keep(tables: Tables, commit: GrantCommit | FailureCommit, answer: StoredAnswer, applied: boolean): void {
  const { organization, connection, presentedGeneration } = commit
  tables.answers.keep({ organization, connection, generation: presentedGeneration, answer, applied })
}

function applyGrant(tables: Tables, row: StoredConnection, commit: GrantCommit): void {
  const { connection, credential } = row.grant
  tables.connections.change(row, {
    connection: { ...described(tables, connection, commit), lastRefreshedAt: commit.answer.receivedAt },
    credential: { ...commit.credential, ...NO_FLIGHT, suspicion: null, generation: credential.generation + 1 },
    health: { dueAt: connection.state === 'paused' ? null : commit.dueAt, nextAttemptAt: null, failures: 0, firstFailedAt: null, endsAt: commit.end.at },
    failedIntent: null,
    leasedBy: null,
    // The warnings of an end that stayed the same go on where they were.
    warnAt: row.grant.health.endsAt === commit.end.at ? row.warnAt : commit.end.warnAt,
  })
  keep(tables, commit, commit.answer, true)
  tables.append(commit.event)
  tables.changed({ kind: 'connection', connection: connection.id })
}

/** What an answer says of the connection itself; nothing when it says nothing new. */
function described(tables: Tables, connection: Connection, commit: GrantCommit): Partial<Connection> {
  const account = connection.account ?? freeAccount(tables, connection, commit.account)
  const scopes = commit.scopes ?? connection.scopes
  const facts = { ...connection.facts, ...commit.facts }
  const lifted = connection.fault !== null || connection.state === 'needs_reauth'
  const news = account !== connection.account || !sameList(scopes, connection.scopes) || !sameWords(facts, connection.facts)
  if (!lifted && !news) return {}
  const state = connection.state === 'needs_reauth' ? 'active' : connection.state
  return { state, fault: null, scopes, facts, account, updatedAt: commit.answer.receivedAt }
}

function sameList(left: readonly string[] | null, right: readonly string[] | null): boolean {
  if (left === null || right === null) return left === right
  return left.length === right.length && left.every((item, index) => item === right[index])
}

function sameWords(left: Readonly<Record<string, string>>, right: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(left)
  return names.length === Object.keys(right).length && names.every((name) => left[name] === right[name])
}

/** An account that another live connection of the owner has stays unset: the name is not worth the token. */
function freeAccount(tables: Tables, own: Connection, account: string | null): string | null {
  if (account === null) return null
  const taken = tables.connections
    .ofAccount(own.integration, account)
    .some(({ grant: { connection } }) => connection.owner === own.owner && connection.state !== 'disconnected' && connection.id !== own.id)
  return taken ? null : account
}

export function commitFailure(tables: Tables, commit: FailureCommit): FailureOutcome {
  requireInstant(commit.dueAt)
  const { connection, intent, answer } = commit
  if (answer !== null) keep(tables, commit, answer, false)
  const row = tables.connections.get(connection)
  if (row === undefined) return { kind: 'moved', generation: 0 }
  const { generation } = row.grant.credential
  if (generation !== commit.presentedGeneration) return { kind: 'moved', generation }
  if (row.failedIntent === commit.attempt) return { kind: faultHeld(row.grant) ? 'held' : 'recorded' }
  const settled = intent === null ? row : settleIntent(tables, row, commit, intent)
  const held = commit.death !== null && row.grant.connection.state === 'active' && countDeath(tables, commit, commit.death)
  recordFailure(tables, settled, commit, held)
  if (commit.event !== null && !held) tables.append(commit.event)
  tables.changed({ kind: 'connection', connection })
  return { kind: held ? 'held' : 'recorded' }
}

function settleIntent(tables: Tables, row: StoredConnection, commit: FailureCommit, intent: IntentId): StoredConnection {
  const { suspicion, intent: open } = row.grant.credential
  const own = suspicion?.intent === intent
  if (commit.effect === 'untouched' && own) return dropFlight(tables, tables.connections.change(row, { credential: { suspicion: null } }), intent)
  if (commit.effect === 'suspect' && (own || suspicion === null)) {
    const at = suspicion?.at ?? (open?.id === intent ? open.at : commit.fault.at)
    return dropFlight(tables, tables.connections.change(row, { credential: { suspicion: { intent, at, answered: commit.answered } } }), intent)
  }
  return dropFlight(tables, row, intent)
}

/** `held`: this is a death whose end is not marked. An end held earlier keeps its fault through other failures, and stays out of the due queue. */
function recordFailure(tables: Tables, row: StoredConnection, commit: FailureCommit, held: boolean): void {
  const { connection, health } = row.grant
  const { state } = connection
  const dead = commit.effect === 'dead' && state === 'active' && !held
  const stillHeld = held || (commit.effect !== 'dead' && faultHeld(row.grant))
  const active = state === 'active' && !dead && !stillHeld
  const fault = held && commit.death !== null ? commit.death.heldFault : commit.fault
  const told = (state === 'active' || state === 'paused') && (held || !stillHeld)
  tables.connections.change(row, {
    health: {
      failures: health.failures + (commit.countsAsFailure ? 1 : 0),
      firstFailedAt: commit.countsAsFailure ? (health.firstFailedAt ?? commit.fault.at) : health.firstFailedAt,
      nextAttemptAt: stillHeld ? null : commit.nextAttemptAt,
      dueAt: active ? commit.dueAt : null,
    },
    failedIntent: commit.attempt,
    ...(told && { connection: { fault, state: dead ? 'needs_reauth' : state, updatedAt: fault.at } }),
  })
}
