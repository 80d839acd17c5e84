import { isJsonObject, type JsonValue } from '../json.ts'
import type { GrantedTokens } from '../refresh/new-credential.ts'
import type { Seal } from '../seal/seal.ts'
import type { Instant } from '../time.ts'
import type { ConnectSession } from './connect-sessions.ts'

/** A grant in hand, before it belongs to a connection. */
export interface HeldGrant {
  readonly tokens: GrantedTokens
  /** When the exchange was sent: lifetimes and consent count from here. */
  readonly obtainedAt: Instant
  /** The end that no refresh moves, where the answer told it. */
  readonly grantExpiresAt: Instant | null
  readonly scopes: readonly string[] | null
  readonly facts: Readonly<Record<string, string>>
  readonly account: string | null
  readonly accountLabel: string | null
}

function place(session: Pick<ConnectSession, 'id' | 'organization'>) {
  return { organization: session.organization, table: 'connect_session', row: session.id, column: 'staged' }
}

export function sealHeldGrant(grant: HeldGrant, session: Pick<ConnectSession, 'id' | 'organization'>, seal: Seal): Uint8Array {
  return seal.seal(JSON.stringify(grant), place(session))
}

/** @throws SealError */
export function openHeldGrant(sealed: Uint8Array, session: Pick<ConnectSession, 'id' | 'organization'>, seal: Seal): HeldGrant {
  const value: JsonValue = JSON.parse(seal.openText(sealed, place(session)))
  const grant = isJsonObject(value) ? value : {}
  const tokens = isJsonObject(grant['tokens']) ? grant['tokens'] : {}
  return {
    tokens: {
      accessToken: text(tokens['accessToken']) ?? '',
      refreshToken: text(tokens['refreshToken']),
      tokenType: text(tokens['tokenType']) ?? 'Bearer',
      accessExpiresAt: instant(tokens['accessExpiresAt']),
      refreshExpiresAt: instant(tokens['refreshExpiresAt']),
    },
    obtainedAt: instant(grant['obtainedAt']) ?? 0,
    grantExpiresAt: instant(grant['grantExpiresAt']),
    scopes: Array.isArray(grant['scopes']) ? grant['scopes'].filter((scope) => typeof scope === 'string') : null,
    facts: textTable(grant['facts']),
    account: text(grant['account']),
    accountLabel: text(grant['accountLabel']),
  }
}

function text(value: JsonValue | undefined): string | null {
  return typeof value === 'string' ? value : null
}

function instant(value: JsonValue | undefined): Instant | null {
  return typeof value === 'number' ? value : null
}

function textTable(value: JsonValue | undefined): Readonly<Record<string, string>> {
  if (!isJsonObject(value)) return {}
  return Object.fromEntries(Object.entries(value).flatMap(([name, entry]) => (typeof entry === 'string' ? [[name, entry]] : [])))
}
