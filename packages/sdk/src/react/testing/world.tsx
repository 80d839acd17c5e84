import type { ReactElement, ReactNode } from 'react'
import { type ConnectionReport, cookieSession, createEvergrant, type Evergrant } from '../../browser/index.ts'
import { en } from '../labels/en.ts'
import type { Labels } from '../labels.ts'
import { EvergrantProvider } from '../provider.tsx'
import type { Actions } from '../setting.ts'

/** A server of one person, in the place of the network, and the real client over it. */
export interface World {
  readonly client: Evergrant
  /** What the server reports; change it and the client hears of it at its next look. */
  connections: ConnectionReport[]
  /** What `auth/refresh` answers. */
  refresh: { readonly status: number; readonly code?: string; readonly retryAfter?: number }
  /** What `connections/{id}/reconnect` answers. */
  reconnect: { readonly status: number; readonly code?: string }
  /** Every request: method and path. */
  readonly calls: string[]
  /** Lifetimes of access tokens, in seconds. */
  expiresIn: number
}

/** Waits of the client are a hundred times shorter here; what it decides is the same. */
const HASTE = 100

export function createWorld(start: Partial<Pick<World, 'connections' | 'refresh' | 'reconnect' | 'expiresIn'>> = {}): World {
  const calls: string[] = []
  let generation = 0
  const answer = async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    const { pathname } = new URL(input instanceof Request ? input.url : input)
    calls.push(`${input instanceof Request ? input.method : (init?.method ?? 'GET')} ${pathname}`)
    if (pathname.endsWith('/auth/refresh')) {
      const { status, code, retryAfter } = world.refresh
      if (status !== 200) return Response.json({ code, action: 'sign_in' }, { status, headers: retryAfter ? { 'retry-after': String(retryAfter) } : {} })
      generation += 1
      return Response.json(sessionAnswer(generation, world.expiresIn))
    }
    if (pathname.endsWith('/auth/token-status')) return Response.json({ session: { status: 'valid' }, connections: world.connections })
    if (pathname.endsWith('/reconnect')) {
      const { status, code } = world.reconnect
      return status === 200 ? Response.json({ url: 'https://connect.test/connect/abc' }) : Response.json({ code, action: 'retry' }, { status })
    }
    return Response.json({ signed_out: 1 })
  }
  const clock = {
    after: (ms: number, task: () => void) => {
      const timer = setTimeout(task, ms / HASTE)
      return () => clearTimeout(timer)
    },
  }
  const client = createEvergrant({ baseUrl: 'https://connect.test', session: cookieSession(), coordination: 'none', fetch: answer, clock })
  const world: World = { client, connections: [], refresh: { status: 200 }, reconnect: { status: 200 }, calls, expiresIn: 600, ...start }
  return world
}

export function Within({ world, children, labels = en, actions }: { world: World; children?: ReactNode; labels?: Labels; actions?: Actions }): ReactElement {
  return (
    <EvergrantProvider client={world.client} labels={labels} app="Acme" {...(actions && { actions })}>
      {children}
    </EvergrantProvider>
  )
}

export function connection(change: Partial<ConnectionReport> = {}): ConnectionReport {
  return {
    id: 'con_1',
    integration: 'google',
    provider: 'Google',
    account: 'ana@example.com',
    status: 'valid',
    connection_status: 'active',
    code: null,
    title: null,
    message: null,
    action: 'none',
    expires_at: null,
    reconnect_url: null,
    retry_at: null,
    ...change,
  }
}

export const broken = (change: Partial<ConnectionReport> = {}): ConnectionReport =>
  connection({ status: 'needs_reauth', connection_status: 'needs_reauth', code: 'connection_revoked', action: 'reconnect', ...change })

function sessionAnswer(generation: number, expiresIn: number): object {
  const now = new Date().toISOString()
  return {
    access_token: `access-${generation}`,
    token_type: 'Bearer',
    expires_in: expiresIn,
    generation,
    server_time: now,
    session: { id: 'ses_1', mode: 'cookie', created_at: now, idle_expires_at: now, expires_at: now, authenticated_at: now },
    user: {
      id: 'usr_1',
      email: 'ana@example.com',
      email_verified: true,
      name: 'Ana',
      owner: 'usr_1',
      role: 'member',
      organization: { id: 'org_1', name: 'Acme' },
    },
  }
}
