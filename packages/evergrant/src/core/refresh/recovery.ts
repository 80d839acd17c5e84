import { Fault } from '../fault/fault.ts'
import { judge } from '../provider/judge.ts'
import { SealError } from '../seal/seal.ts'
import type { GrantRow } from './credentials.ts'
import type { EngineWorld } from './engine-ports.ts'
import type { JournalRecord } from './journal.ts'
import { credentialContext } from './new-credential.ts'
import type { RecoveryReport } from './refresh-engine.ts'
import { grantCommit, storedAnswer } from './settle-grant.ts'

type Replay = 'applied' | 'superseded' | 'kept'

/** At boot, before anything is claimed: first the answers that only the journal has, then our own older leases. */
export async function recoverNode(world: EngineWorld): Promise<RecoveryReport> {
  let replayed = 0
  let superseded = 0
  for (const record of await world.journal.pending()) {
    if (record.subject.kind !== 'connection') continue
    const replay = await replayAnswer(world, record)
    if (replay === 'applied') replayed += 1
    if (replay === 'superseded') superseded += 1
  }
  const reclaimed = await world.credentials.reclaim(world.node)
  return { reclaimed, replayed, superseded }
}

/** Applies one journaled answer by generation and fingerprint. What cannot be applied now stays in the journal. */
async function replayAnswer(world: EngineWorld, record: JournalRecord): Promise<Replay> {
  if (record.subject.kind !== 'connection') return 'kept'
  const row = await world.credentials.read(record.subject.id)
  if (row === undefined) return 'kept'
  if (row.credential.generation < record.generation) {
    world.log.error(
      { intent: record.intent, connection: row.connection.id, generation: record.generation, stored: row.credential.generation },
      'a journaled answer is ahead of the database, which has gone back in time; it stays in the journal',
    )
    return 'kept'
  }
  try {
    return await apply(world, record, answersTo(row, record) ? row : asPresented(row, record.generation))
  } catch (error) {
    if (!(error instanceof Fault || error instanceof SealError)) throw error
    world.log.error(
      { intent: record.intent, connection: row.connection.id, error: error.message },
      'a journaled answer cannot be applied yet; it stays in the journal',
    )
    return 'kept'
  }
}

function answersTo({ credential }: GrantRow, record: JournalRecord): boolean {
  return credential.generation === record.generation && credential.fingerprint === record.fingerprint
}

/** For an answer to another token: it cannot apply any more, but it is kept beside the token unless it was applied. */
function asPresented(row: GrantRow, generation: number): GrantRow {
  return { ...row, credential: { ...row.credential, generation, refreshToken: null, fingerprint: null } }
}

async function apply(world: EngineWorld, record: JournalRecord, row: GrantRow): Promise<Replay> {
  const { connection, credential } = row
  const grantContext = await world.contexts.of(connection.integration)
  const context = await world.contexts.provider(grantContext, connection.variables, connection.facts)
  const sealed = credential.refreshToken
  const refreshToken =
    sealed === null ? '' : world.seal.openText(sealed, credentialContext(connection.organization, connection.id, credential.generation, 'refresh_token'))
  const answer = { status: record.httpStatus, headers: record.headers, body: record.body, text: world.decode(record.body) }
  const verdict = judge(context, { step: 'refresh', outcome: { kind: 'answered', answer }, sentAt: record.sentAt, secrets: [refreshToken] })
  const answered = {
    presentation: { row, context, reuse: grantContext.reuse, refreshToken },
    grantContext,
    intent: record.intent,
    sentAt: record.sentAt,
    receivedAt: record.receivedAt,
    answer,
  }
  if (verdict.kind !== 'granted') {
    world.log.warn(
      { intent: record.intent, verdict: verdict.kind, hash: storedAnswer(world, connection.organization, answered, verdict.kind).bodyHash },
      'a journaled answer grants nothing now; it stays in the journal',
    )
    return 'kept'
  }
  const outcome = await world.credentials.commitGrant(grantCommit(world, answered, verdict.grant))
  world.journal.settle(record.intent)
  return outcome.kind === 'applied' || outcome.kind === 'already' ? 'applied' : 'superseded'
}
