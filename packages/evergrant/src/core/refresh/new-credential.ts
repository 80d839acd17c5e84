import type { NewCredential } from '../connection/credential.ts'
import type { IntegrationSettings } from '../connection/integration.ts'
import type { ConnectionId, OrganizationId } from '../ids.ts'
import type { ProviderRecord } from '../provider/record.ts'
import type { Granted } from '../provider/verdict.ts'
import type { Seal } from '../seal/seal.ts'
import type { Entropy, Instant } from '../time.ts'
import { refreshableFrom, renewsItself } from './own-renewal.ts'
import { renewalInstants } from './renewal.ts'

/** The part of a grant that becomes a credential; `Granted` satisfies it. */
export type GrantedTokens = Pick<Granted, 'accessToken' | 'refreshToken' | 'tokenType' | 'accessExpiresAt' | 'refreshExpiresAt'>

interface CredentialInput {
  readonly organization: OrganizationId
  readonly connection: ConnectionId
  /** The generation it will have: 1 for a new connection. */
  readonly generation: number
  readonly tokens: GrantedTokens
  /** When the request that produced it was sent. */
  readonly obtainedAt: Instant
  readonly record: ProviderRecord
  readonly settings: Pick<IntegrationSettings, 'marginMs'>
}

/** Where the tokens of one generation are sealed. */
export function credentialContext(organization: OrganizationId, connection: ConnectionId, generation: number, column: 'access_token' | 'refresh_token') {
  return { organization, table: 'credential', row: `${connection}#${generation}`, column }
}

/**
 * Seals a grant for the generation it will have and draws its two renewal instants. Where the access token renews itself, it is what
 * the next refresh presents, and so it stands in both places, and ends in both.
 */
export function newCredential(input: CredentialInput, seal: Seal, entropy: Entropy): NewCredential {
  const { organization, connection, generation, obtainedAt, record } = input
  const tokens = renewsItself(record)
    ? { ...input.tokens, refreshToken: input.tokens.accessToken || null, refreshExpiresAt: input.tokens.accessExpiresAt }
    : input.tokens
  const context = (column: 'access_token' | 'refresh_token') => credentialContext(organization, connection, generation, column)
  const instants = renewalInstants({
    obtainedAt,
    accessExpiresAt: tokens.accessExpiresAt,
    marginMs: input.settings.marginMs,
    noopAboveMs: record.lifetimes.noopAboveSeconds === null ? null : record.lifetimes.noopAboveSeconds * 1_000,
    notBefore: refreshableFrom(obtainedAt, record.token.refresh),
    uniform: entropy.uniform(),
  })
  return {
    accessToken: seal.seal(tokens.accessToken, context('access_token')),
    refreshToken: tokens.refreshToken === null ? null : seal.seal(tokens.refreshToken, context('refresh_token')),
    fingerprint: tokens.refreshToken === null ? null : seal.fingerprint(tokens.refreshToken),
    tokenType: tokens.tokenType,
    obtainedAt,
    accessExpiresAt: tokens.accessExpiresAt,
    refreshExpiresAt: tokens.refreshExpiresAt,
    softAt: instants?.softAt ?? null,
    hardAt: instants?.hardAt ?? null,
  }
}
