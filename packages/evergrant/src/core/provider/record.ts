import type { ReuseClass } from './reuse.ts'

/** `https://{shop}.myshopify.com/...`: names in braces come from variables (integration, then connection) or facts. */
export type Template = string
/**
 * Dotted path into an answer: `body.access_token`, `authed_user.id`, `0.id`. `*` stands for every element of an array
 * (`errors.*.resource`): a condition then holds when one of them fits; an account takes the smallest, so that the order does not matter.
 * Where an account is read, `a + b` joins two values with a colon.
 */
export type AnswerPath = string

/** A catalogue record: the facts of one OAuth server. Data, not code; checked by the schema in `providers/schema.ts`. */
export interface ProviderRecord {
  readonly id: string
  readonly name: string
  readonly docs: string | null
  readonly variables: Readonly<Record<string, VariableDefinition>>
  /** Where endpoints come from when they are not written here (OpenID Discovery 1.0, RFC 8414). */
  readonly discovery: { readonly kind: 'oidc' | 'rfc8414'; readonly issuer: Template } | null
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
  /** What people should know, one sentence each. */
  readonly notes: readonly string[]
  /** Names of fields that nobody has verified against the provider. Shown as such. */
  readonly unverified: readonly string[]
  readonly sources: readonly string[]
}

export interface VariableDefinition {
  readonly label: string
  /** Anchored regular expression; what does not match never reaches a URL (S32). */
  readonly pattern: string
  readonly example: string
  readonly default: string | null
  /** Asked once per integration, or of the end user on the connect page. */
  readonly askedOf: 'integration' | 'connection'
}

export interface AuthorizeFacts {
  readonly url: Template | null
  /** Static extra parameters (`access_type=offline`). */
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
  /** Callback parameters: the code's name, where granted scopes come back, what is kept as facts (fact -> parameter). */
  readonly callback: { readonly code: string; readonly scope: string | null; readonly facts: Readonly<Record<string, string>> }
}

export interface TokenFacts {
  readonly url: Template | null
  readonly refreshUrl: Template | null
  readonly method: 'POST' | 'GET'
  /** `basic` encodes as RFC 6749 2.3.1 says, `basic_raw` does not; `none` for public clients. */
  readonly clientAuth: 'body' | 'basic' | 'basic_raw' | 'none'
  readonly bodyFormat: 'form' | 'json'
  readonly headers: Readonly<Record<string, string>>
  readonly rename: Readonly<Record<string, string>>
  readonly omit: readonly string[]
  readonly exchangeParameters: Readonly<Record<string, string>>
  readonly refreshParameters: Readonly<Record<string, string>>
  /** Scopes are repeated on refresh (Microsoft: a refresh must name scopes of one resource). */
  readonly scopesOnRefresh: boolean
}

export interface TokenPaths {
  readonly accessToken: AnswerPath
  readonly refreshToken: AnswerPath | null
  readonly expiresIn: AnswerPath | null
  readonly expiresAt: AnswerPath | null
  readonly refreshExpiresIn: AnswerPath | null
  readonly refreshExpiresAt: AnswerPath | null
  readonly scope: AnswerPath | null
  readonly tokenType: AnswerPath | null
  readonly idToken: AnswerPath | null
}

export interface AnswerFacts {
  /** Extra condition for success beyond an access token in the body: path and the value it must have (`ok` = true, `status` = 0). */
  readonly success: { readonly path: AnswerPath; readonly equals: string | number | boolean } | null
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
}

export interface RevokeFacts {
  readonly url: Template | null
  readonly method: 'POST' | 'DELETE' | 'GET'
  /** `as_token`: as at the token endpoint (RFC 7009 section 2.1). `bearer`: the access token itself. */
  readonly clientAuth: 'as_token' | 'body' | 'basic' | 'bearer' | 'none'
  readonly format: 'form' | 'json' | 'query'
  readonly token: 'refresh' | 'access'
  /** Name of the parameter that carries the token. */
  readonly parameter: string
  readonly parameters: Readonly<Record<string, string>>
  /** `token`: only this token dies. `grant`: everything of this account at this client dies, siblings included. */
  readonly reach: 'token' | 'grant'
  /** Used instead when the token that the first way needs is not held. A null `url` is the first way's. */
  readonly fallback: Omit<RevokeFacts, 'fallback'> | null
}

/** Where the account id comes from, in order of preference. `label` is what people read. */
export type AccountSource =
  | { readonly from: 'answer'; readonly path: AnswerPath; readonly label: AnswerPath | null }
  | { readonly from: 'id_token'; readonly claim: string; readonly label: string | null }
  /** A claim of an access token that is a JWT. It came from the token endpoint over TLS, so its signature is not checked. */
  | { readonly from: 'access_token'; readonly claim: string; readonly label: string | null }
  | { readonly from: 'callback'; readonly parameter: string }
  /** `needsScope`: skipped unless one of these was granted; empty means that any token will do. */
  | {
      readonly from: 'request'
      readonly method: 'GET' | 'POST'
      readonly url: Template
      readonly path: AnswerPath
      readonly label: AnswerPath | null
      readonly needsScope: readonly string[]
    }

export interface ApiFacts {
  /** May use facts: `{instance_url}/services`. */
  readonly base: Template
  /** Hosts the proxy may call besides the base's own: exact names, or `*.example.com`. */
  readonly hosts: readonly Template[]
  readonly authorization: { readonly header: string; readonly prefix: string }
  /** Headers every call needs; values may use `{client_id}`. */
  readonly headers: Readonly<Record<string, Template>>
  /** Answers that look like 401 or 403 but are not about the token, or the other way round. First match wins. */
  readonly answers: readonly ApiAnswerRule[]
}

export interface ApiAnswerRule {
  readonly status: readonly number[]
  readonly where: Readonly<Record<AnswerPath, string | number | boolean>>
  readonly means: 'token_rejected' | 'scope_missing' | 'throttled' | 'not_about_the_token'
}
