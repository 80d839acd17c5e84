import { NONCE_SLOT_MS } from '../proof/dpop-nonces.ts'
import { HOUR, type Instant, SECOND } from '../time.ts'
import { HEALING_CLASSES, type Installation, type RevokeClass } from './installation.ts'
import type { InstallationStanding } from './installation-standing.ts'
import { countRecovery, type RecoveryPressure, type RecoveryRuling, recoverySettingsOf, ruleRecovery } from './recovery-rules.ts'
import type { AgentSettings } from './recovery-settings.ts'
import type { SdkPresentation } from './sdk-presentation.ts'
import type { SdkToken, SdkTokenMetadata } from './sdk-token.ts'

/** Two processes of one machine may cross for so long after a rotation. */
export const CROSSING_MS = 30 * SECOND
/** Lost answers in an hour; more is a loop. */
const REISSUES_MAX = 5
const REISSUE_WINDOW_MS = HOUR

/** All that is known when a token is shown with a valid proof of its installation's key. */
export interface SdkRecord extends InstallationStanding {
  /** The newest token. */
  readonly head: SdkToken
  /** The one that was shown; null when it is not stored. */
  readonly shown: SdkToken | null
  /** The one that this very attempt made before; null when it made none. */
  readonly made: SdkToken | null
  readonly settings: AgentSettings
  readonly pressure: RecoveryPressure
  readonly approval: 'none' | 'pending' | 'approved' | 'denied'
}

type SdkIssue = 'rotate' | 'reissue' | 'recover' | 'roll_forward' | 're_key'

/** Why nothing was issued. Each is a fault of its own; only a holder of the key ever hears of it. */
export type SdkRefusal =
  | 'agent_revoked'
  | 'agent_suspended'
  | 'owner_inactive'
  | 'installation_retired'
  | 'installation_locked'
  | 'installation_expired'
  | 'rekey_required'
  | 'attempt_over'
  | 'use_refresh'
  | 'reload_credentials'
  | 'sdk_token_expired'
  | 'sdk_token_rotated'
  | 'recovery_forbidden'
  | 'recovery_disabled'
  | 'recovery_denied'
  | 'recovery_limit_reached'
  | 'recovery_cooldown'
  | 'reissued_too_often'

export type SdkJudgement =
  | {
      readonly kind: 'issue'
      readonly how: SdkIssue
      readonly token: SdkToken
      readonly installation: Installation
      /** Taken back before anybody was seen with it. */
      readonly withdrawn: SdkToken | null
      /** Its successor is there now. */
      readonly superseded: SdkToken | null
      /** The token that was shown, where the record did not know it: without a row of its own, a retry after a lost answer would look like a copy. */
      readonly adopted: SdkToken | null
      /** Against the limit of recoveries. */
      readonly counted: boolean
      readonly approved: boolean
    }
  /** The same attempt once more: the same bytes. */
  | { readonly kind: 'again'; readonly token: SdkToken }
  | {
      readonly kind: 'refused'
      readonly code: SdkRefusal
      /** How and when the newest token was ended, where that is the reason or part of it. */
      readonly class: RevokeClass | null
      readonly endedAt: Instant | null
      readonly retryAt: Instant | null
      readonly recovering: boolean
    }
  /** A person decides; asking again with the same attempt hears of it. */
  | { readonly kind: 'pending'; readonly why: 'mode' | 'offline' | 'breaker'; readonly trips: boolean }
  /** Two hold what one was given. `locks`: the installation; else only the alarm is raised. */
  | { readonly kind: 'clone'; readonly locks: boolean }

/**
 * The whole rule of refresh and recovery. Pure, so that every interleaving can be tried. Whoever gets here has proven the key, or one from before it
 * ({@link isStranger}); agents.md 3.4 and 3.5, and DESIGN section 8 where it differs.
 */
export function judgeSdkToken(record: SdkRecord, shownWith: SdkPresentation, at: Instant): SdkJudgement {
  const { installation, head, shown, made } = record
  const standing = standingRefusal(record, at)
  if (standing !== null) return { ...refused(standing), ...endOf(head), recovering: shownWith.verb === 'recover' }
  if (!isOwnKey(installation, shownWith)) return shown !== null && isCrossing(record, shown, at) ? refused('reload_credentials') : clone(record)
  if (made !== null) {
    if (made.id === head.id && made.activatedAt === null && made.state === 'active' && at < made.expiresAt) return { kind: 'again', token: made }
    // A late request whose retry was answered: whoever sent it has what it asked for.
    if (made.id !== head.id || made.activatedAt !== null) return refused('attempt_over')
  }
  const presentation = withNewKey(installation, shownWith)
  const known = presentation.nextKey !== null && installation.previousThumbprints.includes(presentation.nextKey.thumbprint)
  if (known) return refused('rekey_required')
  if (installation.rekeyUntil !== null && at < installation.rekeyUntil)
    return presentation.nextKey === null ? refused('rekey_required') : issue(record, presentation, at, { how: 're_key', counted: false, approved: false })
  if (shown === null) return notStored(record, presentation, at)
  if (shown.id === head.id || (head.activatedAt === null && head.parent === shown.id)) return judgeHead(record, shown, presentation, at)
  return judgeOld(record, shown, presentation, at)
}

/**
 * True for the installation's own key. Whoever changed the key and did not hear the answer still signs with the one before, and brings a proof of the new one
 * beside it: that is a proof of the installation's key, too.
 */
function isOwnKey({ keyThumbprint, previousThumbprints }: Installation, { key, nextKey }: Pick<SdkPresentation, 'key' | 'nextKey'>): boolean {
  return key === keyThumbprint || (nextKey?.thumbprint === keyThumbprint && key === previousThumbprints[0])
}

/**
 * True for a key that says nothing here: whoever shows it learns nothing and changes nothing. A key that the installation had before, with a token that was given
 * for it and a proof that is younger than the key after it, says that two hold the credentials: a copy that changed the key first would else pass for the
 * machine, and the machine for a stranger. It says nothing while the answer that confirmed the new key may have been lost, nor from an unlock on, by which an
 * operator puts the holders of older keys out.
 */
export function isStranger({ installation, head, shown }: Pick<SdkRecord, 'installation' | 'head' | 'shown'>, presentation: SdkPresentation): boolean {
  if (isOwnKey(installation, presentation)) return false
  if (shown === null || shown.keyThumbprint !== presentation.key || shown.family !== head.family || installation.rekeyUntil !== null) return true
  const mayBeLost = head.activatedAt === null && head.parent === shown.id
  return mayBeLost || presentation.provenAfter <= installation.keyCreatedAt
}

/** The key that is the installation's already is no new one. */
function withNewKey({ keyThumbprint }: Installation, presentation: SdkPresentation): SdkPresentation {
  return presentation.nextKey?.thumbprint === keyThumbprint ? { ...presentation, nextKey: null } : presentation
}

/** Why nothing works here, whatever is shown; null where it may. For access tokens, too. */
export function standingRefusal({ agent, ownerActive, installation }: InstallationStanding, at: Instant): SdkRefusal | null {
  if (agent.status === 'revoked') return 'agent_revoked'
  if (installation.status === 'retired') return 'installation_retired'
  if (installation.status === 'locked') return 'installation_locked'
  if (installation.expiresAt !== null && at >= installation.expiresAt) return 'installation_expired'
  if (agent.status === 'suspended') return 'agent_suspended'
  return ownerActive ? null : 'owner_inactive'
}

/**
 * The MAC is ours, and no row tells of it: the record is that of a restored database, or the row is so old that it is gone. A generation below the newest one
 * was issued before the database was restored, and whoever went on since did so with a later one.
 */
function notStored(record: SdkRecord, presentation: SdkPresentation, at: Instant): SdkJudgement {
  const { installation, head } = record
  if (presentation.generation < installation.floorGeneration) return clone(record)
  if (presentation.generation < installation.generation) return presentation.provenAfter <= head.createdAt ? refused('reload_credentials') : clone(record)
  return issue(record, presentation, at, { how: 'roll_forward', counted: false, approved: false })
}

/** The newest token, or the one before it while nobody was seen with the newest: its answer may have been lost. */
function judgeHead(record: SdkRecord, shown: SdkToken, presentation: SdkPresentation, at: Instant): SdkJudgement {
  const { head } = record
  const recovering = presentation.verb === 'recover'
  if (head.state === 'revoked') {
    const revokeClass = head.revokeClass ?? 'owner_request'
    if (!HEALING_CLASSES.has(revokeClass)) return { ...refused('recovery_forbidden'), class: revokeClass, endedAt: head.revokedAt, recovering }
    if (!recovering) return { ...refused('sdk_token_rotated'), class: revokeClass }
  } else if (at >= head.expiresAt && !recovering) return refused('sdk_token_expired')
  // A request that was under way for long takes nothing back: its machine may have gone on with another one.
  if (shown.id !== head.id && presentation.provenAfter <= head.createdAt) return { ...refused('reload_credentials'), retryAt: head.createdAt + NONCE_SLOT_MS }
  if (head.state === 'revoked' || at >= head.expiresAt) return recover(record, presentation, at)
  if (shown.id !== head.id) return reissue(record, presentation, at)
  if (recovering) return refused('use_refresh')
  return issue(record, presentation, at, { how: 'rotate', counted: false, approved: false })
}

function reissue(record: SdkRecord, presentation: SdkPresentation, at: Instant): SdkJudgement {
  const recent = recentReissues(record.installation, at)
  const oldest = recent[0]
  if (recent.length >= REISSUES_MAX && oldest !== undefined) return { ...refused('reissued_too_often'), retryAt: oldest + REISSUE_WINDOW_MS }
  return issue(record, presentation, at, { how: 'reissue', counted: false, approved: false })
}

/** One that is a window ahead was written before the clock was set back, and counts no more. */
function recentReissues({ reissues }: Installation, at: Instant): readonly Instant[] {
  return reissues.filter((then) => Math.abs(at - then) < REISSUE_WINDOW_MS)
}

/**
 * Not the newest, and the newest was seen in use. That two hold it is only certain when this proof was made after the successor was there: a request that
 * was under way for long says nothing about anybody.
 */
function judgeOld(record: SdkRecord, shown: SdkToken, presentation: SdkPresentation, at: Instant): SdkJudgement {
  if (isCrossing(record, shown, at) || presentation.provenAfter <= supersededAtOf(shown)) return refused('reload_credentials')
  return clone(record)
}

function isCrossing({ head }: SdkRecord, shown: SdkToken, at: Instant): boolean {
  return shown.id === head.parent && at - supersededAtOf(shown) < CROSSING_MS
}

function supersededAtOf({ supersededAt, createdAt }: SdkToken): Instant {
  return supersededAt ?? createdAt
}

function clone(record: SdkRecord): SdkJudgement {
  return { kind: 'clone', locks: recoverySettingsOf(record).onClone === 'lock' }
}

function recover(record: SdkRecord, presentation: SdkPresentation, at: Instant): SdkJudgement {
  const ruling = ruleRecovery({ ...record, enabled: presentation.recoveryEnabled }, at)
  if (ruling.kind === 'allowed') return issue(record, presentation, at, { how: 'recover', ...ruling })
  if (ruling.kind === 'ask') return { kind: 'pending', why: ruling.why, trips: ruling.trips }
  return { ...refused(REFUSED_BY[ruling.kind]), retryAt: 'retryAt' in ruling ? ruling.retryAt : null, recovering: true }
}

const REFUSED_BY: Readonly<Record<Exclude<RecoveryRuling['kind'], 'allowed' | 'ask'>, SdkRefusal>> = {
  disabled: 'recovery_disabled',
  denied: 'recovery_denied',
  limit: 'recovery_limit_reached',
  cooldown: 'recovery_cooldown',
}

interface Issuing {
  readonly how: SdkIssue
  readonly counted: boolean
  readonly approved: boolean
}

function issue(record: SdkRecord, presentation: SdkPresentation, at: Instant, { how, counted, approved }: Issuing): SdkJudgement {
  const { installation, head } = record
  const adopted = record.shown === null ? adoptedToken(record, presentation, at) : null
  const shown = record.shown ?? adopted
  const generation = Math.max(installation.generation, presentation.generation) + 1
  const key = presentation.nextKey
  const token: SdkToken = {
    id: presentation.ids.token,
    installation: installation.id,
    family: how === 're_key' ? presentation.ids.family : head.family,
    parent: shown?.id ?? null,
    generation,
    attempt: presentation.nextAttempt,
    state: 'active',
    revokeClass: null,
    revokeReason: null,
    revokedBy: null,
    revokedAt: null,
    ticket: false,
    keyThumbprint: key?.thumbprint ?? installation.keyThumbprint,
    createdAt: at,
    activatedAt: null,
    supersededAt: null,
    // Recovery never extends the absolute end.
    expiresAt: Math.min(at + presentation.tokenLifeMs, installation.expiresAt ?? Number.MAX_SAFE_INTEGER),
    address: presentation.address,
    userAgent: presentation.userAgent,
    metadata: metadataOf(record, how, approved),
  }
  const lost = (how === 'reissue' || how === 'recover') && shown?.id !== head.id
  return {
    kind: 'issue',
    how,
    token,
    installation: { ...installationAfter(record, presentation, at, { how, counted, approved }), generation, head: token.id },
    withdrawn: lost ? { ...head, state: head.state === 'active' ? 'withdrawn' : head.state, supersededAt: at } : null,
    superseded: supersededBy(how, record, at),
    adopted,
    counted,
    approved,
  }
}

function adoptedToken({ installation, head }: SdkRecord, { ids, generation, attempt }: SdkPresentation, at: Instant): SdkToken {
  return {
    ...head,
    id: ids.adopted,
    installation: installation.id,
    parent: null,
    generation,
    attempt,
    state: 'superseded',
    revokeClass: null,
    revokeReason: null,
    revokedBy: null,
    revokedAt: null,
    ticket: false,
    createdAt: at,
    activatedAt: at,
    supersededAt: at,
    metadata: { source: 'roll_forward', recovered_from: null, recovery_reason: null },
  }
}

/** What was shown has its successor now; at a roll-forward and a re-key it is the head of the record that nobody may go on with. */
function supersededBy(how: SdkIssue, { head, shown }: Pick<SdkRecord, 'head' | 'shown'>, at: Instant): SdkToken | null {
  if (how === 'roll_forward' || how === 're_key')
    return { ...head, state: 'superseded', activatedAt: head.activatedAt ?? at, supersededAt: head.supersededAt ?? at }
  // Who shows a token has it: it was not lost.
  return shown === null ? null : { ...shown, state: 'superseded', activatedAt: shown.activatedAt ?? at, supersededAt: at }
}

function metadataOf({ head, shown }: SdkRecord, how: SdkIssue, approved: boolean): SdkTokenMetadata {
  if (how === 'recover')
    return { source: 'token_recovery', recovered_from: (shown ?? head).id, recovery_reason: approved ? 'approved' : recoveryReasonOf(head) }
  const source = ({ rotate: 'token_rotation', reissue: 'token_reissue', roll_forward: 'roll_forward', re_key: 're_key' } as const)[how]
  return { source, recovered_from: null, recovery_reason: null }
}

function recoveryReasonOf({ state, revokeClass }: SdkToken): SdkTokenMetadata['recovery_reason'] {
  if (state !== 'revoked') return 'expired'
  return revokeClass === 'policy' || revokeClass === 'key_rollover' ? revokeClass : 'hygiene'
}

function installationAfter(record: SdkRecord, presentation: SdkPresentation, at: Instant, { how, counted }: Issuing): Installation {
  const { installation } = record
  const { nextKey: key, address, userAgent, hints } = presentation
  const reissues = recentReissues(installation, at)
  return {
    ...installation,
    ...(counted ? countRecovery(installation, recoverySettingsOf(record), at) : {}),
    ...(key === null
      ? {}
      : {
          keyThumbprint: key.thumbprint,
          publicJwk: key.jwk,
          custody: key.custody,
          keyCreatedAt: at,
          previousThumbprints: [installation.keyThumbprint, ...installation.previousThumbprints].slice(0, PREVIOUS_KEYS_KEPT),
        }),
    rekeyUntil: how === 're_key' ? null : installation.rekeyUntil,
    reissues: how === 'reissue' ? [...reissues, at] : reissues,
    hints: hints ?? installation.hints,
    lastSeenAt: at,
    lastRefreshedAt: at,
    address: address ?? installation.address,
    userAgent: userAgent ?? installation.userAgent,
  }
}

const PREVIOUS_KEYS_KEPT = 10

function refused(code: SdkRefusal): Extract<SdkJudgement, { kind: 'refused' }> {
  return { kind: 'refused', code, class: null, endedAt: null, retryAt: null, recovering: false }
}

function endOf({ state, revokeClass, revokedAt }: SdkToken): { readonly class: RevokeClass | null; readonly endedAt: Instant | null } {
  return state === 'revoked' ? { class: revokeClass, endedAt: revokedAt } : { class: null, endedAt: null }
}
