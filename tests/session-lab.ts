// A strict server of sessions and a protected API on one port: what docs/reference/session-protocol.md promises a client, and counters to judge it by.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

interface SeenRequest {
  readonly method: string
  readonly path: string
  readonly authorization: string | undefined
  readonly contentType: string | undefined
  readonly body: string
  readonly status: number
}

export interface SessionLab {
  readonly url: string
  /** The credential of a fresh bearer session. */
  readonly refreshToken: string
  /** Successful rotations, and everything that was presented. */
  readonly refreshes: () => number
  readonly presented: () => number
  readonly reuses: () => number
  /** Requests of the protected API, in the order of their arrival. */
  readonly seen: readonly SeenRequest[]
  /** From now on every access token that was issued so far is refused. */
  expire(): void
  /** The answer to `auth/refresh` instead of a rotation; `null` rotates again. */
  answerRefresh(answer: { readonly status: number; readonly code?: string; readonly retryAfter?: number } | null): void
  /** Answers to `auth/refresh` wait until the returned function is called. */
  holdRefresh(): () => void
  /** What `auth/token-status` reports. */
  connections: readonly object[]
  close(): Promise<void>
}

/**
 * Below `/api/v1/auth/` the session. `/things` answers with what it got. `/late/{name}` judges at once and gives a refusal when `/release/{name}` is asked.
 * `/always` refuses every token, `/foreign` answers 401 without our mark, `/graphql` and `/trpc` answer in their dialects.
 */
export async function openSessionLab(): Promise<SessionLab> {
  const state = { generation: 1, validFrom: 1, rotations: 0, presented: 0, reuses: 0, ended: false }
  const seen: SeenRequest[] = []
  const late = new Map<string, () => void>()
  let refreshAnswer: { status: number; code?: string; retryAfter?: number } | null = null
  let gate: Promise<void> = Promise.resolve()

  const server = createServer((request, response) => {
    void serve(request, response)
  })
  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(request)
    const path = new URL(request.url ?? '/', 'http://lab').pathname
    if (path === '/api/v1/auth/refresh') return await refresh(response, body)
    if (path === '/api/v1/auth/token-status') return send(response, 200, { session: { status: 'valid' }, connections: lab.connections })
    if (path.startsWith('/api/v1/auth/')) return send(response, 200, { signed_out: 1 })
    if (path.startsWith('/release/')) {
      late.get(path.slice(9))?.()
      return send(response, 200, {})
    }
    await protectedApi(request, response, path, body)
  }
  async function protectedApi(request: IncomingMessage, response: ServerResponse, path: string, body: string): Promise<void> {
    const { authorization } = request.headers
    const generation = Number(/^Bearer access-(\d+)$/.exec(authorization ?? '')?.[1] ?? 0)
    const mark = path === '/always' || path === '/foreign' || generation < state.validFrom
    const status = mark ? 401 : 200
    seen.push({ method: request.method ?? '', path, authorization, contentType: request.headers['content-type'], body, status })
    if (status === 401 && path.startsWith('/late/')) await new Promise<void>((resolve) => late.set(path.slice(6), resolve))
    if (status === 200) return send(response, 200, dialect(path, body))
    const headers =
      path === '/foreign' ? {} : { 'evergrant-auth': generation === 0 ? 'missing' : 'expired', 'www-authenticate': 'Bearer error="invalid_token"' }
    send(response, 401, { code: 'access_token_expired' }, headers)
  }
  async function refresh(response: ServerResponse, body: string): Promise<void> {
    state.presented += 1
    const answer = refreshAnswer
    const presented = Number(/refresh-(\d+)/.exec(body)?.[1] ?? 0)
    if (answer === null && presented < state.generation - 1) state.ended = true
    if (state.ended) state.reuses += 1
    if (answer === null && !state.ended && presented === state.generation) {
      state.generation += 1
      state.rotations += 1
    }
    const { generation } = state
    await gate
    const headers: Record<string, string> = answer?.retryAfter === undefined ? {} : { 'retry-after': String(answer.retryAfter) }
    if (answer !== null) return send(response, answer.status, { code: answer.code ?? 'store_unavailable', action: 'wait' }, headers)
    if (state.ended) return send(response, 401, { code: 'session_reuse_detected', action: 'sign_in' })
    send(response, 200, sessionAnswer(generation))
  }

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const lab: SessionLab = {
    url: `http://127.0.0.1:${address.port}`,
    refreshToken: 'refresh-1',
    refreshes: () => state.rotations,
    presented: () => state.presented,
    reuses: () => state.reuses,
    seen,
    expire: () => {
      state.validFrom = state.generation + 1
    },
    answerRefresh: (answer) => {
      refreshAnswer = answer
    },
    holdRefresh: () => {
      let open: () => void = () => undefined
      gate = new Promise((resolve) => {
        open = resolve
      })
      return open
    },
    connections: [],
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return lab
}

function sessionAnswer(generation: number): object {
  const soon = new Date(Date.now() + 86_400_000).toISOString()
  return {
    access_token: `access-${generation}`,
    token_type: 'Bearer',
    expires_in: 600,
    generation,
    server_time: new Date().toISOString(),
    replayed: false,
    session: { id: 'ses_1', mode: 'bearer', created_at: soon, idle_expires_at: soon, expires_at: soon, authenticated_at: soon },
    user: {
      id: 'usr_1',
      email: 'ana@example.com',
      email_verified: true,
      name: 'Ana',
      owner: 'usr_1',
      role: 'member',
      organization: { id: 'org_1', name: 'Acme' },
    },
    refresh_token: `refresh-${generation}`,
    connections: [],
  }
}

/** A result as the protocol of that path writes it. */
function dialect(path: string, body: string): object {
  if (path === '/graphql') return { data: { ping: 'pong' } }
  if (path.startsWith('/trpc')) return { result: { data: 'pong' } }
  return { path, body }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString('latin1')
}

function send(response: ServerResponse, status: number, body: object, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': status < 300 ? 'application/json' : 'application/problem+json', ...headers })
  response.end(JSON.stringify(body))
}
