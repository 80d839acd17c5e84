import { Fault } from '../fault/fault.ts'
import type { RevokeClass } from './installation.ts'
import type { InstallationStanding } from './installation-standing.ts'
import { recoverySettingsOf } from './recovery-rules.ts'
import type { AgentSettings } from './recovery-settings.ts'
import type { SdkJudgement } from './sdk-rotation.ts'
import { stoppedDetail } from './stopped.ts'

interface RefusedUnder {
  readonly standing: InstallationStanding
  readonly settings: AgentSettings
  readonly enabled: boolean
}

/** What a holder of the key is told: the words of the fault table, and the detail that belongs to this refusal. */
export function refusalFault({ code, class: revokeClass, endedAt, retryAt }: Extract<SdkJudgement, { kind: 'refused' }>, under: RefusedUnder): Fault {
  const detail = detailOf(code, revokeClass, under) ?? stoppedDetail(code, under.standing, { class: revokeClass, at: endedAt })
  return new Fault(code, { ...(detail === null ? {} : { detail }), ...(retryAt === null ? {} : { retryAt }) })
}

function detailOf(code: Extract<SdkJudgement, { kind: 'refused' }>['code'], revokeClass: RevokeClass | null, under: RefusedUnder): string | null {
  switch (code) {
    case 'recovery_disabled':
      return `Recovery is switched off: ${switchOf(under)}. It works again when that is switched on, or after enrolling again.`
    case 'sdk_token_rotated':
      return `The token was rotated (${revokeClass ?? 'hygiene'}). Send it to auth/sdk/recover.`
    case 'rekey_required':
      return 'This installation needs a new key, one that it never had: send `next_key_proof`, a proof by that key.'
    default:
      return null
  }
}

function switchOf({ standing, settings, enabled }: RefusedUnder): string {
  if (!enabled) return 'EVERGRANT_RECOVERY is off on this server'
  if (!settings.recoveryEnabled) return 'for the whole organization'
  if (standing.installation.status === 'recovery_blocked') return 'for this installation'
  return recoverySettingsOf({ installation: standing.installation, agent: standing.agent, settings }).mode === 'off'
    ? 'by the recovery mode of this agent'
    : 'by policy'
}
