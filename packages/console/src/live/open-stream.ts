import { serverUrl, session } from '../session/client.ts'

const TOPICS = 'connections,events,alerts,deliveries,agents'

/** The body of the stream, from behind `lastId` on. Rejects when it cannot be had. */
export async function openStream(lastId: string | null, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
  const headers = { accept: 'text/event-stream', ...(lastId === null ? {} : { 'last-event-id': lastId }) }
  const response = await session().fetch(`${serverUrl()}/api/v1/console/stream?topics=${TOPICS}`, { headers, signal })
  if (!response.ok || response.body === null) throw new Error(`the stream was answered ${response.status}`)
  return response.body
}
