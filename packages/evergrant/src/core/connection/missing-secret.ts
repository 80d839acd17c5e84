import type { ClientAuth, GrantKind, ProviderRecord } from '../provider/record.ts'
import type { Integration } from './integration.ts'

export interface MissingSecret {
  /** True: nothing can be exchanged without it. False: a public client works. */
  readonly certain: boolean
  /** What will happen, and the remedy. */
  readonly detail: string
}

/** Where each connection may bring credentials of its own, the integration's are a default. */
const OWN_CREDENTIALS: ReadonlySet<GrantKind> = new Set(['client_credentials', 'jwt_bearer', 'api_key', 'basic'])
/** Ways that a client without a secret leaves out, naming itself alone. */
const PASSWORDS: ReadonlySet<ClientAuth> = new Set(['basic', 'basic_raw', 'body'])

/**
 * What becomes of an integration without a client secret, as its record says; null where none is missing. It is no reason to refuse: a public client has none
 * (RFC 6749 section 2.1), and stored access tokens are served while the secret is looked for.
 */
export function missingSecret({ clientSecret }: Pick<Integration, 'clientSecret'>, record: ProviderRecord): MissingSecret | null {
  if (clientSecret !== null || OWN_CREDENTIALS.has(record.grant)) return null
  const asPassword = PASSWORDS.has(record.token.clientAuth)
  const needed = record.grant === 'installation' || isUsedOtherwise(record)
  if (!asPassword && !needed) return null
  if (needed || record.authorize.pkce === 'unsupported') return { certain: true, detail: `${record.name} ${CERTAIN}` }
  return { certain: false, detail: `Only a public client of ${record.name} ${POSSIBLE}` }
}

const CERTAIN =
  'wants the secret of its client, and this integration has none: every exchange and every refresh will be refused, and nobody can connect. Set `client_secret`.'
const POSSIBLE =
  'works without a secret: one that was registered there as having none, and proves itself with PKCE alone. If yours has a secret, every exchange and every refresh will be refused until `client_secret` is set.'

/** As a key, in a place of its own, or as what proves the callback: all of it besides a password that may be left out. */
function isUsedOtherwise({ token, authorize, chain }: ProviderRecord): boolean {
  if (authorize.callback.hmac !== null || token.signature !== null || token.awsSignature !== null) return true
  if (token.clientAuth !== 'none' && !PASSWORDS.has(token.clientAuth)) return true
  return JSON.stringify([token, chain]).includes('{client_secret}')
}
