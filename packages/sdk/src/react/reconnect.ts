import { useCallback, useEffect, useRef, useState } from 'react'
import type { ReconnectOptions, ReconnectStep } from '../browser/index.ts'
import { useConnection } from './connections.ts'
import { type Incident, type Tone, tell } from './incidents.ts'
import { useSetting } from './provider.tsx'

export type ReconnectState = 'idle' | ReconnectStep | 'wrong_account' | 'scope_missing' | 'failed'

export interface ReconnectView {
  readonly state: ReconnectState
  /** Call it in the click: a window that is opened later is blocked. Calling it again opens the window again. */
  readonly reconnect: (options?: Pick<ReconnectOptions, 'target' | 'returnUrl'>) => void
  /** Ends the wait. The window stays, and a success in it still counts. */
  readonly cancel: () => void
  /** Where to go when the browser blocked the window. */
  readonly url: string | null
  /** What to tell the person meanwhile, or null. */
  readonly incident: Incident | null
}

interface Progress {
  readonly state: 'idle' | ReconnectStep | 'failed'
  readonly url: string | null
  /** Why it could not begin. */
  readonly code: string | null
  /** What was wrong when it began. */
  readonly was: string | null
}

const IDLE: Progress = { state: 'idle', url: null, code: null, was: null }
const CODES: Partial<Record<ReconnectState, string>> = {
  opening: 'reconnect_waiting',
  waiting: 'reconnect_waiting',
  blocked: 'popup_blocked',
  cancelled: 'reconnect_cancelled',
  expired: 'reconnect_cancelled',
  wrong_account: 'account_mismatch',
  scope_missing: 'scope_missing',
  failed: 'unknown',
}

/** One reconnect of one connection, from the click to the server's word that it is done. */
export function useReconnect(id: string): ReconnectView {
  const { client, heal, labels, places } = useSetting()
  const { report } = useConnection(id)
  const [progress, setProgress] = useState(IDLE)
  const running = useRef<AbortController>(undefined)
  const stop = useCallback(() => {
    const own = running.current
    running.current = undefined
    own?.abort()
  }, [])
  // A wait that nobody sees ends; the connection is watched elsewhere.
  useEffect(() => stop, [stop])

  const reconnect = useCallback<ReconnectView['reconnect']>(
    (options) => {
      stop()
      const own = new AbortController()
      running.current = own
      const was = client.connections.known()?.find((connection) => connection.id === id)?.code ?? null
      const go = (next: Partial<Progress>): void => {
        if (running.current === own) setProgress({ ...IDLE, was, ...next })
      }
      client.connections.reconnect(id, { ...options, signal: own.signal, onStep: (state) => go({ state }) }).then(
        (result) => {
          go({ state: result.kind, url: result.kind === 'blocked' ? result.url : null })
          if (result.kind === 'done') heal(result.connection)
        },
        (error) => go({ state: 'failed', code: error?.code ?? null }),
      )
    },
    [client, heal, id, stop],
  )
  const cancel = useCallback(() => {
    stop()
    setProgress(IDLE)
  }, [stop])

  const state = refused(progress, report?.code ?? null)
  const code = progress.code !== null && progress.code in labels.messages ? progress.code : CODES[state]
  const tone: Tone = state === 'waiting' || state === 'opening' ? 'info' : 'warning'
  const incident = code === undefined ? null : tell(code, { labels, now: Date.now(), places }, { tone, connection: report })
  return { state, reconnect, cancel, url: progress.url, incident: state === 'failed' ? again(incident) : incident }
}

/** The server looked at the new grant and did not take it; the old one is untouched. */
function refused({ state, was }: Progress, code: string | null): ReconnectState {
  if (state !== 'waiting' || code === was) return state
  if (code === 'account_mismatch') return 'wrong_account'
  return code === 'scope_missing' ? 'scope_missing' : state
}

function again(incident: Incident | null): Incident | null {
  return incident?.primary ? { ...incident, primary: { ...incident.primary, step: 'reconnect' } } : incident
}
