import { isEvergrantError } from './known-error.ts'
import type { ReactClient } from './setting.ts'

/** What is asked of TanStack Query's `onlineManager`. */
interface OnlineManager {
  setEventListener(setup: (setOnline: (online: boolean) => void) => (() => void) | undefined): void
}

interface Retries {
  readonly retry: (failures: number, error: unknown) => boolean
  readonly retryDelay: (failures: number, error: unknown) => number
}

const RETRIES = 3
const DELAY_MIN_MS = 1_000
const DELAY_MAX_MS = 30_000

/**
 * For TanStack Query: `new QueryClient({ defaultOptions: evergrantQueryDefaults(client).defaultOptions })`. What only a person can mend is not tried again,
 * and what has a time is tried then. `bridge(onlineManager)` pauses queries while the session cannot be refreshed and lets them go on when it can.
 */
export function evergrantQueryDefaults(client: Pick<ReactClient, 'getState' | 'subscribe'>): {
  readonly defaultOptions: { readonly queries: Retries; readonly mutations: { readonly retry: false } }
  readonly bridge: (manager: OnlineManager) => void
} {
  return {
    defaultOptions: { queries: { retry, retryDelay }, mutations: { retry: false } },
    bridge: (manager) =>
      manager.setEventListener((setOnline) => {
        const tell = (): void => setOnline(!/degraded|offline/.test(client.getState().status))
        tell()
        return client.subscribe(tell)
      }),
  }
}

function retry(failures: number, error: unknown): boolean {
  const hopeless = isEvergrantError(error) && error.action !== 'retry' && error.action !== 'wait'
  return !hopeless && failures < RETRIES
}

function retryDelay(failures: number, error: unknown): number {
  const at = isEvergrantError(error) ? error.retryAt?.getTime() : undefined
  const wait = at === undefined ? DELAY_MIN_MS * 2 ** failures : at - Date.now()
  return Math.min(DELAY_MAX_MS, Math.max(DELAY_MIN_MS, wait))
}
