import type { ConnectionId } from '../../core/ids.ts'
import type { ClaimOutcome, ClaimRequest, CommitBusy, CommitOutcome, Credentials, GrantCommit, ReadMark } from '../../core/refresh/credentials.ts'
import { BytePieces } from '../sql/byte-pieces.ts'
import type { Row } from '../sql/program.ts'
import { integer, text } from '../sql/rows.ts'
import type { ChangeChannel } from './change-channel.ts'
import { Gathering } from './gathering.ts'
import { MergedReads } from './merged-reads.ts'
import { MERGED_CLAIM, MERGED_GRANT, MERGED_MARKS } from './merged-sql.ts'
import type { PostgresDatabase } from './postgres-database.ts'

const LANES = 2
const MAX_BATCH = 128
const MAX_MARKS = 1_000

interface Waiting<Request, Outcome> {
  readonly key: string
  readonly request: Request
  readonly resolve: (outcome: Outcome) => void
  readonly reject: (reason: unknown) => void
}

/**
 * The read and the two writes of every refresh, many at a time in one statement each. What a statement does not take (a lease held,
 * a generation that moved, a row that fails) goes through the single program, which says why; a statement that fails as
 * a whole, or whose outcome is unknown, sends everybody there: both programs are idempotent by intent.
 */
export function mergedCredentials(single: Credentials, database: PostgresDatabase, channel: ChangeChannel): Credentials {
  const claims = gather<ClaimRequest, ClaimOutcome>(single.claim, (requests) => claimMany(database, requests))
  const grants = gather<GrantCommit, CommitOutcome | CommitBusy>(single.commitGrant, (commits) => grantMany(database, channel, commits))
  const reads = new MergedReads(database)
  return {
    ...single,
    read: (connection) => reads.read(connection),
    claim: claims,
    commitGrant: (commit) => (commit.yields || commit.onlyAtEpoch !== undefined ? single.commitGrant(commit) : grants(commit)),
    markReads: (marks) => markMany(single, database, marks),
  }
}

type Merged<Request, Outcome> = (requests: readonly Request[]) => Promise<ReadonlyMap<string, Outcome>>

function gather<Request extends { readonly connection: ConnectionId }, Outcome>(
  single: (request: Request) => Promise<Outcome>,
  merged: Merged<Request, Outcome>,
) {
  const gathering = new Gathering<Waiting<Request, Outcome>>({
    lanes: LANES,
    size: MAX_BATCH,
    run: async (items) => {
      const outcomes = await merged(items.map((item) => item.request)).catch(() => new Map<string, Outcome>())
      for (const item of items) {
        const outcome = outcomes.get(item.key)
        if (outcome === undefined) single(item.request).then(item.resolve, item.reject)
        else item.resolve(outcome)
      }
    },
  })
  return (request: Request) => new Promise<Outcome>((resolve, reject) => gathering.add({ key: request.connection, request, resolve, reject }))
}

async function claimMany(database: PostgresDatabase, requests: readonly ClaimRequest[]): Promise<ReadonlyMap<string, ClaimOutcome>> {
  const list = requests.map(({ connection, generation, epoch, node, intent, leaseMs, quietMs }) => ({
    id: connection,
    generation,
    epoch,
    owner: node.id,
    incarnation: node.incarnation,
    intent,
    lease_ms: leaseMs,
    quiet_ms: quietMs ?? null,
  }))
  const claimed = await database.statement(MERGED_CLAIM, [JSON.stringify(list)])
  return new Map(claimed.map((row) => [text(row, 'connection_id'), claimedOutcome(row)]))
}

const claimedOutcome = (row: Row): ClaimOutcome => ({ kind: 'claimed', epoch: integer(row, 'lease_epoch'), at: integer(row, 'intent_at') })

/** Every reader of an hour leaves a mark: a statement for each would be thousands in one transaction. */
async function markMany(single: Credentials, database: PostgresDatabase, marks: readonly ReadMark[]): Promise<void> {
  const latest = new Map(marks.map((mark) => [mark.connection, mark]))
  if (latest.size < marks.length) return single.markReads(marks)
  for (let first = 0; first < marks.length; first += MAX_MARKS) {
    const some = marks.slice(first, first + MAX_MARKS)
    const list = some.map(({ connection, at, dueAt }) => ({ id: connection, at, due_at: dueAt }))
    const marked = await database.statement(MERGED_MARKS, [JSON.stringify(list)]).catch(() => [])
    const done = new Set(marked.map((row) => text(row, 'connection_id')))
    await single.markReads(some.filter((mark) => !done.has(mark.connection)))
  }
}

async function grantMany(database: PostgresDatabase, channel: ChangeChannel, commits: readonly GrantCommit[]): Promise<ReadonlyMap<string, CommitOutcome>> {
  const pieces = new BytePieces()
  const list = commits.map((commit) => grantRecord(commit, pieces))
  const [row] = await database.statement(MERGED_GRANT, [JSON.stringify(list), pieces.bytes(), channel.origin])
  const applied = (row?.list ?? []) as readonly (readonly [ConnectionId, number])[]
  channel.announce(applied.map(([connection]) => ({ kind: 'connection', connection })))
  return new Map(applied.map(([connection, generation]): [string, CommitOutcome] => [connection, { kind: 'applied', generation }]))
}

function grantRecord(commit: GrantCommit, pieces: BytePieces) {
  const { answer, credential, event } = commit
  const [bodyOffset, bodyLength] = pieces.add(answer.body)
  const [accessOffset, accessLength] = pieces.add(credential.accessToken)
  const [refreshOffset, refreshLength] = pieces.add(credential.refreshToken)
  return {
    id: commit.connection,
    organization: commit.organization,
    intent: commit.intent,
    generation: commit.presentedGeneration,
    fingerprint: commit.presentedFingerprint,
    received_at: answer.receivedAt,
    http_status: answer.httpStatus,
    verdict: answer.verdict,
    body_hash: answer.bodyHash,
    body_offset: bodyOffset,
    body_length: bodyLength,
    access_offset: accessOffset,
    access_length: accessLength,
    refresh_offset: refreshOffset,
    refresh_length: refreshLength,
    new_fingerprint: credential.fingerprint,
    token_type: credential.tokenType,
    obtained_at: credential.obtainedAt,
    access_expires_at: credential.accessExpiresAt,
    refresh_expires_at: credential.refreshExpiresAt,
    soft_at: credential.softAt,
    hard_at: credential.hardAt,
    scopes: commit.scopes === null ? null : JSON.stringify(commit.scopes),
    facts: JSON.stringify(commit.facts),
    account: commit.account,
    due_at: commit.dueAt,
    ends_at: commit.end.at,
    warn_at: commit.end.warnAt,
    event_id: event.id,
    event_organization: event.organization,
    event_type: event.type,
    event_at: event.at,
    actor_kind: event.actor.kind,
    actor_id: event.actor.id,
    event_connection: event.connection,
    subject: event.subject,
    data: JSON.stringify(event.data),
  }
}
