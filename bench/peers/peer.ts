/** A grant of the practice provider, as its control plane hands it out. */
export interface Grant {
  readonly id: string
  readonly account: string
  readonly accessToken: string
  readonly refreshToken: string
  /** ISO 8601. */
  readonly expiresAt: string
}

/** One HTTP request that answers the current token. */
export interface TokenRequest {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | null
}

interface TokenReply {
  readonly status: number
  /** Null when no token was answered. */
  readonly token: string | null
  readonly text: string
}

/** Something that keeps a token and answers it over HTTP, in one process or several on one database. */
export interface Peer {
  readonly name: string
  /** Base addresses, one for each process. */
  readonly urls: readonly string[]
  readonly pids: () => readonly number[]
  /** Takes a grant over; the request then answers its token. */
  hold(grant: Grant): Promise<TokenRequest>
  /** SIGKILL to every process. */
  kill(): Promise<void>
  restart(): Promise<void>
  stop(): Promise<void>
}

export async function ask(url: string, { method, path, headers, body }: TokenRequest): Promise<TokenReply> {
  const response = await fetch(`${url}${path}`, { method, headers: { ...headers }, ...(body === null ? {} : { body }) })
  const text = await response.text()
  return { status: response.status, token: response.ok ? tokenIn(text) : null, text }
}

function tokenIn(text: string): string | null {
  const answer: { readonly access_token?: string; readonly accessToken?: string } = JSON.parse(text)
  return answer.access_token ?? answer.accessToken ?? null
}
