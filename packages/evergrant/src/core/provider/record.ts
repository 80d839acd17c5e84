import type { AfterConnect, ChainStep, CheckFacts, LimitFacts, PushFacts, Samples, Sunset } from './record-around.ts'
import type { AnswerPath, Template } from './record-terms.ts'
import type { ReuseClass } from './reuse.ts'

export type { AnswerPath, Template }

/** A catalogue record: the facts of one OAuth server. Data, not code; checked by the schema in `providers/schema.ts`. */
export interface ProviderRecord {
  readonly id: string
  readonly name: string
  readonly docs: string | null
  /** How a grant comes to be. All but `authorization_code` need no end user in a browser. */
  readonly grant: GrantKind
  /** What the operator does at the provider before the first connection, one step each. `{redirect_uri}` is filled in. */
  readonly setup: readonly string[]
  /** Scope -> what it allows, in plain words. */
  readonly scopes: Readonly<Record<string, string>>
  readonly variables: Readonly<Record<string, VariableDefinition>>
  /** Where endpoints come from when they are not written here (OpenID Discovery 1.0, RFC 8414, SMART App Launch 2.2: then `issuer` is the FHIR base URL). */
  readonly discovery: { readonly kind: 'oidc' | 'rfc8414' | 'smart'; readonly issuer: Template } | null
  /** The issuer, where endpoints are written here and the provider signs id_tokens or names itself in callbacks. */
  readonly issuer?: Template | null
  readonly authorize: AuthorizeFacts
  readonly token: TokenFacts
  readonly answer: AnswerFacts
  /** First match wins; nothing matches: RFC 6749 section 5.2 defaults in `judge.ts`. */
  readonly verdicts: readonly VerdictRule[]
  readonly reuse: { readonly class: ReuseClass; readonly windowSeconds: number; readonly neverProbe: boolean; readonly evidence: string }
  readonly rotation: 'never' | 'always' | 'sometimes' | 'optional' | 'unknown'
  readonly lifetimes: LifetimeFacts
  readonly revoke: RevokeFacts | null
  readonly account: readonly AccountSource[]
  readonly api: ApiFacts | null
  /** Requests that make the exchanged token usable: its answer takes the place of the first one's (Instagram, Bullhorn). */
  readonly chain: readonly ChainStep[]
  /** Requests after a consent: what they answer is kept as facts, or registers the account (Mailchimp, Polar). */
  readonly afterConnect: readonly AfterConnect[]
  /** The cheapest call that proves that a token works. */
  readonly check: CheckFacts | null
  /** How the provider tells of its quotas. */
  readonly limits: LimitFacts
  /** What the provider pushes to `POST /hooks/{integration}`. */
  readonly push: PushFacts | null
  /** Documented answers with invented values: their keys and types are what a live answer is compared with. */
  readonly samples: Samples
  /** Addresses and habits with an announced end. */
  readonly sunsets: readonly Sunset[]
  /** What people should know, one sentence each. */
  readonly notes: readonly string[]
  /** Names of fields that nobody has verified against the provider. Shown as such. */
  readonly unverified: readonly string[]
  readonly sources: readonly string[]
}

export type GrantKind = 'authorization_code' | 'client_credentials' | 'jwt_bearer' | 'installation' | 'api_key' | 'basic'

export interface VariableDefinition {
  readonly label: string
  /** Anchored regular expression; what does not match never reaches a URL (S32). */
  readonly pattern: string
  readonly example: string
  readonly default: string | null
  /** Asked once per integration, of the end user on the connect page, or told by the provider: then it is a fact of the same name. */
  readonly askedOf: 'integration' | 'connection' | 'provider'
  /** The only values there are, and what else each of them means: value -> label and the variables that it sets (a region's hosts). */
  readonly choices: Readonly<Record<string, { readonly label: string; readonly sets: Readonly<Record<string, string>> }>> | null
}

export interface AuthorizeFacts {
  readonly url: Template | null
  /** Extra parameters (`access_type=offline`); values may use variables. */
  readonly parameters: Readonly<Record<string, string>>
  /** Standard parameters this provider must not receive (`response_type`). */
  readonly omit: readonly string[]
  /** Standard parameter -> the name used here (`client_id` -> `client_key`). */
  readonly rename: Readonly<Record<string, string>>
  readonly scopeSeparator: ' ' | ',' | '+'
  /** Parameter that carries the scopes; null when there are none. */
  readonly scopeParameter: string | null
  readonly defaultScopes: readonly string[]
  /** Always added, because without them no refresh token comes (`offline_access`). */
  readonly requiredScopes: readonly string[]
  readonly pkce: 'required' | 'supported' | 'unsupported'
  readonly responseMode: 'query' | 'form_post'
  /** Parameters that are sent without percent-encoding, and whether the query belongs behind the `#` of the page (routers in the browser). */
  readonly unencoded: readonly string[]
  readonly inFragment: boolean
  /** Added when the browser came back with another account than the one to repair: they make the provider ask (`prompt=select_account`). */
  readonly chooseAccount: Readonly<Record<string, string>>
  /** Where an administrator approves the application for a whole organization; null where only the provider's own console does it. */
  readonly adminConsent: AdminConsentFacts | null
  readonly callback: CallbackFacts
}

/** Receives `client_id`, `redirect_uri`, `state` and the scopes, and answers with `approved` in the query of the redirect. */
interface AdminConsentFacts {
  readonly url: Template
  /** Values of variables that it does not know, and what is said instead: variable -> value -> value (`tenant` -> `common` -> `organizations`). */
  readonly instead: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** The parameter that is `True` once the administrator has approved. */
  readonly approved: string
}

/** The code's name, where granted scopes come back, what is kept as facts (fact -> parameter). */
export interface CallbackFacts {
  readonly code: string
  readonly scope: string | null
  readonly facts: Readonly<Record<string, string>>
  /** The parameter that signs all others, sorted and joined as a query: hexadecimal HMAC-SHA-256 with the client secret (Shopify). */
  readonly hmac: string | null
  /** `push`: the code comes in a push of the provider, not with the browser (Sentry). */
  readonly by: 'redirect' | 'push'
}

export interface TokenFacts {
  readonly url: Template | null
  readonly refreshUrl: Template | null
  readonly method: 'POST' | 'GET'
  readonly clientAuth: ClientAuth
  /** With `header`: the whole Authorization value; may use variables, `{client_id}` and `{client_secret}`. */
  readonly authorization: Template | null
  /** What signs for us, where the client authenticates with a JWT. */
  readonly signing: SigningFacts | null
  readonly bodyFormat: 'form' | 'json' | 'query' | 'xml'
  /** A signature over the request as it is sent. */
  readonly signature: SignatureFacts | null
  /** AWS Signature Version 4 in the Authorization header: the client id is the access key id, the client secret the secret access key. */
  readonly awsSignature: AwsSignatureFacts | null
  readonly headers: Readonly<Record<string, string>>
  readonly rename: Readonly<Record<string, string>>
  readonly omit: readonly string[]
  readonly exchangeParameters: Readonly<Record<string, string>>
  readonly refreshParameters: Readonly<Record<string, string>>
  /** Scopes are repeated on refresh (Microsoft: a refresh must name scopes of one resource). */
  readonly scopesOnRefresh: boolean
  readonly refresh: RefreshFacts
}

/**
 * `basic` encodes as RFC 6749 2.3.1 says, `basic_raw` does not; `none` for public clients. `secret_as_username`: Basic with
 * an empty password and no client id (Stripe Apps). `header`: see `authorization`. `signed_secret`: the client secret is a JWT
 * that we sign (Apple). `private_key_jwt`: RFC 7523 section 2.2. `tls`: a client certificate (RFC 8705 section 2), whose PEM and
 * that of its key are the client secret.
 */
export type ClientAuth = 'body' | 'basic' | 'basic_raw' | 'none' | 'secret_as_username' | 'header' | 'signed_secret' | 'private_key_jwt' | 'tls'

/** A JWT made for each request. The key is the integration's client secret: PEM or JWK. Claims may use variables, `{client_id}` and `{token_url}`. */
export interface SigningFacts {
  readonly algorithm: 'ES256' | 'ES384' | 'RS256' | 'RS384' | 'PS256' | 'EdDSA'
  readonly header: Readonly<Record<string, Template>>
  readonly claims: Readonly<Record<string, Template>>
  readonly lifetimeSeconds: number
}

/**
 * Digest, HMAC or signature of a text with `{method}`, `{host}`, `{path}` (query included), `{body}`, `{body_sha256}` (hexadecimal),
 * `{timestamp}` (s), `{client_id}`, `{client_secret}`, sent in a header. With `ed25519` (RFC 8032) the client secret is the private
 * key, PEM or JWK: it is never sent.
 */
export interface SignatureFacts {
  readonly algorithm: 'sha256' | 'hmac_sha256' | 'ed25519'
  readonly text: string
  readonly encoding: 'hex' | 'base64'
  readonly header: string
  /** The header that carries `{timestamp}`; null when it is not sent. */
  readonly timestampHeader: string | null
}

/** `service` as in the credential scope (`sts`, `execute-api`). A session token goes into `headers` as `x-amz-security-token`. */
export interface AwsSignatureFacts {
  readonly service: string
  /** May use variables. */
  readonly region: Template
}

/** Where a refresh differs from the exchange. Null takes the exchange's. */
export interface RefreshFacts {
  /** What is presented. `access_token`: the token renews itself while it lives (Instagram, Facebook). */
  readonly presents: 'refresh_token' | 'access_token'
  readonly method: 'POST' | 'GET' | null
  readonly bodyFormat: TokenFacts['bodyFormat'] | null
  readonly clientAuth: ClientAuth | null
  readonly rename: Readonly<Record<string, string>> | null
  readonly omit: readonly string[] | null
  readonly headers: Readonly<Record<string, string>> | null
  /** The redirect URI is repeated (GitLab). */
  readonly redirectUri: boolean
  /** A younger token is refused (Instagram: 24 h). */
  readonly minimumAgeSeconds: number | null
  /** Success carries no token: it prolongs the one that we hold (COROS). Needs `answer.success`. */
  readonly prolongs: boolean
}

export interface TokenPaths {
  readonly accessToken: AnswerPath
  readonly refreshToken: AnswerPath | null
  readonly expiresIn: AnswerPath | null
  readonly expiresAt: AnswerPath | null
  readonly refreshExpiresIn: AnswerPath | null
  readonly refreshExpiresAt: AnswerPath | null
  /** Seconds until the end that no refresh moves (Intuit's hard expiry). */
  readonly grantExpiresIn: AnswerPath | null
  readonly scope: AnswerPath | null
  readonly tokenType: AnswerPath | null
  readonly idToken: AnswerPath | null
}

export interface AnswerFacts {
  /** Extra condition for success beyond an access token in the body: path and the value it must have (`ok` = true, `status` = 0), and the step whose answers have it. */
  readonly success: { readonly path: AnswerPath; readonly equals: string | number | boolean; readonly step: VerdictRule['step'] } | null
  readonly paths: TokenPaths
  /** When the refresh answer is shaped differently from the exchange answer. */
  readonly refreshPaths: TokenPaths | null
  /** Named alternatives for answers with more than one token; the integration's setting chooses (`bot`, `user`). */
  readonly tokens: Readonly<
    Record<
      string,
      { readonly paths: TokenPaths; readonly refreshPaths: TokenPaths | null; readonly account: AnswerPath | null; readonly scopeParameter: string | null }
    >
  > | null
  readonly defaultToken: string | null
  readonly expiresInUnit: 'seconds' | 'milliseconds' | 'minutes'
  readonly expiresAtFormat: 'epoch_seconds' | 'epoch_milliseconds' | 'iso8601'
  /** `expires_in: 0` means never (Mailchimp). */
  readonly zeroMeansNever: boolean
  readonly scopeSeparator: ' ' | ',' | 'either'
  /** fact name -> path (`instance_url`). */
  readonly facts: Readonly<Record<string, AnswerPath>>
  /** The provider may answer form-encoded (GitHub without Accept). */
  readonly formEncoded: boolean
}

/** Matches an answer of the token endpoint. All given conditions must hold. */
export interface VerdictRule {
  readonly step: 'exchange' | 'refresh' | 'any'
  readonly status: readonly number[] | null
  /** Path -> exact value, or `/regex/i` when it begins and ends like one. `*` matches any present value. */
  readonly where: Readonly<Record<AnswerPath, string | number | boolean>>
  readonly verdict: 'dead' | 'expired' | 'throttled' | 'unknown' | 'config' | 'restart_flow' | 'admin_approval'
  readonly meaning: string
  /**
   * With `dead` and `expired`: asked before the end is believed, by a GET with the headers of the token request, which prove the
   * client. A success says that it is the grant that is over; 401 and 403 that it is the client; anything else leaves it open.
   */
  readonly confirm: Template | null
}

export interface LifetimeFacts {
  /** Used when the answer carries none; null: trust the answer, and without one the token never expires. */
  readonly accessSeconds: number | null
  /** A refresh with more than this left returns the same token (Strava: 3600). */
  readonly noopAboveSeconds: number | null
  readonly refreshIdleSeconds: number | null
  readonly refreshAbsoluteSeconds: number | null
  /** The absolute lifetime applies to grants consented from this date on (ISO 8601), else to all. */
  readonly absoluteSince: string | null
  /** `consent`: no refresh extends it. `issue`: counts anew for each refresh token. */
  readonly absoluteFrom: 'consent' | 'issue'
  /** False when this provider issues no refresh token at all. */
  readonly issuesRefreshToken: boolean
  /** A refresh also ends the old access token (GitHub Apps): callers in flight get one 401. */
  readonly refreshEndsAccessToken: boolean
  /** A second consent of the same account ends the first one's grant (Zoom, Shopify). */
  readonly onePerAccount: boolean
  /** How many live grants an account may have at this client, and what the next one does. */
  readonly cap: { readonly grants: number; readonly next: 'oldest_ends' | 'refused' } | null
}

export interface RevokeFacts {
  readonly url: Template | null
  readonly method: 'POST' | 'DELETE' | 'GET'
  /** `as_token`: as at the token endpoint (RFC 7009 section 2.1). `bearer`: the access token itself. */
  readonly clientAuth: 'as_token' | 'body' | 'basic' | 'bearer' | 'header' | 'none'
  /** With `header`: the whole Authorization value (`Client {client_secret}`). */
  readonly authorization: string | null
  readonly format: 'form' | 'json' | 'query'
  readonly token: 'refresh' | 'access'
  /** Name of the parameter that carries the token; null when none does (the bearer or the URL says it). */
  readonly parameter: string | null
  /** Values may use variables, facts, `{client_id}` and `{account}`; so may the URL. */
  readonly parameters: Readonly<Record<string, string>>
  /** `token`: only this token dies. `grant`: everything of this account at this client dies, siblings included. */
  readonly reach: 'token' | 'grant'
  /** Used instead when the token that the first way needs is not held. A null `url` is the first way's. */
  readonly fallback: Omit<RevokeFacts, 'fallback'> | null
}

/** Where the account id comes from, in order of preference. `label` is what people read. */
export type AccountSource =
  | {
      readonly from: 'answer'
      readonly path: AnswerPath
      readonly label: AnswerPath | null
      /** Cuts the id out of a longer text: the first group counts (Salesforce, PayPal). */
      readonly pattern: string | null
    }
  /** What we were told before the flow (Shopify's shop), or a fact. `pattern`: the part of it that stays the same (Bullhorn). */
  | { readonly from: 'variable'; readonly name: string; readonly pattern: string | null }
  | { readonly from: 'id_token'; readonly claim: string; readonly label: string | null }
  /** A claim of an access token that is a JWT. It came from the token endpoint over TLS, so its signature is not checked. */
  | { readonly from: 'access_token'; readonly claim: string; readonly label: string | null }
  | { readonly from: 'callback'; readonly parameter: string }
  /** `needsScope`: skipped unless one of these was granted; empty means that any token will do. */
  | {
      readonly from: 'request'
      readonly method: 'GET' | 'POST'
      readonly url: Template
      readonly headers: Readonly<Record<string, Template>>
      /** JSON (GraphQL). */
      readonly body: string | null
      readonly path: AnswerPath
      readonly label: AnswerPath | null
      /** As above (PayPal, Calendly: the id is a URL). */
      readonly pattern: string | null
      readonly needsScope: readonly string[]
    }

export interface ApiFacts {
  /** May use facts: `{instance_url}/services`. */
  readonly base: Template
  /** Hosts the proxy may call besides the base's own: exact names, or `*.example.com`. */
  readonly hosts: readonly Template[]
  /** `query`: the token goes into this query parameter instead. */
  readonly authorization: { readonly header: string; readonly prefix: string; readonly query: string | null }
  /** Headers every call needs; values may use `{client_id}`. */
  readonly headers: Readonly<Record<string, Template>>
  /** Headers that the caller of the proxy must give, except on the paths that begin as listed (Amazon Ads: the profile). */
  readonly required: readonly { readonly header: string; readonly except: readonly string[]; readonly meaning: string }[]
  /** Answers that look like 401 or 403 but are not about the token, or the other way round. First match wins. */
  readonly answers: readonly ApiAnswerRule[]
}

export interface ApiAnswerRule {
  readonly status: readonly number[]
  readonly where: Readonly<Record<AnswerPath, string | number | boolean>>
  readonly means: 'token_rejected' | 'scope_missing' | 'throttled' | 'not_about_the_token'
}
