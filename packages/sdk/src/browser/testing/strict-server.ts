import type { ConnectionReport } from '../answers.ts'

/** The cookies of one browser. */
export interface Jar {
  cookie: string | null
}

interface StoredSession {
  readonly id: string
  readonly user: string
  readonly mode: 'cookie' | 'bearer'
  readonly parent: string | null
  generation: number
  /** When each generation was overtaken by the next: requests with it were under way then. */
  readonly overtakenAt: Map<number, number>
  /** Whether the current generation was seen in use. */
  used: boolean
  ended: string | null
}

interface Sent {
  readonly method: string
  readonly url: string
  readonly headers: Headers
  readonly body: string
  readonly credentials: RequestCredentials
  readonly keepalive: boolean
}

type Commit = () => Response
/** What happens to the next refresh: `commit` does what the server would, once. */
export type Script = (commit: Commit, jar: Jar) => Response | Promise<Response>

const BASE = 'https://auth.test'
export const API = 'https://api.test'
const REPLAY_MS = 30_000

export type StrictServer = ReturnType<typeof createStrictServer>

interface World {
  readonly now: () => number
  readonly lifetimeSeconds: number
  readonly base: string
  readonly api: string
  readonly sessions: Map<string, StoredSession>
  readonly counts: { refreshes: number; reuses: number; replays: number; branches: number; logouts: number; api: number; refused: number }
  readonly sent: Sent[]
  readonly scripts: Script[]
  readonly reports: ConnectionReport[]
  /** Tokens up to this number are refused. */
  valid: number
  serial: number
}

/**
 * The rotation of `docs/reference/session-protocol.md` and nothing kinder: what was overtaken is answered for 30 s, and later while the successor is
 * unseen; everything else that is old ends the session. An application's API beside it. Counts what it is asked.
 */
export function createStrictServer(now: () => number, options: { readonly lifetimeSeconds?: number; readonly base?: string; readonly api?: string } = {}) {
  const { lifetimeSeconds = 600, base = BASE, api = API } = options
  const counts = { refreshes: 0, reuses: 0, replays: 0, branches: 0, logouts: 0, api: 0, refused: 0 }
  const world: World = { now, lifetimeSeconds, base, api, sessions: new Map(), counts, sent: [], scripts: [], reports: [], valid: 0, serial: 0 }
  return {
    counts,
    sent: world.sent,
    reports: world.reports,
    problem,
    refusal,
    urls: { base, api },
    /** The network between one browser and these servers. */
    fetchOf:
      (jar: Jar = { cookie: null }): typeof fetch =>
      (input, init) =>
        serve(world, new Request(input, init), jar),
    /** A browser that signed in some other day. */
    signedIn(user = 'usr_ana'): Jar {
      const jar: Jar = { cookie: null }
      answer(world, open(world, user, 'cookie'), jar)
      return jar
    },
    /** Every access token that was given out is refused from now on. */
    expireTokens: () => {
      world.valid = world.serial
    },
    endAll: (code: string) => {
      for (const session of world.sessions.values()) session.ended = code
    },
    onRefresh: (...next: Script[]) => world.scripts.push(...next),
  }
}

function open(world: World, user: string, mode: 'cookie' | 'bearer', parent: string | null = null): StoredSession {
  world.serial += 1
  const session: StoredSession = { id: `ses_${world.serial}`, user, mode, parent, generation: 1, overtakenAt: new Map(), used: false, ended: null }
  world.sessions.set(session.id, session)
  return session
}

function answer(world: World, session: StoredSession, jar: Jar, replayed = false): Response {
  const { now, lifetimeSeconds, reports } = world
  const { id, mode, user, generation } = session
  const credential = `${id}.${generation}`
  if (mode === 'cookie') jar.cookie = credential
  world.serial += 1
  const time = new Date(now()).toISOString()
  return Response.json({
    access_token: `at.${id}.${generation}.${now() + lifetimeSeconds * 1000}.${world.serial}`,
    token_type: 'Bearer',
    expires_in: lifetimeSeconds,
    generation,
    server_time: time,
    replayed,
    session: { id, mode, created_at: time, idle_expires_at: time, expires_at: time, authenticated_at: time },
    user: {
      id: user,
      email: `${user}@example.com`,
      email_verified: true,
      name: null,
      owner: user,
      role: 'member',
      organization: { id: 'org_1', name: 'Acme' },
    },
    ...(mode === 'bearer' && { refresh_token: credential }),
    ...(reports.length > 0 && { connections: reports }),
  })
}

function problem(status: number, code: string, more: object = {}, headers: Record<string, string> = {}): Response {
  return Response.json({ type: `urn:${code}`, title: code, status, code, action: 'none', request_id: 'r1', ...more }, { status, headers })
}

function refusal(code: string, mark: string): Response {
  return problem(401, code, { action: 'sign_in' }, { 'evergrant-auth': mark, 'www-authenticate': 'Bearer error="invalid_token"' })
}

function present(world: World, credential: string | null, jar: Jar): Response {
  const { counts, now } = world
  counts.refreshes += 1
  const [id = '', presented = ''] = (credential ?? '').split('.')
  const generation = Number(presented)
  const session = world.sessions.get(id)
  if (!session) return refusal('session_missing', 'missing')
  if (session.ended) return refusal(session.ended, 'revoked')
  const behind = session.generation - generation
  // Two that left together may arrive with a third between them that had the answer of the first.
  if (now() - (session.overtakenAt.get(generation) ?? -Infinity) <= REPLAY_MS) {
    counts.replays += 1
    return answer(world, session, jar, true)
  }
  // Unseen, the lost successor is withdrawn: its number is passed over, and its credential is reuse from now on.
  if (behind === 0 || (behind === 1 && !session.used)) {
    session.generation += 1
    session.overtakenAt.set(generation, now())
    session.used = false
    return answer(world, session, jar)
  }
  counts.reuses += 1
  session.ended = 'session_reuse_detected'
  return refusal('session_reuse_detected', 'revoked')
}

/** The session of a good access token, or the refusal. */
function admit(world: World, request: Request): StoredSession | Response {
  const token = request.headers.get('authorization')?.slice(7)
  if (!token) return refusal('session_missing', 'missing')
  const [, id = '', generation = '', until = '', number = ''] = token.split('.')
  const session = world.sessions.get(id)
  if (!session || session.ended) return refusal(session?.ended ?? 'session_missing', 'revoked')
  if (Number(until) <= world.now() || Number(number) <= world.valid) return refusal('access_token_expired', 'expired')
  if (Number(generation) === session.generation) session.used = true
  return session
}

async function serve(world: World, request: Request, jar: Jar): Promise<Response> {
  request.signal.throwIfAborted()
  const { headers, credentials, keepalive, method, url } = request
  world.sent.push({ method, url, headers: new Headers(headers), body: await request.clone().text(), credentials, keepalive })
  const { origin, pathname } = new URL(url)
  if (origin === world.base && pathname.startsWith('/api/v1/auth/')) return serveAuth(world, pathname.slice(13), request, jar)
  if (origin === world.base && pathname.endsWith('/reconnect')) return Response.json({ url: `${world.base}/connect/x` }, { status: 201 })
  return serveApplication(world, pathname, request)
}

async function serveAuth(world: World, path: string, request: Request, jar: Jar): Promise<Response> {
  const body = JSON.parse((await request.text()) || '{}')
  const credential = body.refresh_token ?? (request.credentials === 'include' ? jar.cookie : null)
  if (path === 'refresh') {
    const script = world.scripts.shift()
    return script ? script(() => present(world, credential, jar), jar) : present(world, credential, jar)
  }
  if (path === 'login') {
    if (body.password === 'two') return problem(401, 'second_factor_required', { ticket: 't1', methods: ['totp'] })
    if (body.password !== 'right') return refusal('sign_in_refused', 'missing')
    return answer(world, open(world, body.email.split('@')[0], body.mode ?? 'cookie'), jar)
  }
  if (path === 'login/second-factor')
    return body.code === '123456' ? answer(world, open(world, 'usr_two', 'cookie'), jar) : refusal('sign_in_refused', 'missing')
  if (path === 'logout') return serveLogout(world, credential, body.scope, jar)
  const caller = admit(world, request)
  if (caller instanceof Response) return caller
  if (path === 'token-status') return Response.json({ session: { status: 'valid' }, connections: world.reports })
  if (credential === null) return problem(400, 'invalid_request')
  world.counts.branches += 1
  return answer(world, open(world, caller.user, 'bearer', caller.id), jar)
}

/** `here` also ends the branches of the session. */
function serveLogout(world: World, credential: string | null, scope: string, jar: Jar): Response {
  world.counts.logouts += 1
  const id = (credential ?? '').split('.')[0]
  if (scope !== 'others') {
    for (const session of world.sessions.values()) if (session.id === id || session.parent === id) session.ended = 'session_signed_out'
    jar.cookie = null
  }
  return Response.json({ signed_out: id ? 1 : 0 })
}

async function serveApplication(world: World, path: string, request: Request): Promise<Response> {
  world.counts.api += 1
  if (path === '/public') return new Response('public')
  if (path === '/foreign') return new Response('bad environment id', { status: 401 })
  if (path === '/broken') return new Response('broken', { status: 500 })
  const caller = path === '/never' ? refusal('access_token_expired', 'expired') : admit(world, request)
  if (!(caller instanceof Response)) return new Response(request.body ? await request.arrayBuffer() : caller.user)
  world.counts.refused += 1
  return caller
}

/** Held until the test lets it go on. */
export function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = (): void => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open }
}
