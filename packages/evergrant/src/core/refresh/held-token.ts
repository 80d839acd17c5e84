import type { HeldToken } from '../provider/grant.ts'
import type { ProviderRecord } from '../provider/record.ts'
import type { GrantRow } from './credentials.ts'
import type { EngineWorld } from './engine-ports.ts'
import { previousAccessToken } from './settle-grant.ts'

/**
 * The access token that a success without a token prolongs; opened only where a record says so. Null when it cannot be opened: then
 * nothing can be prolonged. A row without a refresh token stands for one that has moved on: its answer is kept, and applied to nothing.
 */
export function heldToken(world: EngineWorld, row: GrantRow, record: ProviderRecord): HeldToken | null {
  if (!record.token.refresh.prolongs) return null
  const { refreshToken, tokenType } = row.credential
  const accessToken = refreshToken === null ? '' : previousAccessToken(world, row)
  return accessToken === null ? null : { accessToken, tokenType }
}
