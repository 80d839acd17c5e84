/** A request to a provider, before it becomes bytes. Pure data, so that a snapshot test can show it. */
export interface ProviderRequest {
  readonly method: 'GET' | 'POST' | 'DELETE' | 'PUT' | 'PATCH'
  /** Absolute, https (or loopback in development), query included. */
  readonly url: string
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  /** HTTP Basic credentials; the sender encodes them (RFC 6749 section 2.3.1: form-encoded before base64 unless the record says raw). */
  readonly basic: { readonly username: string; readonly password: string; readonly raw?: boolean } | null
  readonly body: string | null
  /** PEM of a client certificate and of its private key, shown to the server (RFC 8705 section 2). A secret. */
  readonly certificate?: string
}

/** An answer that arrived whole. Header names are lower-case; several `set-cookie` stand one a line. */
export interface ProviderAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** Raw bytes, at most 64 KB, kept before anything parses them. */
  readonly body: Uint8Array
  /** `body` decoded as UTF-8, with replacement characters where it is not. */
  readonly text: string
}

/** What the wire did. `not_sent`: certainly no byte of the request reached the provider. `no_answer`: it may have acted. */
export type WireOutcome =
  | { readonly kind: 'answered'; readonly answer: ProviderAnswer }
  | { readonly kind: 'not_sent'; readonly cause: string }
  | { readonly kind: 'no_answer'; readonly cause: string }

/**
 * Port to token endpoints. The rules of refresh-protocol.md 2.7 belong to its implementation: fresh connection unless
 * `pooled`, no redirect, no retry, at most 64 KB, the socket looked at once more before a deadline aborts.
 */
export interface TokenEndpoint {
  /** Connects (TCP and TLS) without sending anything. `certificate`: the request's. Rejects with {@link NotSent}. */
  open(url: string, options: { readonly pooled: boolean; readonly certificate?: string | undefined }): Promise<OpenLine>
}

/** A connection that is ready to carry exactly one request. */
export interface OpenLine {
  /** Starts writing in the same turn: by the next tick, before any phase of the event loop; never rejects. */
  send(request: ProviderRequest, deadlineMs: number): Promise<WireOutcome>
  /** Gives the connection back unused. */
  close(): void
}

/** The connection could not be opened: nothing was sent. `cause` is a stable code such as `ECONNREFUSED`. */
export class NotSent extends Error {
  override readonly name = 'NotSent'
  readonly reason: string
  constructor(reason: string, message: string) {
    super(message)
    this.reason = reason
  }
}
