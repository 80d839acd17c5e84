import type { ConnectionReport } from './answers.ts'
import { nothing } from './clock.ts'
import type { Core } from './core.ts'
import { jsonOf, posted } from './exchange.ts'
import { problemError, ReconnectRequiredError } from './problems.ts'
import { authorizedFetch } from './request.ts'
import { on } from './state.ts'

const POLL_MS = 30_000

/** What this page knows of the person's connections. */
export interface Watching {
  readonly core: Core
  /** The same array until something changes. */
  known: readonly ConnectionReport[] | null
  readonly listeners: Set<(list: readonly ConnectionReport[]) => void>
  unpoll: () => void
}

/** Learns from every refresh, and forgets with the person. */
export function createWatching(core: Core): Watching {
  const watching: Watching = { core, known: null, listeners: new Set(), unpoll: nothing }
  const forget = (): void => learn(watching, null)
  on(core, 'signed_in', forget)
  on(core, 'signed_out', forget)
  on(core, 'refreshed', () => {
    const reported = core.answer?.connections
    // A refresh reports some connections, or all.
    if (reported) learn(watching, watching.known?.map((one) => find(reported, one.id) ?? one) ?? reported)
  })
  return watching
}

/** Evergrant's own API with the session: GET, or POST when there is a body. Rejects with a typed error. */
export async function call<Answer>(core: Core, path: string, body?: object): Promise<Answer> {
  const response = await authorizedFetch(core, core.api + path, body && posted(body))
  const value = await jsonOf<Answer & object>(response)
  if (!response.ok || !value)
    throw problemError(value, response.status, (value as { readonly action?: string } | null)?.action === 'reconnect' ? ReconnectRequiredError : undefined)
  return value
}

export const find = (list: readonly ConnectionReport[] | null, id: string): ConnectionReport | null => list?.find((one) => one.id === id) ?? null

export const isSame = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other)

export async function list(watching: Watching): Promise<readonly ConnectionReport[]> {
  learn(watching, (await call<{ readonly connections: readonly ConnectionReport[] }>(watching.core, 'auth/token-status')).connections)
  return watching.known ?? []
}

function learn(watching: Watching, found: readonly ConnectionReport[] | null): void {
  if (isSame(found, watching.known)) return
  watching.known = found
  for (const listener of watching.listeners) if (found) listener(found)
}

export function watchAll(watching: Watching, listener: (connections: readonly ConnectionReport[]) => void): () => void {
  const { listeners, known } = watching
  const own: typeof listener = (found) => void Promise.resolve().then(() => listeners.has(own) && listener(found))
  listeners.add(own)
  if (known) own(known)
  if (listeners.size === 1) poll(watching)
  return () => listeners.delete(own)
}

export function watch(watching: Watching, id: string, listener: (connection: ConnectionReport | null) => void): () => void {
  let last: ConnectionReport | null | undefined
  return watchAll(watching, (found) => {
    const one = find(found, id)
    if (!isSame(one, last)) listener(one)
    last = one
  })
}

function poll(watching: Watching): void {
  watching.unpoll()
  if (watching.listeners.size === 0) return
  if (!globalThis.document?.hidden) list(watching).catch(nothing)
  watching.unpoll = watching.core.after(POLL_MS, () => poll(watching))
}
