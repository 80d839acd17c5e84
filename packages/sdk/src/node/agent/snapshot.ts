import type { Identity, Profile, Recovery } from './credential-file.ts'
import type { KeyCustody, MachineKey } from './key-provider.ts'

/** The credential as this process uses it. Times are milliseconds of this machine's clock. */
export interface Snapshot {
  readonly server: string
  readonly profile: string
  readonly identity: Identity
  readonly generation: number
  readonly access: { readonly text: string; readonly type: string }
  readonly key: MachineKey
  readonly custody: KeyCustody
  readonly recovery: Recovery | null
  readonly refreshExpiresAt: string
  /** From here on it is renewed beside the work. */
  readonly renewAt: number
  /** From here on the server refuses it. */
  readonly validUntil: number
}

const RENEW_AT = 2 / 3
/** Not all processes of a machine, and not all machines of a fleet, at once. */
const SPREAD = 0.1
/** What seems to come from so far in the future was stored before this machine's clock was set back. */
export const CLOCK_SET_MS = 60_000

export function snapshotOf(profile: Profile, key: MachineKey, { now, random }: { readonly now: number; readonly random: number }): Snapshot {
  const life = profile.expires_in * 1_000
  const turned = profile.received_at > now + CLOCK_SET_MS
  return {
    server: profile.server,
    profile: profile.name,
    identity: { installation: profile.installation, agent: profile.agent, organization: profile.organization },
    generation: profile.generation,
    access: { text: profile.access_token, type: profile.token_type },
    key,
    custody: profile.key.custody,
    recovery: profile.recovery,
    refreshExpiresAt: profile.refresh_expires_at,
    renewAt: turned ? now : profile.received_at + life * (RENEW_AT + SPREAD * (random - 0.5)),
    validUntil: turned ? now : profile.received_at + life,
  }
}
