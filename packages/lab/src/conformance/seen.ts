import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/** What a request was for. `api`: the application's protected API. `server`: any other route of Evergrant. */
export type Target = 'refresh' | 'sign-in' | 'sign-out' | 'branch' | 'api' | 'server' | 'page' | 'preflight'

/** One request as it arrived, and how it ended. */
export interface Seen {
  readonly target: Target
  readonly method: string
  /** With its query. */
  readonly path: string
  /** `gen` of the access token that came along; null without one. */
  readonly generation: number | null
  /** The access token, as a hash: enough to tell two apart. */
  readonly token: string | null
  readonly authorization: string | null
  readonly idempotencyKey: string | null
  readonly cookies: boolean
  readonly contentType: string | null
  readonly bodyBytes: number
  /** Of a form without its boundary, which some transports draw anew each time. */
  readonly bodyHash: string
  /** HTTP status; null while it is under way; 0 when the socket was cut. */
  status: number | null
}

const AUTH = '/api/v1/auth/'

function targetOf(method: string, path: string): Target {
  if (method === 'OPTIONS') return 'preflight'
  if (path.startsWith('/app/')) return 'api'
  if (path.startsWith('/kit')) return 'page'
  if (path.startsWith(`${AUTH}refresh`)) return 'refresh'
  if (path.startsWith(`${AUTH}login`)) return 'sign-in'
  if (path.startsWith(`${AUTH}logout`)) return 'sign-out'
  if (path.startsWith(`${AUTH}branch`)) return 'branch'
  return 'server'
}

export function seenOf(request: IncomingMessage, body: Buffer): Seen {
  const { authorization = null } = request.headers
  const token = bearerOf(authorization)
  const boundary = /boundary=("?)([^";]+)\1/.exec(request.headers['content-type'] ?? '')?.[2] ?? null
  return {
    target: targetOf(request.method ?? 'GET', request.url ?? '/'),
    method: request.method ?? 'GET',
    path: request.url ?? '/',
    generation: token === null ? null : generationOf(token),
    token: token === null ? null : hash(Buffer.from(token)),
    authorization,
    idempotencyKey: one(request.headers['idempotency-key']),
    cookies: request.headers.cookie !== undefined,
    contentType: withoutBoundary(request.headers['content-type'] ?? null, boundary),
    bodyBytes: body.length,
    bodyHash: hash(Buffer.from(withoutBoundary(body.toString('latin1'), boundary) ?? '', 'latin1')),
    status: null,
  }
}

export function bearerOf(authorization: string | null): string | null {
  return authorization?.toLowerCase().startsWith('bearer ') === true ? authorization.slice('bearer '.length).trim() : null
}

function hash(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 24)
}

function withoutBoundary(text: string | null, boundary: string | null): string | null {
  return text === null || boundary === null ? text : text.replaceAll(boundary, 'boundary')
}

function one(value: string | string[] | undefined): string | null {
  return typeof value === 'string' ? value : null
}

/** The `gen` claim, unverified: the recorder judges clients, not tokens. */
function generationOf(token: string): number | null {
  try {
    const claims: { readonly gen?: unknown } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'))
    return typeof claims.gen === 'number' ? claims.gen : null
  } catch {
    return null
  }
}
