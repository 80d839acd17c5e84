import { Fault } from '../fault/fault.ts'
import { judge } from '../provider/judge.ts'
import { HOUR } from '../time.ts'
import type { GrantRow } from './credentials.ts'
import type { EngineWorld } from './engine-ports.ts'
import { heldToken } from './held-token.ts'
import type { JournalRecord } from './journal.ts'
import { credentialContext } from './new-credential.ts'
import { commitWhenFree, grantCommit, isChained, noteStored, storedAnswer } from './settle-grant.ts'

/** `ahead`: it answers a generation that the database does not know any more. `kept`: it cannot be applied now. Both stay in the journal. */
type Replay = 'applied' | 'superseded' | 'ahead' | 'kept'

/** Applies one journaled answer by generation and fingerprint; an answer to another token is kept beside it. */
export async function replayAnswer(world: EngineWorld, record: JournalRecord): Promise<Replay> {
  if (record.subject.kind !== 'connection') return 'kept'
  const row = await world.credentials.read(record.subject.id)
  if (row === undefined) return 'kept'
  if (row.credential.generation < record.generation) return 'ahead'
  return applyOrKeep(world, record, answersTo(row, record) ? row : asPresented(row, record.generation))
}

/** Keeps, unapplied, an answer to a generation that a confirmed restore has given up. */
export async function setAside(world: EngineWorld, record: JournalRecord): Promise<Replay> {
  if (record.subject.kind !== 'connection') return 'kept'
  const row = await world.credentials.read(record.subject.id)
  return row === undefined ? 'kept' : applyOrKeep(world, record, asPresented(row, record.generation))
}

/**
 * Whatever else fails is a reason to wait, not to lose the answer, and no reason for a node not to start: one answer that a key, a provider or the
 * database refuses stays in the journal and stands in nobody's way. @throws Fault `store_unavailable`: whoever asked tries again
 */
export async function applyOrKeep(world: EngineWorld, record: JournalRecord, row: GrantRow): Promise<Replay> {
  try {
    return await apply(world, record, row)
  } catch (error) {
    if (error instanceof Fault && error.code === 'store_unavailable') throw error
    const { intent } = record
    if (world.told.once(`kept ${intent}`, world.clock.mono(), HOUR)) {
      world.log.error(
        { intent, connection: row.connection.id, error: error instanceof Error ? error.message : 'unknown' },
        'a journaled answer cannot be applied yet; it stays in the journal',
      )
    }
    return 'kept'
  }
}

export function answersTo({ credential }: GrantRow, record: JournalRecord): boolean {
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
  const verdict = judge(context, {
    step: 'refresh',
    outcome: { kind: 'answered', answer },
    sentAt: record.sentAt,
    secrets: [refreshToken],
    held: heldToken(world, row, grantContext.record),
  })
  const answered = {
    presentation: { row, context, reuse: grantContext.reuse, refreshToken },
    grantContext,
    intent: record.intent,
    sentAt: record.sentAt,
    receivedAt: record.receivedAt,
    answer,
  }
  if (verdict.kind !== 'granted') {
    if (world.told.once(`kept ${record.intent}`, world.clock.mono(), HOUR)) {
      const { bodyHash } = storedAnswer(world, connection.organization, answered, verdict.kind)
      world.log.warn({ intent: record.intent, verdict: verdict.kind, hash: bodyHash }, 'a journaled answer grants nothing now; it stays in the journal')
    }
    return 'kept'
  }
  const commit = grantCommit(world, answered, verdict.grant)
  const outcome = await commitWhenFree(world, commit)
  world.journal.settle(record.intent)
  // No word about the age of the database: an answer of another history is superseded, too. The examination judges that.
  noteStored(world, commit, outcome, grantContext.reuse)
  if (outcome.kind !== 'applied' && outcome.kind !== 'already') return 'superseded'
  // Its chain may not have been run: the first renewal that comes begins there instead of spending the refresh token.
  if (isChained(grantContext))
    world.firstAnswers.keep(connection.id, { generation: outcome.generation, grant: verdict.grant, sentAt: record.sentAt, intent: null })
  return 'applied'
}
