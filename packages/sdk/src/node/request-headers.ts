/** A `Request`, or the requests of Node, Express and Fastify: anything with headers. */
export interface RequestLike {
  readonly headers: Headers | Readonly<Record<string, string | readonly string[] | undefined>>
  readonly method?: string | undefined
  /** Absolute, or the path. */
  readonly url?: string | undefined
}

/** What stands in a header; several fields of one name are joined with a comma, as HTTP does. */
export function headerOf({ headers }: RequestLike, name: string): string | null {
  if (headers instanceof Headers) return headers.get(name)
  const value = headers[name]
  if (value === undefined) return null
  return typeof value === 'string' ? value : value.join(', ')
}

export interface Credential {
  readonly scheme: 'Bearer' | 'DPoP'
  readonly token: string
}

const CREDENTIAL = /^(bearer|dpop) +([^\s,]+) *$/i

/** The access token of a request (RFC 6750 section 2.1, RFC 9449 section 7.1); null when there is none. */
export function credentialOf(request: RequestLike): Credential | null {
  const parts = CREDENTIAL.exec(headerOf(request, 'authorization') ?? '')
  if (parts === null) return null
  return { scheme: parts[1]?.toLowerCase() === 'dpop' ? 'DPoP' : 'Bearer', token: parts[2] ?? '' }
}

/** The address as the caller used it; null when it cannot be told without `origin`. */
export function addressOf({ url = '/' }: RequestLike, origin: string | undefined): string | null {
  if (origin === undefined) return URL.canParse(url) ? url : null
  const path = URL.canParse(url) ? new URL(url).pathname : url
  return `${origin.replace(/\/+$/, '')}${path}`
}
