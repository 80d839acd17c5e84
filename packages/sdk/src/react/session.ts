import { useEffect, useMemo, useSyncExternalStore } from 'react'
import type { Evergrant, EvergrantState } from '../browser/index.ts'
import { useSetting } from './setting.ts'

export interface SessionView extends EvergrantState {
  /** Still signed in, but the server cannot be asked now. Never a reason to hide the application. */
  readonly degraded: boolean
  readonly signOut: Evergrant['signOut']
  readonly refresh: Evergrant['refresh']
}

/** On a server nobody knows yet; the first render in the browser says the same, and then what is. */
const UNKNOWN: EvergrantState = { status: 'unknown', user: null, session: null, code: null, retryAt: null, clockSkewMs: 0 }

export function useEvergrantState(): EvergrantState {
  const { client } = useSetting()
  return useSyncExternalStore(client.subscribe, client.getState, () => UNKNOWN)
}

/** Clients whose person signed out with this page's own button: nobody needs to be told that it happened "in another tab". */
const leftHere = new WeakSet<object>()
export const hasLeftHere = (client: object): boolean => leftHere.has(client)

/** Who is signed in. The first component that asks finds it out. */
export function useSession(): SessionView {
  const { client } = useSetting()
  const state = useEvergrantState()
  useEffect(() => {
    if (state.status === 'unknown') void client.refresh()
    if (state.user !== null) leftHere.delete(client)
  }, [client, state])
  return useMemo(
    () => ({
      ...state,
      degraded: /degraded|offline/.test(state.status),
      signOut: (options) => {
        leftHere.add(client)
        return client.signOut(options)
      },
      refresh: client.refresh,
    }),
    [client, state],
  )
}
