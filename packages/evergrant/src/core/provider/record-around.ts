import type { JsonObject } from '../json.ts'
import type { AnswerPath, Template } from './record-terms.ts'

/** One request of a record. URL, headers, parameters and body may use variables, facts, `{client_id}`, `{client_secret}` and `{access_token}`. */
export interface RecordRequest {
  readonly method: 'GET' | 'POST'
  readonly url: Template
  /** Over the record's API headers, which carry the token; null sends none of those. */
  readonly headers: Readonly<Record<string, Template>> | null
  readonly parameters: Readonly<Record<string, Template>>
  readonly format: 'query' | 'form' | 'json'
}

/**
 * A further request whose answer holds the token to keep. It runs after the exchange, and after each refresh where
 * `onRefresh`. The first answer is durable before it is sent.
 */
export interface ChainStep {
  readonly request: RecordRequest
  readonly onRefresh: boolean
  readonly accessToken: AnswerPath
  readonly expiresIn: AnswerPath | null
  readonly expiresInUnit: 'seconds' | 'milliseconds' | 'minutes'
  /** When the answer says nothing. */
  readonly accessSeconds: number | null
  readonly facts: Readonly<Record<string, AnswerPath>>
}

/** A request after a consent, before the grant is kept. */
export interface AfterConnect {
  /** What it finds, for people: "the data centre". */
  readonly finds: string
  readonly request: RecordRequest
  /** Fact -> path. In a list, `from` chooses the element: the first for which `where` holds. */
  readonly from: { readonly list: AnswerPath; readonly where: Readonly<Record<AnswerPath, string | number | boolean>> } | null
  readonly facts: Readonly<Record<string, AnswerPath>>
  /** Where the granted scopes stand, for providers that tell them nowhere else (Garmin): a list, or text as in a token answer. */
  readonly scopes: AnswerPath | null
  /** Statuses besides 2xx that mean that it is done (409: registered already). */
  readonly done: readonly number[]
  /** A consent without it is of no use and fails; otherwise it is left out. */
  readonly needed: boolean
}

export interface CheckFacts {
  readonly request: RecordRequest
  /** Holds when the token works; null: any 2xx. */
  readonly where: Readonly<Record<AnswerPath, string | number | boolean>> | null
  /** The provider demands it this often (Twitch: hourly). */
  readonly everySeconds: number | null
  /** Skipped unless one of these was granted; empty: any token will do. */
  readonly needsScope: readonly string[]
}

export interface LimitFacts {
  /** Requests to the token endpoint: so many per grant, or per client, in so many seconds. */
  readonly token: { readonly requests: number; readonly seconds: number; readonly per: 'grant' | 'client' } | null
  readonly api: readonly QuotaFacts[]
}

/** One window of one quota, as its headers tell it. */
export interface QuotaFacts {
  /** `quarter_hour`, `day`; unique in the record. */
  readonly name: string
  /** Whose quota it is: everybody's who uses this client, or this connection's alone. */
  readonly per: 'client' | 'grant'
  /** Methods that it counts; empty: all. */
  readonly methods: readonly string[]
  readonly limit: HeaderNumber | null
  readonly used: HeaderNumber | null
  readonly remaining: HeaderNumber | null
  readonly reset: {
    readonly header: string
    readonly format: 'seconds' | 'milliseconds' | 'epoch_seconds' | 'epoch_milliseconds' | 'http_date' | 'iso8601'
  } | null
  /**
   * Where a provider has several of the kind: the header that names whose quota an answer tells of, or `path` when every
   * path has its own. Null: all calls share it.
   */
  readonly bucket: string | null
  /** Length of the window; with `aligned` it begins at multiples of it, UTC (Strava: :00, :15, :30, :45). */
  readonly windowSeconds: number | null
  readonly aligned: boolean
}

/** A number in a header; `at` counts the parts between commas, from 0. */
export interface HeaderNumber {
  readonly header: string
  readonly at: number
}

export interface PushFacts {
  /** How a push proves itself. `none`: only the secret path does, and what it says is asked for again before it counts. */
  readonly proof: PushProof
  /** Answered without further ado, when the provider tries the address. */
  readonly handshake: Handshake | null
  /** First match wins; what matches nothing is acknowledged and forgotten. */
  readonly rules: readonly PushRule[]
  /** The status that the provider takes for an acknowledgement. */
  readonly acknowledge: 200 | 204
}

export interface PushProof {
  /** `signed_field`: the form field `header` holds `signature.payload`, both base64url; the payload is what rules read (Facebook's signed_request). */
  readonly kind: 'none' | 'hmac_sha1' | 'hmac_sha256' | 'ed25519' | 'signed_field'
  readonly header: string
  /** Around the signature in the header: `sha256={signature}`, `t={timestamp},v1={signature}`. */
  readonly format: string
  readonly encoding: 'hex' | 'base64'
  /** What is signed: `{body}`, `{timestamp}`, `{method}`, `{url}` (as it is registered). */
  readonly text: string
  /** Header of the timestamp where `format` has none; seconds or milliseconds. Older than five minutes is refused. */
  readonly timestampHeader: string | null
  /** With `ed25519` the push secret is the provider's public key, in hex. */
  readonly secret: 'client_secret' | 'push_secret'
}

export interface Handshake {
  readonly method: 'GET' | 'POST'
  /** Conditions on query or JSON body that make it one. */
  readonly where: Readonly<Record<string, string | number | boolean>>
  /** Parameter that must equal the push secret; null: none is sent. */
  readonly token: string | null
  /** What is answered: the value of this parameter, as text or under this name in JSON. */
  readonly echo: { readonly parameter: string; readonly as: 'text' | string }
}

export interface PushRule {
  /** On the JSON body (or form fields); for each element of `list` where one is given. */
  readonly list: AnswerPath | null
  /** A text may use variables of the integration: `{push_subscription}`. */
  readonly where: Readonly<Record<AnswerPath, string | number | boolean>>
  /** Conditions on headers, for providers whose bodies do not name the event (Shopify). Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  /** `revoked`: the owner took the grant back. `code`: an authorization code arrives. `changed`: an event for the application. */
  readonly means: 'revoked' | 'code' | 'changed'
  /** Where the account stands, as `account` stores it. */
  readonly account: AnswerPath | null
  /** Cuts the account out of a longer text: the first group counts. */
  readonly pattern: string | null
  /** When it happened: seconds or milliseconds since 1970, or ISO 8601. A consent that is newer wins. */
  readonly at: AnswerPath | null
  /** Where the authorization code stands (`code`). */
  readonly code: AnswerPath | null
  readonly facts: Readonly<Record<string, AnswerPath>>
}

/** A member that is null may be absent. */
export interface Samples {
  readonly exchange: JsonObject | null
  readonly refresh: JsonObject | null
  /** The answer to `check`. */
  readonly check: JsonObject | null
}

export interface Sunset {
  readonly what: string
  /** ISO 8601 date. */
  readonly on: string
  readonly instead: string
}
