import { createContext, useContext, useEffect } from 'react'
import { type Listener, type Live, type LiveState, useLiveState } from './live.ts'

export const LiveContext = createContext<Live | null>(null)

/** The page's stream: its state, and how many connections are newer than the list. */
export function useLive(): LiveState & { readonly live: Live } {
  const live = useContext(LiveContext)
  if (live === null) throw new Error('useLive() is for components below the frame')
  return { ...useLiveState(live), live }
}

/** Hears messages of the stream while this component is on the screen. Pass a function that stays the same (`useCallback`). */
export function useLiveMessages(listener: Listener): void {
  const live = useContext(LiveContext)
  useEffect(() => live?.listen(listener), [live, listener])
}
