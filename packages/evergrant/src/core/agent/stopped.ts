import { Fault } from '../fault/fault.ts'
import { dateAndTime } from '../provider/dates.ts'
import type { Instant } from '../time.ts'
import type { InstallationLock, RevokeClass } from './installation.ts'
import type { InstallationStanding } from './installation-standing.ts'
import type { SdkRefusal } from './sdk-rotation.ts'

/** How the newest token was ended, where that is known. */
export interface TokenEnd {
  readonly class: RevokeClass | null
  readonly at: Instant | null
}

const UNKNOWN: TokenEnd = { class: null, at: null }
const ENROL = 'To use this machine again, ask for a new enrolment code and run: npx @evergrant/sdk enroll <code>.'

/** Why nothing works here, told to whoever runs the program. @see {@link stoppedDetail} */
export function stoppedFault(code: SdkRefusal, standing: Pick<InstallationStanding, 'agent'> & Partial<InstallationStanding>, end: TokenEnd = UNKNOWN): Fault {
  const detail = stoppedDetail(code, standing, end)
  return new Fault(code, detail === null ? {} : { detail })
}

/**
 * What happened, when and by whose hand, and what to do: words for the person in front of the machine, who has no account here. No person is named, and neither is
 * another machine. Null for refusals that are about a token and not about a stop.
 */
export function stoppedDetail(
  code: SdkRefusal,
  { agent, installation }: Pick<InstallationStanding, 'agent'> & Partial<InstallationStanding>,
  end: TokenEnd = UNKNOWN,
): string | null {
  const machine = installation === undefined ? 'This installation' : `The installation ${installation.name} of ${agent.name}`
  switch (code) {
    case 'installation_retired':
      return `${machine} ${retiredBy(end)}${when(end.at)}, and does not come back. ${ENROL}`
    case 'installation_locked':
      return `${machine} ${lockedBy(installation?.lock ?? null)}. Ask whoever looks after Evergrant to unlock it: the program then goes on by itself, with a new key.`
    case 'installation_expired':
      return `${machine} was enrolled for a limited time, which was over${when(installation?.expiresAt ?? null)}; nothing extends it. A workload enrols again by itself; elsewhere, ask for a new enrolment code and run: npx @evergrant/sdk enroll <code>.`
    case 'agent_suspended':
      return `Somebody who looks after Evergrant has suspended the program ${agent.name} on all its machines. Ask them to resume it: it then goes on by itself, with the credentials that it has.`
    case 'agent_revoked':
      return `Somebody who looks after Evergrant has ended the program ${agent.name} on all its machines, for good. If it is still needed, ask them to make it anew; then enrol this machine: npx @evergrant/sdk enroll <code>.`
    case 'owner_inactive':
      return `The person who answers for the program ${agent.name} has left, or is disabled, so it may do nothing. Ask whoever looks after Evergrant to name another owner: it then goes on by itself.`
    case 'recovery_forbidden':
      return `The access of ${installation === undefined ? 'this installation' : `the installation ${installation.name} of ${agent.name}`} ${retiredBy(end)}${when(end.at)}; it does not heal. ${ENROL}`
    case 'recovery_denied':
      return `Somebody who looks after Evergrant has refused to renew the access of this machine. ${ENROL}`
    case 'recovery_limit_reached':
      return 'This machine has renewed its access by itself as often as its policy allows. Ask whoever looks after Evergrant to find out why its access keeps ending, and to rotate its token or to raise the limit: it then goes on by itself.'
    case 'recovery_cooldown':
      return 'This machine renewed its access by itself a moment ago, so it has to wait before it may again. It tries again by itself; nothing is to be done.'
    case 'reload_credentials':
    case 'attempt_over':
    case 'use_refresh':
    case 'rekey_required':
    case 'sdk_token_expired':
    case 'sdk_token_rotated':
    case 'recovery_disabled':
    case 'reissued_too_often':
      return null
  }
}

function retiredBy({ class: revokeClass }: TokenEnd): string {
  switch (revokeClass) {
    case 'compromise':
      return 'was reported as compromised and cut off by somebody who looks after Evergrant'
    case 'offboarding':
      return 'was cut off by somebody who looks after Evergrant, because whoever ran it has left'
    case 'reuse_detected':
      return 'was stopped by Evergrant itself, because its credentials were seen in two places'
    default:
      return 'was cut off by somebody who looks after Evergrant, or signed out on the machine'
  }
}

function lockedBy(lock: InstallationLock | null): string {
  if (lock === null) return 'is locked'
  const by = {
    clone: 'was locked by Evergrant itself, because its credentials were seen in two places',
    operator: 'was locked by somebody who looks after Evergrant',
    compromise: 'was reported as compromised and locked by somebody who looks after Evergrant',
  }[lock.code]
  return `${by}${when(lock.at)}`
}

function when(at: Instant | null): string {
  return at === null ? '' : ` on ${dateAndTime(at)}`
}
