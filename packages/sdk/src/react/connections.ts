import { useCallback, useMemo, useSyncExternalStore } from 'react'
import type { ConnectionReport } from '../browser/index.ts'
import type { Incident } from './incident.ts'
import type { BadgeStatus } from './labels.ts'
import { useEvergrantState, useSession } from './session.ts'
import { useSetting } from './setting.ts'
import { useNow } from './use-now.ts'

export interface ConnectionView {
  readonly id: string
  /** `unknown` until the server was heard, and for a connection that it does not have. */
  readonly status: BadgeStatus
  /** A code of the server, or null. */
  readonly reason: string | null
  readonly provider: string | null
  readonly account: string | null
  readonly expiresAt: Date | null
  readonly retryAt: Date | null
  /** What to tell the person, in the words of the labels; null when all is well. */
  readonly incident: Incident | null
  /** As the server reported it. */
  readonly report: ConnectionReport | null
}

/** All connections of the person; null until they are known. The same array until something changes. */
export function useConnections(): readonly ConnectionReport[] | null {
  const { client } = useSetting()
  // Another person has other connections, and nobody has none.
  const person = useSession().user?.id
  const subscribe = useCallback((changed: () => void) => (person === undefined ? nothing : client.connections.watchAll(changed)), [client, person])
  return useSyncExternalStore(
    subscribe,
    () => (person === undefined ? null : client.connections.known()),
    () => null,
  )
}

const nothing = (): void => undefined

export function useConnection(id: string): ConnectionView {
  const { labels, places, messages } = useSetting()
  const report = useConnections()?.find((connection) => connection.id === id) ?? null
  const { clockSkewMs } = useEvergrantState()
  const now = useNow(report?.retry_at ?? report?.expires_at) + clockSkewMs
  return useMemo(() => {
    const instant = (text: string | null | undefined): Date | null => (text == null ? null : new Date(text))
    return {
      id,
      status: report?.status ?? 'unknown',
      reason: report?.code ?? null,
      provider: report?.provider ?? null,
      account: report?.account ?? null,
      expiresAt: instant(report?.expires_at),
      retryAt: instant(report?.retry_at),
      incident: (report && messages?.connectionIncident(report, { labels, now, places })) ?? null,
      report,
    }
  }, [id, report, labels, now, places, messages])
}
