import { useCallback, useEffect, useRef, useState } from 'react'
import type { ReconnectStep } from '../browser/index.ts'
import { useConnection } from './connections.ts'
import type { ReconnectState, ReconnectView } from './incident.ts'
import { useSetting } from './setting.ts'

interface Progress {
  readonly state: 'idle' | ReconnectStep | 'failed'
  readonly url: string | null
  /** Why it could not begin. */
  readonly code: string | null
  /** What was wrong when it began. */
  readonly was: string | null
}

const IDLE: Progress = { state: 'idle', url: null, code: null, was: null }
/** One reconnect of one connection, from the click to the server's word that it is done. */
export function useReconnect(id: string): ReconnectView {
  const { client, heal, labels, places, messages } = useSetting()
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
  const incident = messages?.reconnectIncident(state, progress.code, report, { labels, now: Date.now(), places }) ?? null
  return { state, reconnect, cancel, url: progress.url, incident }
}

/** The server looked at the new grant and did not take it; the old one is untouched. */
function refused({ state, was }: Progress, code: string | null): ReconnectState {
  if (state !== 'waiting' || code === was) return state
  if (code === 'account_mismatch') return 'wrong_account'
  return code === 'scope_missing' ? 'scope_missing' : state
}
