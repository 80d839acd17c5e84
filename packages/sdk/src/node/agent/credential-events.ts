import type { EvergrantError } from '../../evergrant-error.ts'
import type { Recovery } from './credential-file.ts'

/** What happens to the credential of this machine. `message` is one line for people, without any secret. */
export type CredentialEvent =
  | { readonly type: 'enrolled' | 'renewed' | 'adopted' | 'key_rotated' | 'signed_out'; readonly message: string; readonly generation: number }
  | { readonly type: 'recovered'; readonly message: string; readonly generation: number; readonly reason: string | null; readonly remaining: number | null }
  | { readonly type: 'renewal_failed' | 'stopped'; readonly message: string; readonly error: EvergrantError }
  | { readonly type: 'warning'; readonly message: string }

export type Tell = (event: CredentialEvent) => void

const WHY: Readonly<Record<string, string>> = {
  hygiene: 'credentials were rotated by the operator',
  policy: 'credentials were rotated by a policy',
  key_rollover: 'the server changed its keys',
  approved: 'somebody approved the recovery of this machine',
  expired: 'credentials were over after a long pause',
}

/** `credentials were rotated by the operator; recovered automatically (2 of 5 this month)` */
export function recoveryLine(reason: string | null, recovery: Recovery | null): string {
  return `${WHY[reason ?? ''] ?? 'credentials were over'}; recovered automatically${budgetOf(recovery)}`
}

function budgetOf(recovery: Recovery | null): string {
  if (recovery === null || recovery.remaining === null) return ''
  const { remaining, limit, window_days: days } = recovery
  const window = days === 30 ? 'this month' : `in ${days} days`
  if (limit === undefined) return ` (${remaining} left ${window})`
  return ` (${limit - remaining} of ${limit} ${window})`
}
