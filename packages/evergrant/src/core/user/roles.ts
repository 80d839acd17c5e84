import type { ApiKeyScope } from '../access/api-key.ts'
import { ROLES, type Role } from './user.ts'

/** What a person with a role may do: the scopes of an API key, over everything in the organization or over what is their own. */
interface Rights {
  readonly scopes: readonly ApiKeyScope[]
  /** `own`: only connections whose owner is this person. */
  readonly reach: 'organization' | 'own'
}

/** No role reads access tokens: a person uses a connection through the proxy and never sees its secret (S89). */
export const RIGHTS: Readonly<Record<Role, Rights>> = {
  owner: { scopes: ['admin'], reach: 'organization' },
  admin: { scopes: ['admin'], reach: 'organization' },
  operator: {
    scopes: [
      'connections:read',
      'connections:write',
      'connect',
      'proxy',
      'integrations:read',
      'integrations:write',
      'events:read',
      'agents:read',
      'agents:write',
    ],
    reach: 'organization',
  },
  member: { scopes: ['connections:read', 'connections:write', 'connect', 'proxy', 'agents:read', 'agents:write'], reach: 'own' },
  viewer: { scopes: ['connections:read', 'integrations:read', 'events:read', 'agents:read'], reach: 'organization' },
}

/** True when `role` may give or take `other`: nobody lifts anybody, themselves included, above their own role; only owners make owners. */
export function mayAssign(role: Role, other: Role): boolean {
  if (role !== 'owner' && role !== 'admin') return false
  return ROLES.indexOf(role) <= ROLES.indexOf(other)
}
