import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { readAgain } from '../../api/queries.ts'
import { readStream } from '../../live/stream-reader.ts'
import { serverUrl, session } from '../../session/client.ts'
import type { ResealRecord } from '../operate-operations.ts'

/** How far sealing anew is, as the server tells it; `known` until it says more. Ends with the work, and then the keys are read again. */
export function useResealProgress(known: ResealRecord | null): ResealRecord | null {
  const client = useQueryClient()
  const [told, setTold] = useState<ResealRecord | null>(null)
  const going = known !== null && known.finished_at === null
  useEffect(() => {
    if (!going) return
    const abort = new AbortController()
    const listen = async (): Promise<void> => {
      const headers = { accept: 'text/event-stream' }
      const response = await session().fetch(`${serverUrl()}/api/v1/admin/keys/reseal/stream`, { headers, signal: abort.signal })
      if (!response.ok || response.body === null) return
      await readStream(response.body, ({ event, data }) => {
        if (event === 'progress' || event === 'done') setTold(JSON.parse(data) as ResealRecord)
        if (event === 'done') readAgain(client, ['GET /api/v1/admin/keys'])
      })
    }
    // Where the stream breaks, the answer that is read every few seconds goes on.
    void listen().catch(() => {})
    return () => abort.abort()
  }, [going, client])
  return going ? furtherOf(known, told) : known
}

/** What was read and what the stream told, of the same work: the one that is further. A stream that broke has the last word on nothing. */
export function furtherOf(known: ResealRecord, told: ResealRecord | null): ResealRecord {
  const isSame = told !== null && told.key === known.key && told.started_at === known.started_at
  return isSame && (told.finished_at !== null || told.done >= known.done) ? told : known
}

/** `120 of 4,000 values, 900 a second, about 5 s left`. */
export function resealWords({ total, done, unopened, per_second: rate, seconds_left: left }: ResealRecord, words: (count: number) => string): string {
  const parts = [total === null ? `${words(done)} values` : `${words(done)} of ${words(total)} values`]
  if (rate !== null) parts.push(`${words(Math.round(rate))} a second`)
  if (left !== null) parts.push(left < 90 ? `about ${words(left)} s left` : `about ${words(Math.round(left / 60))} min left`)
  if (unopened > 0) parts.push(`${words(unopened)} did not open`)
  return parts.join(', ')
}
