import type { ConnectionReport } from './answers.ts'
import type { Core } from './core.ts'
import type { on } from './state.ts'

const POLL_MS = 30_000

/** What this page knows of the person's connections. */
export interface Watching {
  readonly core: Core
  /** Evergrant's own API with the session: GET, or POST when there is a body. Rejects with a typed error. */
  readonly call: <Answer>(path: string, body?: object) => Promise<Answer>
  /** The same array until something changes. */
  known: readonly ConnectionReport[] | null
  readonly listeners: Set<(list: readonly ConnectionReport[]) => void>
  unpoll: () => void
}

/** Knows what the last refresh said, learns from every one that comes, and forgets with the person. */
export function createWatching(core: Core, call: Watching['call'], listen: typeof on): Watching {
  const watching: Watching = { core, call, known: core.answer?.connections ?? null, listeners: new Set(), unpoll: () => undefined }
  const forget = (): void => learn(watching, null)
  listen(core, 'signed_in', forget)
  listen(core, 'signed_out', forget)
  listen(core, 'refreshed', () => {
    const reported = core.answer?.connections
    // A refresh reports some connections, or all.
    if (reported) learn(watching, watching.known?.map((one) => find(reported, one.id) ?? one) ?? reported)
  })
  return watching
}

export const find = (list: readonly ConnectionReport[] | null, id: string): ConnectionReport | null => list?.find((one) => one.id === id) ?? null

export const isSame = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other)

export async function list(watching: Watching): Promise<readonly ConnectionReport[]> {
  const { core, known } = watching
  const { epoch } = core
  const { connections } = await watching.call<{ readonly connections: readonly ConnectionReport[] }>('auth/token-status')
  // Somebody signed in or out meanwhile: this answer is about the person before. Something was learned meanwhile: it may be from before that.
  if (core.epoch !== epoch || watching.known !== known) return list(watching)
  learn(watching, connections)
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
  return () => {
    listeners.delete(own)
    if (listeners.size === 0) watching.unpoll()
  }
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
  if (!globalThis.document?.hidden) list(watching).catch(() => undefined)
  watching.unpoll = watching.core.after(POLL_MS, () => poll(watching))
}
