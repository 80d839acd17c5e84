import type { ConnectionReport } from './answers.ts'
import { call, find, isSame, list, type Watching } from './connections.ts'

export type ReconnectStep = 'opening' | 'waiting' | Reconnected['kind']

export interface ReconnectOptions {
  /** `tab`: goes there in this tab, for pages that must not open windows. */
  readonly target?: 'window' | 'tab'
  /** One of the integration's return URLs, where the flow ends. */
  readonly returnUrl?: string
  /** Ends the wait. The window stays, and a success in it still counts. */
  readonly signal?: AbortSignal
  readonly onStep?: (step: ReconnectStep) => void
}

export type Reconnected =
  | { readonly kind: 'done'; readonly connection: ConnectionReport }
  /** The browser opened no window: offer `url` as a link, or go there. */
  | { readonly kind: 'blocked'; readonly url: string }
  /** Nobody finished it. A later success is seen by those who watch the connection. */
  | { readonly kind: 'cancelled' | 'expired' }

/** Quick at first, because most people are back within seconds. */
const LOOKS_MS = [1_000, 2_000]
const LOOK_MS = 5_000
const LOOKS_MAX = 360

/**
 * The window is opened before anything is awaited, or browsers take it for an advertisement. Whether it was closed is not asked: pages of
 * providers that isolate themselves look closed while they are open.
 */
export async function reconnect(watching: Watching, id: string, options: ReconnectOptions = {}): Promise<Reconnected> {
  const { core } = watching
  const { target, returnUrl, signal, onStep } = options
  const window = target === 'tab' ? null : globalThis.open?.('about:blank', id, 'popup,width=520,height=720')
  const end = (result: Reconnected): Reconnected => {
    onStep?.(result.kind)
    return result
  }
  onStep?.('opening')
  const before = find(watching.known ?? (await list(watching).catch(() => null)), id)
  const body = { mode: 'link', ...(returnUrl && { return_url: returnUrl }) }
  const { url } = await call<{ readonly url: string }>(core, `connections/${id}/reconnect`, body).catch((error: unknown) => {
    window?.close()
    throw error
  })
  if (target === 'tab') location.assign(url)
  if (!window) return end({ kind: 'blocked', url })
  window.location.href = url
  onStep?.('waiting')
  for (let look = 0; look < LOOKS_MAX; look += 1) {
    await new Promise<void>((resolve) => {
      core.after(LOOKS_MS[look] ?? LOOK_MS, resolve)
      signal?.addEventListener('abort', () => resolve(), { once: true })
    })
    if (signal?.aborted) return end({ kind: 'cancelled' })
    const connection = find(await list(watching).catch(() => null), id)
    if (connection?.status !== 'valid' || isSame(connection, before)) continue
    window.close()
    return end({ kind: 'done', connection })
  }
  return end({ kind: 'expired' })
}
