import type { Instant } from '../time.ts'
import { HEALING_CLASSES } from './installation.ts'
import type { InstallationStanding } from './installation-standing.ts'
import { type RecoveryPressure, type RecoveryRuling, recoverySettingsOf, ruleRecovery } from './recovery-rules.ts'
import type { AgentSettings } from './recovery-settings.ts'
import { type SdkRefusal, standingRefusal } from './sdk-rotation.ts'
import type { SdkToken } from './sdk-token.ts'

export interface OutlookQuestion extends InstallationStanding {
  readonly head: SdkToken
  readonly settings: AgentSettings
  readonly pressure: RecoveryPressure
  /** The switch in the configuration of the server. */
  readonly enabled: boolean
}

/** What a recovery would get if the machine asked for one now. */
export interface RecoveryOutlook {
  /** False: the token is good, and an ordinary refresh does. */
  readonly needed: boolean
  readonly verdict: 'granted' | 'asks' | 'refused'
  /** The rule that decides: a name of {@link SdkRefusal}, or `ticket`, `within_limits`, `re_key`, `mode`, `offline`, `breaker`. */
  readonly rule: string
  /** Against the limit. */
  readonly counted: boolean
  readonly retryAt: Instant | null
  /** In one sentence, for an operator. */
  readonly sentence: string
}

/** The rules of `judgeSdkToken`, asked without a presentation: nothing is minted, and nothing is written. */
export function recoveryOutlook(question: OutlookQuestion, at: Instant): RecoveryOutlook {
  const { installation, head } = question
  const needed = head.state === 'revoked' || at >= head.expiresAt
  const stopped = standingRefusal(question, at)
  if (stopped !== null) return refused(needed, stopped)
  if (installation.rekeyUntil !== null && at < installation.rekeyUntil)
    return {
      needed: true,
      verdict: 'granted',
      rule: 're_key',
      counted: false,
      retryAt: null,
      sentence: 'It is unlocked: it goes on as soon as it brings a new key.',
    }
  if (head.state === 'revoked' && !HEALING_CLASSES.has(head.revokeClass ?? 'owner_request')) return refused(needed, 'recovery_forbidden')
  return { needed, ...ruled(question, ruleRecovery({ ...question, approval: 'none' }, at)) }
}

function ruled(question: OutlookQuestion, ruling: RecoveryRuling): Omit<RecoveryOutlook, 'needed'> {
  switch (ruling.kind) {
    case 'allowed':
      return ruling.counted
        ? { ...GRANTED, rule: 'within_limits', counted: true, sentence: 'It recovers by itself; this counts against the limit.' }
        : { ...GRANTED, rule: 'ticket', counted: false, sentence: 'It recovers by itself, because of us or an operator; this counts against no limit.' }
    case 'ask':
      return { verdict: 'asks', rule: ruling.why, counted: false, retryAt: null, sentence: ASKED[ruling.why] }
    case 'disabled':
      return { ...refusal('recovery_disabled'), sentence: DISABLED[ruling.by] }
    case 'denied':
      return refusal('recovery_denied')
    case 'limit':
      return {
        ...refusal('recovery_limit_reached'),
        retryAt: ruling.retryAt,
        sentence: `It has reached the limit of its window (${recoverySettingsOf(question).limit}).`,
      }
    case 'cooldown':
      return { ...refusal('recovery_cooldown'), retryAt: ruling.retryAt }
  }
}

const GRANTED = { verdict: 'granted', retryAt: null } as const

function refused(needed: boolean, rule: SdkRefusal): RecoveryOutlook {
  return { needed, ...refusal(rule) }
}

function refusal(rule: SdkRefusal): Omit<RecoveryOutlook, 'needed'> {
  return { verdict: 'refused', rule, counted: false, retryAt: null, sentence: REFUSED[rule] ?? 'Nothing is to be recovered.' }
}

const ASKED: Readonly<Record<Extract<RecoveryRuling, { kind: 'ask' }>['why'], string>> = {
  mode: 'A person is asked each time: the recovery mode is `approve`.',
  offline: 'A person is asked: its token was not renewed for longer than the policy allows.',
  breaker: 'A person is asked: so many installations recovered within an hour that each one is looked at.',
}

const DISABLED: Readonly<Record<Extract<RecoveryRuling, { kind: 'disabled' }>['by'], string>> = {
  server: 'Recovery is switched off on this server: EVERGRANT_RECOVERY is off.',
  organization: 'Recovery is switched off for the whole organization.',
  installation: 'Recovery is switched off for this installation.',
  mode: 'The recovery mode of the installation, its agent or the organization is `off`.',
}

const REFUSED: Partial<Record<SdkRefusal, string>> = {
  recovery_forbidden: 'Its token was cut off, and nothing heals that: enrol the machine anew.',
  recovery_denied: 'A person refused it.',
  recovery_limit_reached: 'It has recovered as often as its window allows.',
  recovery_cooldown: 'It recovered a moment ago, and the pause is not over.',
  installation_locked: 'It is locked. If you know why, unlock it: it then brings a new key.',
  installation_retired: 'It is over. Enrol the machine anew.',
  installation_expired: 'Its absolute end has passed. Enrol the machine anew.',
  agent_suspended: 'Its agent is suspended: resume the agent.',
  agent_revoked: 'Its agent was ended.',
  owner_inactive: 'Nobody answers for its agent: name another owner.',
}
