import { type Instant, MINUTE } from '../time.ts'
import type { RecoveryAttempt } from './installations.ts'
import type { SdkPresentation } from './sdk-presentation.ts'
import type { SdkJudgement, SdkRecord } from './sdk-rotation.ts'

/** A client that asks in a loop writes one row in this time. */
const SAME_AGAIN_MS = 10 * MINUTE

/** What an operator reads about one attempt; null where nothing had to be recovered, or where a row already tells of the same attempt. */
export function recoveryAttemptOf(
  { installation, shown, head }: Pick<SdkRecord, 'installation' | 'shown' | 'head'>,
  judgement: SdkJudgement,
  { verb, ids, key, address, userAgent, requestId }: SdkPresentation,
  at: Instant,
): RecoveryAttempt | null {
  const told = verb === 'recover' ? toldOf(judgement) : null
  if (told === null) return null
  return {
    id: ids.attempt,
    organization: installation.organization,
    installation: installation.id,
    at,
    ...told,
    counted: judgement.kind === 'issue' && judgement.counted,
    token: (shown ?? head).id,
    newToken: judgement.kind === 'issue' ? judgement.token.id : null,
    keyThumbprint: key,
    address,
    userAgent,
    requestId,
  }
}

type Told = Pick<RecoveryAttempt, 'outcome' | 'code' | 'reason'>

function toldOf(judgement: SdkJudgement): Told | null {
  switch (judgement.kind) {
    case 'again':
      return null
    case 'issue':
      return { outcome: 'succeeded', code: null, reason: granted(judgement) }
    case 'pending':
      return { outcome: 'pending', code: null, reason: WAITING[judgement.why] }
    case 'clone':
      return { outcome: 'denied', code: 'installation_locked', reason: 'An older token was shown with the right key: two machines hold the credentials.' }
    case 'refused':
      return { outcome: 'denied', code: judgement.code, reason: DENIED[judgement.code] ?? 'Nothing was to be recovered.' }
  }
}

function granted({ how, counted, approved, token }: Extract<SdkJudgement, { kind: 'issue' }>): string {
  if (how === 'reissue') return 'The answer before had not arrived: it was taken back, and another one was given.'
  if (how === 'roll_forward') return 'The token is newer than the record: the database was restored, and follows.'
  if (how === 're_key') return 'An operator had unlocked it, and it brought a new key.'
  if (approved) return 'A person approved it.'
  const why = token.metadata.recovery_reason === 'expired' ? 'The token was over by time' : `The token was rotated (${token.metadata.recovery_reason})`
  return counted ? `${why}; this counts against the limit.` : `${why} by us or an operator; this counts against no limit.`
}

const WAITING: Readonly<Record<Extract<SdkJudgement, { kind: 'pending' }>['why'], string>> = {
  mode: 'The policy asks a person each time.',
  offline: 'The machine was away for longer than the policy allows without asking a person.',
  breaker: 'So many installations recovered within an hour that each one is asked about.',
}

const DENIED: Partial<Record<string, string>> = {
  recovery_forbidden: 'The token was cut off, and nothing heals that.',
  recovery_disabled: 'Recovery is switched off: by EVERGRANT_RECOVERY, the organization, the agent or the installation.',
  recovery_denied: 'A person refused it.',
  recovery_limit_reached: 'It has recovered as often as the policy allows in its window.',
  recovery_cooldown: 'It recovered a moment ago, and the pause is not over.',
  reissued_too_often: 'Too many answers in a row did not arrive.',
  use_refresh: 'The token is still good: it was to be refreshed.',
  attempt_over: 'A late repetition of a request that was answered and used.',
  reload_credentials: 'Another process of the machine had newer credentials.',
  rekey_required: 'It was unlocked on the condition of a new key, and brought none.',
  installation_locked: 'The installation is locked.',
  installation_retired: 'The installation is over.',
  installation_expired: 'The absolute end of the installation has passed.',
  agent_suspended: 'The agent is suspended.',
  agent_revoked: 'The agent was ended.',
  owner_inactive: 'Nobody answers for the agent.',
}

/** True when `newest` says the same as `attempt` a few minutes before: a row and an event more would tell nothing. */
export function isToldAlready(attempt: RecoveryAttempt, newest: Pick<RecoveryAttempt, 'outcome' | 'code' | 'token' | 'at'> | null): boolean {
  if (attempt.outcome === 'succeeded' || newest === null) return false
  return newest.outcome === attempt.outcome && newest.code === attempt.code && newest.token === attempt.token && attempt.at - newest.at < SAME_AGAIN_MS
}
