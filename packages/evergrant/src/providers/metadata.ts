import type { JsonObject, JsonValue } from '../core/json.ts'
import type { ProviderEndpoints } from '../core/provider/context.ts'
import type { ProviderRecord } from '../core/provider/record.ts'

/** What a discovery document says, checked. */
export interface IssuerMetadata extends Pick<ProviderEndpoints, 'issuerInCallback'> {
  /** Null where the document need not name one (SMART App Launch 2.2, without `sso-openid-connect`). */
  readonly issuer: string | null
  readonly authorize: string | null
  readonly token: string | null
  readonly revoke: string | null
  readonly userinfo: string | null
  /** Null when the document does not mention PKCE methods. */
  readonly pkce: boolean | null
  /** Client authentication that the server accepts, best first; empty when the document does not say or names none that we speak. */
  readonly clientAuth: readonly ('basic' | 'body' | 'none')[]
}

type DiscoveryKind = NonNullable<ProviderRecord['discovery']>['kind']

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]'])

/** Where the document stands: OpenID Discovery 1.0 section 4 and SMART App Launch 2.2 append, RFC 8414 section 3.1 inserts; RFC 8414 allows both. */
export function metadataUrls(kind: DiscoveryKind, issuer: string): string[] {
  const base = issuer.replace(/(?<!\/)\/+$/, '')
  if (kind === 'smart') return [`${base}/.well-known/smart-configuration`]
  const url = new URL(base)
  const path = url.pathname === '/' ? '' : url.pathname
  const appended = `${base}/.well-known/openid-configuration`
  return kind === 'oidc'
    ? [appended]
    : [
        `${url.origin}/.well-known/oauth-authorization-server${path}`,
        `${url.origin}/.well-known/openid-configuration${path}`,
        ...(path === '' ? [] : [appended]),
      ]
}

/**
 * Reads a discovery document (OpenID Discovery 1.0 section 3, RFC 8414 section 2).
 * A SMART document stands below the FHIR base URL, which is no issuer: what it names is taken.
 * @throws Error with a sentence, when the issuer is another one (section 4.3) or an endpoint is not https.
 */
export function readMetadata(document: JsonObject, issuer: string, kind: DiscoveryKind = 'oidc'): IssuerMetadata {
  const named = typeof document.issuer === 'string' ? document.issuer : null
  if (kind !== 'smart' && (named === null || withoutSlash(named) !== withoutSlash(issuer))) {
    throw new Error(`the document names the issuer ${JSON.stringify(document.issuer ?? null)}, not "${issuer}"`)
  }
  const endpoint = (name: string): string | null => checkEndpoint(name, document[name], issuer)
  return {
    issuer: named,
    authorize: endpoint('authorization_endpoint'),
    token: endpoint('token_endpoint'),
    revoke: endpoint('revocation_endpoint'),
    userinfo: endpoint('userinfo_endpoint'),
    issuerInCallback: document.authorization_response_iss_parameter_supported === true,
    pkce: Array.isArray(document.code_challenge_methods_supported) ? document.code_challenge_methods_supported.includes('S256') : null,
    clientAuth: clientAuthOf(document.token_endpoint_auth_methods_supported),
  }
}

/** True for loopback hosts, where plain http is allowed. */
function isLoopback(url: URL): boolean {
  return LOOPBACK.has(url.hostname) || url.hostname.endsWith('.localhost')
}

function checkEndpoint(name: string, value: JsonValue | undefined, issuer: string): string | null {
  if (value === undefined || value === null) return null
  if (typeof value !== 'string' || !URL.canParse(value)) throw new Error(`${name} is not a URL`)
  const url = new URL(value)
  const local = url.protocol === 'http:' && isLoopback(url) && isLoopback(new URL(issuer))
  if (url.protocol !== 'https:' && !local) throw new Error(`${name} is not https`)
  if (url.username !== '' || url.password !== '' || url.hash !== '') throw new Error(`${name} holds credentials or a fragment`)
  return value
}

function clientAuthOf(methods: JsonValue | undefined): IssuerMetadata['clientAuth'] {
  const offered: readonly JsonValue[] = Array.isArray(methods) ? methods : []
  const spoken = [
    ['client_secret_basic', 'basic'],
    ['client_secret_post', 'body'],
    ['none', 'none'],
  ] as const
  return spoken.filter(([name]) => offered.includes(name)).map(([, ours]) => ours)
}

function withoutSlash(issuer: string): string {
  return issuer.endsWith('/') ? issuer.slice(0, -1) : issuer
}
