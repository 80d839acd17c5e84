import type { EventType, NewEvent } from '../audit/event.ts'
import type { ApprovalId } from '../ids.ts'
import type { JsonObject } from '../json.ts'
import { DAY, HOUR, type Instant } from '../time.ts'
import type { Approval } from './approvals.ts'
import type { Incident } from './incident.ts'
import type { Installation } from './installation.ts'
import type { RecoveryAttempt } from './installations.ts'
import { isToldAlready, recoveryAttemptOf } from './recovery-attempt.ts'
import { BREAKER_MS } from './recovery-rules.ts'
import type { SdkPresentation } from './sdk-presentation.ts'
import { judgeSdkToken, type SdkJudgement, type SdkRecord } from './sdk-rotation.ts'
import type { SdkToken } from './sdk-token.ts'

/** How long a person has to answer. */
const APPROVAL_MS = DAY
/** How long what was approved for one attempt holds for the next one. */
const NEXT_ATTEMPT_MS = HOUR

/** What a store reads under the installation's lock. */
export interface SdkReading extends Omit<SdkRecord, 'approval'> {
  /** The approval that decides about this recovery, as {@link recoveryApprovalOf} finds it; null: none. */
  readonly approval: Approval | null
  /** Of the installation; for `recover`. */
  readonly newestAttempt: Pick<RecoveryAttempt, 'outcome' | 'code' | 'token' | 'at'> | null
}

/** All that a presentation changes. The same for every store; what is null or empty is not written. */
export interface SdkOutcome {
  readonly judgement: SdkJudgement
  readonly installation: Installation | null
  readonly inserted: readonly SdkToken[]
  readonly updated: readonly SdkToken[]
  /** When it recovered, counted or not. */
  readonly recoveredAt: Instant | null
  /** Left out when the newest one of the installation says the same and is a few minutes old. */
  readonly attempt: RecoveryAttempt | null
  readonly asks: Approval | null
  /** A new attempt joins what is asked already. */
  readonly joins: ApprovalId | null
  readonly spends: ApprovalId | null
  readonly incident: Incident | null
  readonly breakerUntil: Instant | null
  readonly events: readonly NewEvent[]
}

/** Judges a presentation and says what follows from it. Pure: whoever has the record's lock may apply it, more than once. `at` is the database's time. */
export function applySdkPresentation(reading: SdkReading, presentation: SdkPresentation, at: Instant): SdkOutcome {
  const judgement = judgeSdkToken({ ...reading, approval: standOf(reading.approval, presentation, at) }, presentation, at)
  const attempt = recoveryAttemptOf(reading, judgement, presentation, at)
  const nothing: SdkOutcome = {
    judgement,
    installation: null,
    inserted: [],
    updated: [],
    recoveredAt: null,
    attempt: attempt === null || isToldAlready(attempt, reading.newestAttempt) ? null : attempt,
    asks: null,
    joins: null,
    spends: null,
    incident: null,
    breakerUntil: null,
    events: [],
  }
  switch (judgement.kind) {
    case 'issue':
      return { ...nothing, ...issued(reading, judgement, presentation, at) }
    case 'clone':
      return { ...nothing, ...cloned(reading, judgement.locks, presentation, at) }
    case 'pending':
      return { ...nothing, ...asked(reading, judgement, presentation, at) }
    case 'again':
      return nothing
    case 'refused':
      return { ...nothing, events: nothing.attempt === null ? [] : [eventOf(reading, presentation, at, 'recovery.denied', { code: judgement.code })] }
  }
}

/**
 * The recovery approval that counts, out of an installation's, newest first: one that is open or approved, preferably of this attempt; else the newest of this
 * attempt. So a machine whose every try is a new attempt still asks only one question.
 */
export function recoveryApprovalOf(approvals: readonly Approval[], attempt: string, at: Instant): Approval | null {
  const live = approvals.filter(({ status, expiresAt }) => (status === 'pending' || status === 'approved') && at < expiresAt)
  const own = (one: Approval): boolean => one.attempt === attempt
  return live.find(own) ?? live[0] ?? approvals.find(own) ?? null
}

function standOf(approval: Approval | null, { nextAttempt }: Pick<SdkPresentation, 'nextAttempt'>, at: Instant): SdkRecord['approval'] {
  if (approval === null || approval.status === 'used') return 'none'
  if (approval.status === 'denied') return 'denied'
  if (approval.status === 'approved' && approval.attempt !== nextAttempt && at >= (approval.decidedAt ?? 0) + NEXT_ATTEMPT_MS) return 'none'
  return at < approval.expiresAt ? approval.status : 'none'
}

type Issued = Extract<SdkJudgement, { kind: 'issue' }>

const ISSUE_EVENTS: Readonly<Record<Issued['how'], EventType | null>> = {
  // Every few minutes, and all that can be said of it is in the token's own row.
  rotate: null,
  reissue: 'sdk_token.reissued',
  recover: 'recovery.succeeded',
  roll_forward: 'installation.rolled_forward',
  re_key: null,
}

function issued(reading: SdkReading, judgement: Issued, presentation: SdkPresentation, at: Instant): Partial<SdkOutcome> {
  const { how, token, installation, counted, approved, withdrawn, superseded, adopted } = judgement
  const type = ISSUE_EVENTS[how]
  const data = { ...token.metadata, token: token.id, generation: token.generation, withdrawn: withdrawn?.id ?? null, counted, approved }
  const rekeyed = installation.keyThumbprint !== reading.installation.keyThumbprint
  return {
    installation,
    inserted: adopted === null ? [token] : [adopted, token],
    updated: [withdrawn, superseded].filter((one) => one !== null),
    recoveredAt: how === 'recover' ? at : null,
    spends: approved ? (reading.approval?.id ?? null) : null,
    events: [
      ...(type === null ? [] : [eventOf(reading, presentation, at, type, data)]),
      ...(rekeyed ? [eventOf(reading, presentation, at, 'installation.key_rotated', keysOf(reading, judgement), 1)] : []),
    ],
  }
}

function keysOf({ installation: before }: SdkReading, { installation, how, token }: Issued): JsonObject {
  const { keyThumbprint, custody } = installation
  return { key_before: before.keyThumbprint, key: keyThumbprint, custody, custody_before: before.custody, unlocked: how === 're_key', token: token.id }
}

function cloned(reading: SdkReading, locks: boolean, presentation: SdkPresentation, at: Instant): Partial<SdkOutcome> {
  const { installation, head, agent } = reading
  const incidentId = presentation.ids.incident
  const message = cloneMessage(reading, presentation)
  const incident: Incident = {
    id: incidentId,
    organization: installation.organization,
    agent: agent.id,
    installation: installation.id,
    kind: 'clone',
    at,
    message,
    event: presentation.ids.events[0],
  }
  const suspected = eventOf(reading, presentation, at, 'installation.clone_suspected', { incident: incidentId, message, locked: locks })
  if (!locks) return { incident, events: [suspected] }
  return {
    incident,
    installation: { ...installation, status: 'locked', lock: { code: 'clone', at, message, incident: incidentId }, minGeneration: installation.generation + 1 },
    updated: [{ ...head, state: 'revoked', revokeClass: 'reuse_detected', revokeReason: message, revokedBy: null, revokedAt: at }],
    events: [suspected, eventOf(reading, presentation, at, 'installation.locked', { code: 'clone', incident: incidentId }, 1)],
  }
}

/** Names both machines, as far as they say who they are: what an operator decides by. */
function cloneMessage({ installation, head }: SdkReading, { address, hints, generation, key, nextKey }: SdkPresentation): string {
  const there = whereOf(installation.hints.host, head.address ?? installation.address)
  const here = whereOf(hints?.host ?? null, address)
  const seen = `Two machines hold the credentials of ${installation.name}: ${here} showed generation ${generation}, after generation ${head.generation} was given to ${there}.`
  if (key === installation.keyThumbprint || nextKey?.thumbprint === installation.keyThumbprint) return seen
  return `${seen} It proved the key that the installation had before the one of now. Unless its own machine changed the key, cut this installation off and enrol the machine anew: an unlock is for whoever has the key of now.`
}

function whereOf(host: string | null, address: string | null): string {
  const machine = host === null ? 'an unnamed machine' : `host ${host}`
  return address === null ? machine : `${machine} at ${address}`
}

type Asked = Extract<SdkJudgement, { kind: 'pending' }>

function asked(reading: SdkReading, { why, trips }: Asked, presentation: SdkPresentation, at: Instant): Partial<SdkOutcome> {
  const tripped = trips
    ? {
        breakerUntil: at + BREAKER_MS,
        events: [eventOf(reading, presentation, at, 'recovery.breaker_tripped', { until: at + BREAKER_MS, ...reading.pressure }, 1)],
      }
    : { events: [] }
  // A repeat of the attempt is the poll, and another attempt joins it: there is nothing new to ask.
  if (reading.approval !== null && standOf(reading.approval, presentation, at) === 'pending')
    return { ...tripped, attempt: null, joins: reading.approval.attempt === presentation.nextAttempt ? null : reading.approval.id }
  const approval = approvalOf(reading, why, presentation, at)
  const requested = eventOf(reading, presentation, at, 'recovery.requested', { approval: approval.id, why })
  return { ...tripped, asks: approval, events: [requested, ...tripped.events] }
}

function approvalOf({ installation, agent, head }: SdkReading, why: Asked['why'], presentation: SdkPresentation, at: Instant): Approval {
  const { host, platform } = presentation.hints ?? installation.hints
  return {
    id: presentation.ids.approval,
    organization: installation.organization,
    kind: 'recovery',
    agent: agent.id,
    installation: installation.id,
    connection: null,
    attempt: presentation.nextAttempt,
    status: 'pending',
    shown: {
      why,
      installation: installation.name,
      key_thumbprint: installation.keyThumbprint,
      host,
      platform,
      address: presentation.address,
      last_refreshed_at: installation.lastRefreshedAt,
      token_ended: head.state === 'revoked' ? (head.revokeClass ?? 'owner_request') : 'expired',
    },
    askedAt: at,
    decidedAt: null,
    decidedBy: null,
    expiresAt: at + APPROVAL_MS,
  }
}

/** Names generations, keys and addresses; never a token. `place`: which of the two ids that were made beforehand. */
function eventOf(
  { installation, agent }: SdkReading,
  { ids, generation, verb, address, userAgent, requestId }: SdkPresentation,
  at: Instant,
  type: EventType,
  data: JsonObject,
  place: 0 | 1 = 0,
): NewEvent {
  return {
    id: ids.events[place],
    organization: installation.organization,
    type,
    at,
    actor: { kind: 'installation', id: installation.id },
    connection: null,
    subject: installation.id,
    data: {
      agent: agent.id,
      verb,
      presented: generation,
      recorded: installation.generation,
      key: installation.keyThumbprint,
      address,
      address_before: installation.address,
      user_agent: userAgent,
      request: requestId,
      ...data,
    },
  }
}
