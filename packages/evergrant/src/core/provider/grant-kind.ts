import type { GrantKind } from './record.ts'

/** Grants that begin without an end user in a browser. */
export type MachineGrant = Exclude<GrantKind, 'authorization_code'>
/** Secrets that are sent as they are: nothing renews them, and nobody is asked for a token. */
export type StaticGrant = Extract<GrantKind, 'api_key' | 'basic'>
/** Grants whose token is asked for again with the same credentials, as often as one is needed. */
export type RenewedGrant = Exclude<MachineGrant, StaticGrant>

export function isMachineGrant(grant: GrantKind): grant is MachineGrant {
  return grant !== 'authorization_code'
}

export function isStaticGrant(grant: GrantKind): grant is StaticGrant {
  return grant === 'api_key' || grant === 'basic'
}

export function isRenewedGrant(grant: GrantKind): grant is RenewedGrant {
  return isMachineGrant(grant) && !isStaticGrant(grant)
}
