import type { FaultCode } from '../../core/fault/fault.ts'
import type { IntentId } from '../../core/ids.ts'
import type { CommitBusy, CommitOutcome, FailureCommit, FailureOutcome, GrantCommit } from '../../core/refresh/credentials.ts'
import { GIVEN_UP } from '../../core/refresh/lineage.ts'
import type { Instant } from '../../core/time.ts'
import { keepAnswer } from './answers.ts'
import { dropFlight } from './claims.ts'
import { countDeath, faultHeld } from './deaths.ts'
import { append } from './event-rows.ts'
import { changed, type Dialect, type Program, type Row, row, run } from './program.ts'
import { queueLateRevocation } from './revocations.ts'
import { CLEAR_FLIGHT, integer, json, jsonOrNull, SET_TOKENS, text, textOrNull, toJson, tokenValues } from './rows.ts'

const LOCKED = 'select k.id, k.state, k.integration_id, k.owner, k.account, k.scopes, k.facts, k.fault, k.revoke_rule from connection k where k.id = ?'

export function* commitGrant(dialect: Dialect, commit: GrantCommit): Program<CommitOutcome | CommitBusy> {
  const usual = !commit.yields && commit.onlyAtEpoch === undefined && Object.keys(commit.facts).length === 0
  const applied = dialect.oneWriter && usual ? yield* commitAtOnce(commit) : undefined
  return applied ?? (yield* commitStepwise(dialect, commit))
}

/** One writer: nothing can come between. The usual answer finds an active connection as it was left, and says nothing new about it. */
function* commitAtOnce(commit: GrantCommit): Program<CommitOutcome | undefined> {
  const { connection, presentedGeneration, scopes, account } = commit
  const taken = yield* run(
    `update credential set generation = generation + 1, ${SET_TOKENS}, ${CLEAR_FLIGHT}
     where connection_id = ? and generation = ? and fingerprint is ? and exists (
       select 1 from connection k where k.id = connection_id and k.state = 'active' and k.fault is null
         and (? is null or k.account is not null) and coalesce(?, k.scopes) is k.scopes)`,
    ...tokenValues(commit.credential),
    connection,
    presentedGeneration,
    commit.presentedFingerprint,
    account,
    toJson(scopes),
  )
  if (taken === 0) return undefined
  yield* becomeWell(commit, commit.dueAt)
  yield* keepApplied(commit)
  return { kind: 'applied', generation: presentedGeneration + 1 }
}

function* commitStepwise(dialect: Dialect, commit: GrantCommit): Program<CommitOutcome | CommitBusy> {
  const { found, current, earlier } = dialect.oneWriter ? yield* seenAtOnce(commit) : yield* seenUnderLock(dialect, commit)
  if (found === undefined || current === undefined) return yield* keepUnapplied(commit, { kind: 'superseded', generation: 0 })
  if (earlier !== undefined && integer(earlier, 'applied') === 1) return { kind: 'already', generation: integer(earlier, 'generation') + 1 }
  if (commit.onlyAtEpoch !== undefined && (found.state === 'disconnected' || integer(current, 'lease_epoch') !== commit.onlyAtEpoch))
    return found.state === 'disconnected' ? { kind: 'disconnected' } : { kind: 'superseded', generation: integer(current, 'generation') }
  if (found.state === 'disconnected') {
    yield* dropFlight(commit.connection, commit.intent)
    yield* queueLateRevocation(found, commit)
    return yield* keepUnapplied(commit, { kind: 'disconnected' })
  }
  const generation = integer(current, 'generation')
  if (generation !== commit.presentedGeneration || textOrNull(current, 'fingerprint') !== commit.presentedFingerprint) {
    return yield* keepUnapplied(commit, { kind: 'superseded', generation })
  }
  if (isGivenUp(found)) return yield* keepUnapplied(commit, { kind: 'superseded', generation })
  const until = commit.yields ? yield* presentedElsewhereUntil(commit) : null
  if (until !== null) return { kind: 'busy', until }
  yield* applyGrant(found, commit)
  return { kind: 'applied', generation: generation + 1 }
}

/** An operator's confirmation has ended it: the answer is kept, and only the owner brings the grant back. */
function isGivenUp(found: Row): boolean {
  const code = jsonOrNull<{ readonly code: FaultCode }>(found, 'fault')?.code
  return found.state === 'needs_reauth' && code !== undefined && GIVEN_UP.includes(code)
}

function* presentedElsewhereUntil({ connection, intent }: GrantCommit): Program<Instant | null> {
  const other = yield* row(
    'select lease_until from credential where connection_id = ? and intent_id is not null and intent_id <> ? and lease_until > now_ms()',
    connection,
    intent,
  )
  return other === undefined ? null : integer(other, 'lease_until')
}

interface Seen {
  readonly found: Row | undefined
  readonly current: Row | undefined
  readonly earlier: Row | undefined
}

/** The lock comes first, in a statement of its own: rows read in the same statement would be as old as its snapshot, which is older than the lock. */
function* seenUnderLock(dialect: Dialect, commit: GrantCommit): Program<Seen> {
  const found = yield* row(`${LOCKED} ${dialect.forUpdate('k')}`, commit.connection)
  const current = yield* row('select generation, fingerprint, lease_epoch from credential where connection_id = ?', commit.connection)
  const earlier = yield* row('select generation, applied from answer where intent_id = ?', commit.intent)
  return { found, current, earlier }
}

function* seenAtOnce(commit: GrantCommit): Program<Seen> {
  const seen = yield* row(
    `select k.id, k.state, k.integration_id, k.owner, k.account, k.scopes, k.facts, k.fault, k.revoke_rule, c.generation, c.fingerprint, c.lease_epoch,
       a.generation as answered_generation, a.applied
     from connection k join credential c on c.connection_id = k.id left join answer a on a.intent_id = ? where k.id = ?`,
    commit.intent,
    commit.connection,
  )
  const earlier = seen === undefined || seen.applied === null ? undefined : { generation: seen.answered_generation, applied: seen.applied }
  return { found: seen, current: seen, earlier }
}

function* keepUnapplied<Outcome extends CommitOutcome>(commit: GrantCommit, outcome: Outcome): Program<Outcome> {
  const { organization, connection, presentedGeneration, answer } = commit
  yield* keepAnswer({ organization, connection, session: null, generation: presentedGeneration, answer, applied: false })
  return outcome
}

function* applyGrant(found: Row, commit: GrantCommit): Program<void> {
  const { connection, credential } = commit
  yield* run(
    `update credential set generation = generation + 1, ${SET_TOKENS}, ${CLEAR_FLIGHT} where connection_id = ?`,
    ...tokenValues(credential),
    connection,
  )
  yield* becomeWell(commit, found.state === 'paused' ? null : commit.dueAt)
  yield* describe(found, commit)
  yield* keepApplied(commit)
}

/** The warnings of an end that stayed the same go on where they were. */
function becomeWell({ connection, answer, end }: GrantCommit, dueAt: Instant | null): Program<number> {
  return run(
    `update health set due_at = ?, next_attempt_at = null, failures = 0, first_failed_at = null, failed_intent = null, leased_by = null, last_refreshed_at = ?,
       ends_at = ?, warn_at = case when ends_at is not distinct from ? then warn_at else ? end
     where connection_id = ?`,
    dueAt,
    answer.receivedAt,
    end.at,
    end.at,
    end.warnAt,
    connection,
  )
}

function* keepApplied({ connection, organization, presentedGeneration, answer, event }: GrantCommit): Program<void> {
  yield* keepAnswer({ organization, connection, session: null, generation: presentedGeneration, answer, applied: true })
  yield* append(event)
  yield* changed({ kind: 'connection', connection })
}

/** Touches the connection's own row only if the answer says something new: most refreshes do not. */
function* describe(found: Row, commit: GrantCommit): Program<void> {
  const account = textOrNull(found, 'account') ?? (yield* freeAccount(found, commit.account))
  const scopes = toJson(commit.scopes) ?? textOrNull(found, 'scopes')
  const facts = JSON.stringify({ ...json<object>(found, 'facts'), ...commit.facts })
  const same = account === found.account && scopes === found.scopes && facts === found.facts
  if (same && found.fault === null && found.state !== 'needs_reauth') return
  yield* run(
    `update connection set state = case when state = 'needs_reauth' then 'active' else state end, fault = null, scopes = ?, facts = ?, account = ?,
       updated_at = ? where id = ?`,
    scopes,
    facts,
    account,
    commit.answer.receivedAt,
    commit.connection,
  )
}

/** An account that another live connection of the owner has stays unset: the name is not worth the token. */
function* freeAccount(found: Row, account: string | null): Program<string | null> {
  if (account === null) return null
  const taken = yield* row(
    "select id from connection where integration_id = ? and owner = ? and account = ? and state <> 'disconnected' and id <> ?",
    text(found, 'integration_id'),
    text(found, 'owner'),
    account,
    text(found, 'id'),
  )
  return taken === undefined ? account : null
}

export function* commitFailure(dialect: Dialect, commit: FailureCommit): Program<FailureOutcome> {
  const { connection, organization, intent, answer } = commit
  const found = yield* row(`${LOCKED} ${dialect.forUpdate('k')}`, connection)
  const current = yield* row('select generation, intent_id, intent_at, suspect_intent from credential where connection_id = ?', connection)
  if (answer !== null) yield* keepAnswer({ organization, connection, session: null, generation: commit.presentedGeneration, answer, applied: false })
  if (found === undefined || current === undefined) return { kind: 'moved', generation: 0 }
  const generation = integer(current, 'generation')
  if (generation !== commit.presentedGeneration) return { kind: 'moved', generation }
  if (yield* recordedBefore(connection, commit.attempt)) return { kind: faultHeld(found) ? 'held' : 'recorded' }
  if (intent !== null) yield* settleIntent(current, commit, intent)
  const held = commit.death !== null && found.state === 'active' && (yield* countDeath(dialect, commit, commit.death))
  yield* recordFailure(found, commit, held)
  if (commit.event !== null && !held) yield* append(commit.event)
  yield* changed({ kind: 'connection', connection })
  return { kind: held ? 'held' : 'recorded' }
}

function* recordedBefore(connection: string, attempt: IntentId): Program<boolean> {
  const health = yield* row('select failed_intent from health where connection_id = ?', connection)
  return health !== undefined && health.failed_intent === attempt
}

function* settleIntent(current: Row, commit: FailureCommit, intent: IntentId): Program<void> {
  const { connection, effect } = commit
  if (effect === 'untouched') {
    yield* run(
      'update credential set suspect_intent = null, suspect_at = null, suspect_answered = null where connection_id = ? and suspect_intent = ?',
      connection,
      intent,
    )
  }
  if (effect === 'suspect') {
    const own = current.intent_id === intent
    yield* run(
      `update credential set suspect_answered = ?, suspect_at = ${own ? 'intent_at' : '?'}, suspect_intent = ? where connection_id = ? and suspect_intent is null`,
      ...(own ? [commit.answered ? 1 : 0] : [commit.answered ? 1 : 0, commit.fault.at]),
      intent,
      connection,
    )
    yield* run('update credential set suspect_answered = ? where connection_id = ? and suspect_intent = ?', commit.answered ? 1 : 0, connection, intent)
  }
  yield* dropFlight(connection, intent)
}

/** `held`: this is a death whose end is not marked. An end held earlier keeps its fault through other failures, and stays out of the due queue. */
function* recordFailure(found: Row, commit: FailureCommit, held: boolean): Program<void> {
  const { connection } = commit
  const dead = commit.effect === 'dead' && found.state === 'active' && !held
  const stillHeld = held || (commit.effect !== 'dead' && faultHeld(found))
  const active = found.state === 'active' && !dead && !stillHeld
  const fault = held && commit.death !== null ? commit.death.heldFault : commit.fault
  yield* run(
    `update health set failures = failures + ?, first_failed_at = case when ? = 1 then coalesce(first_failed_at, ?) else first_failed_at end,
       next_attempt_at = ?, due_at = ?, failed_intent = ? where connection_id = ?`,
    commit.countsAsFailure ? 1 : 0,
    commit.countsAsFailure ? 1 : 0,
    fault.at,
    stillHeld ? null : commit.nextAttemptAt,
    active ? commit.dueAt : null,
    commit.attempt,
    connection,
  )
  const keepsFault = stillHeld && !held
  if (!keepsFault && (found.state === 'active' || found.state === 'paused')) {
    yield* run(
      'update connection set fault = ?, state = ?, updated_at = ? where id = ?',
      JSON.stringify(fault),
      dead ? 'needs_reauth' : text(found, 'state'),
      fault.at,
      connection,
    )
  }
}
