import type { Reconnected, ReconnectOptions } from './connections.ts'
import { find, isSame, list, type Watching } from './watching.ts'

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
  const opened = target === 'tab' ? null : globalThis.open?.('about:blank', id, 'popup,width=520,height=720')
  // The pages of the flow need no way back to this one.
  if (opened) opened.opener = null
  const end = (result: Reconnected): Reconnected => {
    onStep?.(result.kind)
    return result
  }
  onStep?.('opening')
  const before = find(watching.known ?? (await list(watching).catch(() => null)), id)
  const ask = (mode: 'link' | 'signed_in') =>
    watching.call<{ readonly id: string; readonly url: string }>(`connections/${id}/reconnect`, { mode, ...(returnUrl && { return_url: returnUrl }) })
  const { id: session, url } = await ask('link')
    // Where the account cannot be proven by the provider, the person signs in to Evergrant in that window.
    .catch((error: { readonly field?: string }) => (error.field === '/mode' ? ask('signed_in') : Promise.reject(error)))
    .catch((error: unknown) => {
      opened?.close()
      throw error
    })
  if (target === 'tab') location.assign(url)
  if (!opened) return end({ kind: 'blocked', url })
  opened.location.href = url
  onStep?.('waiting')
  for (let look = 0; look < LOOKS_MAX; look += 1) {
    await new Promise<void>((resolve) => {
      core.after(LOOKS_MS[look] ?? LOOK_MS, resolve)
      signal?.addEventListener('abort', () => resolve(), { once: true })
    })
    if (signal?.aborted) return end({ kind: 'cancelled' })
    const connection = find(await list(watching).catch(() => null), id)
    if (connection?.status !== 'valid') continue
    // One that worked all the time looks the same afterwards: whether its flow is over, the session of the flow says.
    if (isSame(connection, before) && !(await isCompleted(watching, session))) continue
    opened.close()
    return end({ kind: 'done', connection })
  }
  return end({ kind: 'expired' })
}

async function isCompleted({ call }: Watching, session: string): Promise<boolean> {
  const flow = await call<{ readonly state: string }>(`connect/sessions/${session}/status`).catch(() => null)
  return flow?.state === 'completed'
}
