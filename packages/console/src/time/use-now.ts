import { useSyncExternalStore } from 'react'
import { system } from '../system.ts'

const TICK_MS = 1_000
const listeners = new Set<() => void>()
let now = system.now()
let end: (() => void) | undefined

/** One timer for the whole page; it rests while the page is hidden. */
function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  end ??= system.every(TICK_MS, () => {
    if (document.hidden) return
    now = system.now()
    for (const each of listeners) each()
  })
  return () => {
    listeners.delete(listener)
    if (listeners.size > 0) return
    end?.()
    end = undefined
  }
}

/** The time now, in steps: `stepMs` says how exact it has to be, so that a page of hundreds of times is not drawn every second. */
export function useNow(stepMs = TICK_MS): number {
  return useSyncExternalStore(subscribe, () => Math.floor(now / stepMs) * stepMs)
}
