import type { AuditEvent } from '../audit/event.ts'
import { SYSTEM_ACTOR } from '../audit/event.ts'
import { type IntentId, newId } from '../ids.ts'
import { keptHeaders } from '../provider/beside-body.ts'
import { chainOf } from '../provider/chain.ts'
import type { Reuse } from '../provider/reuse.ts'
import type { Granted, Verdict } from '../provider/verdict.ts'
import type { ProviderAnswer } from '../provider/wire.ts'
import type { Instant } from '../time.ts'
import { answerBytes } from './answer-bytes.ts'
import type { CommitOutcome, GrantCommit, GrantRow, StoredAnswer } from './credentials.ts'
import { dueAfter } from './due.ts'
import { untilDurable } from './durable.ts'
import type { EngineWorld } from './engine-ports.ts'
import type { GrantContext } from './grant-contexts.ts'
import { grantEnd } from './grant-lifetime.ts'
import { credentialContext, newCredential } from './new-credential.ts'
import type { Presentation } from './present.ts'
import { askAgainAt, openPresentation } from './suspicion.ts'

/** An answer in hand: what was presented, what came back, and when. */
export interface AnsweredPresentation {
  readonly presentation: Presentation
  readonly grantContext: GrantContext
  readonly intent: IntentId
  readonly sentAt: Instant
  readonly receivedAt: Instant
  readonly answer: ProviderAnswer
}

interface SettledGrant {
  readonly commit: GrantCommit
  /** What the database said, or null while only the journal has the answer. */
  readonly outcome: CommitOutcome | null
  /** Resolves once the database has it. */
  readonly committed: Promise<CommitOutcome>
}

/** Seals the raw bytes for the answer row, see `answerBytes`. */
export function storedAnswer(
  world: EngineWorld,
  organization: string,
  answered: Pick<AnsweredPresentation, 'intent' | 'receivedAt' | 'answer' | 'grantContext'>,
  verdict: string,
): StoredAnswer {
  const { intent, receivedAt, answer, grantContext } = answered
  return {
    intent,
    receivedAt,
    httpStatus: answer.status,
    verdict,
    body: world.seal.seal(answerBytes(grantContext.record, answer), { organization, table: 'answer', row: intent, column: 'body' }),
    bodyHash: world.seal.digest(answer.body),
  }
}

/**
 * Where the same refresh token may be presented again at once, a lost answer loses nothing: its bytes are neither
 * journaled nor kept, only its facts.
 */
export function keepsAnswers(reuse: Reuse): boolean {
  return reuse.class !== 'P0'
}

function answerFacts(world: EngineWorld, answered: Pick<AnsweredPresentation, 'intent' | 'receivedAt' | 'answer'>, verdict: string): StoredAnswer {
  const { intent, receivedAt, answer } = answered
  return { intent, receivedAt, httpStatus: answer.status, verdict, body: NO_BYTES, bodyHash: world.seal.digest(answer.body) }
}

const NO_BYTES = new Uint8Array(0)

/** The transaction that applies an answer. Where a chain follows, it stores the refresh token alone: the access token stays the old one. */
export function grantCommit(world: EngineWorld, answered: AnsweredPresentation, grant: Granted): GrantCommit {
  if (!isChained(answered.grantContext)) return wholeCommit(world, answered, grant)
  const { row } = answered.presentation
  const old = previousAccessToken(world, row)
  const { accessExpiresAt, tokenType } = row.credential
  const commit = wholeCommit(world, answered, { ...grant, accessToken: old ?? '', tokenType, accessExpiresAt, facts: {} })
  // Facts belong to the token that they came with, and nobody else shall ask for one while ours is on its way.
  const softAt = answered.sentAt + CHAIN_REQUESTS * world.times.drainMs
  const credential = { ...commit.credential, accessToken: old === null ? null : commit.credential.accessToken, softAt, hardAt: softAt }
  return { ...commit, credential, dueAt: Math.max(softAt, world.clock.wall()) }
}

/** Asked twice, each time with the deadline of a harmless request. */
const CHAIN_REQUESTS = 2

export function isChained({ record }: Pick<GrantContext, 'record'>): boolean {
  return chainOf(record, 'refresh').length > 0
}

/** Null also when it cannot be opened: then there is nothing to compare with, or to go on serving. */
export function previousAccessToken(world: EngineWorld, row: GrantRow): string | null {
  const { accessToken, generation } = row.credential
  if (accessToken === null) return null
  try {
    return world.seal.openText(accessToken, credentialContext(row.connection.organization, row.connection.id, generation, 'access_token'))
  } catch {
    return null
  }
}

/** A missing refresh token keeps the old one (RFC 6749 section 6). */
export function wholeCommit(world: EngineWorld, answered: AnsweredPresentation, grant: Granted): GrantCommit {
  const { presentation, grantContext, sentAt, intent } = answered
  const { connection, credential } = presentation.row
  const { record, integration, reuse } = grantContext
  const rotated = grant.refreshToken !== null && grant.refreshToken !== presentation.refreshToken
  const tokens = {
    ...grant,
    refreshToken: grant.refreshToken ?? presentation.refreshToken,
    refreshExpiresAt: grant.refreshExpiresAt ?? (grant.refreshToken === null ? credential.refreshExpiresAt : null),
  }
  const drawn = newCredential(
    {
      organization: connection.organization,
      connection: connection.id,
      generation: credential.generation + 1,
      tokens,
      obtainedAt: sentAt,
      record,
      settings: integration.settings,
    },
    world.seal,
    world.entropy,
  )
  const again = rotated ? null : askAgainAt(openPresentation(credential), reuse, sentAt)
  const fresh = again === null ? drawn : { ...drawn, softAt: Math.min(again, drawn.softAt ?? again) }
  const now = world.clock.wall()
  return {
    connection: connection.id,
    organization: connection.organization,
    intent,
    presentedGeneration: credential.generation,
    presentedFingerprint: credential.fingerprint,
    answer: keepsAnswers(reuse) ? storedAnswer(world, connection.organization, answered, 'granted') : answerFacts(world, answered, 'granted'),
    credential: fresh,
    scopes: grant.scopes,
    facts: grant.facts,
    account: grant.account,
    dueAt: dueAfter({ credential: fresh, settings: integration.settings, lifetimes: record.lifetimes, reuse, lastReadAt: lastInterest(presentation), now }),
    end: grantEnd({
      record,
      consentedAt: connection.consentedAt,
      credential: fresh,
      before: { obtainedAt: credential.obtainedAt, refreshExpiresAt: credential.refreshExpiresAt, endsAt: presentation.row.health.endsAt },
      grantExpiresAt: grant.grantExpiresAt ?? null,
      now,
    }),
    yields: reuse.class === 'P2',
    event: refreshedEvent(world, answered, grant, now),
  }
}

/** A grant that nobody has read yet counts from its consent. */
function lastInterest(presentation: Presentation): Instant | null {
  const { lastReadAt, consentedAt, createdAt } = presentation.row.connection
  return Math.max(lastReadAt ?? 0, consentedAt ?? 0, createdAt)
}

function refreshedEvent(world: EngineWorld, answered: AnsweredPresentation, grant: Granted, now: Instant): AuditEvent {
  const { connection, credential } = answered.presentation.row
  const lost = grant.scopes === null ? [] : (connection.scopes ?? []).filter((scope) => !grant.scopes?.includes(scope))
  return {
    id: newId('evt', world.entropy),
    organization: connection.organization,
    type: lost.length > 0 ? 'connection.scope_reduced' : 'connection.refreshed',
    at: now,
    actor: SYSTEM_ACTOR,
    connection: connection.id,
    subject: answered.intent,
    data: { generation: credential.generation + 1, rotated: grant.refreshToken !== null, ...(lost.length > 0 ? { lost } : {}) },
  }
}

/** Waits while the same token is presented by somebody else, where their request and the use of our answer must not meet (P2). */
export async function commitWhenFree(world: EngineWorld, commit: GrantCommit): Promise<CommitOutcome> {
  for (;;) {
    const outcome = await world.credentials.commitGrant(commit)
    if (outcome.kind !== 'busy') return outcome
    await world.timers.sleep(Math.min(world.times.commitRetryCapMs, Math.max(1, outcome.until - world.clock.wall())))
  }
}

/**
 * Makes an answer durable: database commit and journal append start together. The promise resolves when the database has
 * it, or, if the database is slow, when the journal has it (`databaseOnly`: never before the database): only the
 * database knows whether somebody disconnected or reconnected meanwhile. The commit is tried for as long as the process
 * lives.
 */
export async function settleGrant(world: EngineWorld, answered: AnsweredPresentation, grant: Granted, databaseOnly: boolean): Promise<SettledGrant> {
  const commit = grantCommit(world, answered, grant)
  const committed = untilDurable(world, 'grant', () => commitWhenFree(world, commit))
  const journaled = keepsAnswers(answered.grantContext.reuse) ? journal(world, answered) : null
  let known: CommitOutcome | null = null
  const settled = committed.then((outcome) => {
    known = outcome
    const wentBack = noteOutcome(world, commit, outcome, answered.grantContext.reuse)
    // A chain goes on from this answer: until it has, a restart begins there.
    if (journaled !== null && !wentBack && !(applies(outcome) && isChained(answered.grantContext))) world.journal.settle(answered.intent)
  })
  if (databaseOnly || journaled === null) await settled
  else await Promise.any([settled, afterGrace(world, journaled, settled)])
  return { commit, outcome: known, committed }
}

function applies(outcome: CommitOutcome): outcome is Extract<CommitOutcome, { kind: 'applied' | 'already' }> {
  return outcome.kind === 'applied' || outcome.kind === 'already'
}

/** Raises the mark of what the database has acknowledged. */
export function noteStored(world: EngineWorld, { connection, credential }: GrantCommit, outcome: CommitOutcome, reuse: Reuse): void {
  if (!applies(outcome)) return
  const fingerprint = outcome.kind === 'applied' ? credential.fingerprint : null
  world.trust.stored({ connection, generation: outcome.generation, fingerprint }, reuse)
}

/**
 * True when the database said a generation lower than the one that it had
 * acknowledged before the claim: it went back in time, and the answer stays in the journal.
 */
function noteOutcome(world: EngineWorld, commit: GrantCommit, outcome: CommitOutcome, reuse: Reuse): boolean {
  const { connection, presentedGeneration } = commit
  noteStored(world, commit, outcome, reuse)
  if (outcome.kind !== 'superseded' || outcome.generation >= presentedGeneration) return false
  world.trust.wentBack(connection, presentedGeneration, outcome.generation)
  return true
}

/** Rejects with the journal; without the journal only the database counts. */
function afterGrace(world: EngineWorld, journaled: Promise<void>, settled: Promise<void>): Promise<void> {
  return journaled.then(
    () =>
      new Promise((resolve) => {
        const cancel = world.timers.after(world.times.databaseGraceMs, resolve)
        void settled.then(cancel)
      }),
  )
}

function journal(world: EngineWorld, answered: AnsweredPresentation): Promise<void> {
  const { connection, credential } = answered.presentation.row
  const appended = world.journal.append({
    intent: answered.intent,
    organization: connection.organization,
    subject: { kind: 'connection', id: connection.id },
    generation: credential.generation,
    fingerprint: credential.fingerprint,
    sentAt: answered.sentAt,
    receivedAt: answered.receivedAt,
    httpStatus: answered.answer.status,
    headers: keptHeaders(answered.grantContext.record, answered.answer),
    body: answered.answer.body,
  })
  appended.catch((error: unknown) => world.log.error({ intent: answered.intent, error: String(error) }, 'the journal cannot keep an answer; the database must'))
  return appended
}

export type NotGranted = Exclude<Verdict, { kind: 'granted' }>
