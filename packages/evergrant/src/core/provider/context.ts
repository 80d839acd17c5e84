import type { ProviderRecord } from './record.ts'
import type { SigningPorts } from './signing.ts'

/** Endpoints after templates, overrides and discovery have been resolved. Absolute URLs. */
export interface ProviderEndpoints {
  /** Empty for grants without a browser. */
  readonly authorize: string
  /** Empty for static secrets. */
  readonly token: string
  readonly refresh: string
  /** Like the two above it may still hold names that only a callback or an answer tells, and `{client_id}`: whoever builds a request fills them. */
  readonly revoke: string | null
  readonly userinfo: string | null
  /** Issuer for the `iss` check (RFC 9207); null when the provider promises none. */
  readonly issuer: string | null
  /** True when metadata says `authorization_response_iss_parameter_supported`. */
  readonly issuerInCallback: boolean
  /** `code_challenge_methods_supported` contains S256, or the record says so. */
  readonly pkce: boolean
  /** The best way of client authentication that the metadata lists, when the record's is not among them (`token_endpoint_auth_methods_supported`). */
  readonly clientAuth?: 'body' | 'basic' | 'none'
}

/** All that requests to one provider are built from. Holds the client secret in clear: never logged, never stored. */
export interface ProviderContext {
  readonly record: ProviderRecord
  readonly endpoints: ProviderEndpoints
  readonly clientId: string
  readonly clientSecret: string | null
  /** Integration variables, then connection variables over them. */
  readonly variables: Readonly<Record<string, string>>
  readonly facts: Readonly<Record<string, string>>
  /** The token of a multi-token answer this integration holds; null for the record's default. */
  readonly token: string | null
  /** Where a refresh repeats the redirect URI of the consent: that one. */
  readonly redirectUri?: string
  /** Signs what the record says is signed; without it such a request cannot be built. */
  readonly signing?: SigningPorts
}

/** Port: looks records up and resolves endpoints (templates, discovery with a cache). */
export interface ProviderDirectory {
  get(id: string): ProviderRecord | undefined
  list(): readonly ProviderRecord[]
  /** @throws Fault `provider_unavailable` when discovery fails, `invalid_request` when a variable is missing or malformed. */
  resolve(record: ProviderRecord, variables: Readonly<Record<string, string>>): Promise<ProviderEndpoints>
}
