import type { Readable } from 'node:stream'
import type { Timers } from '../../core/time.ts'
import type { PostOutcome } from '../../core/webhook/delivery-work.ts'
import { ProxyError, type ProxyTransport } from '../proxy-transport.ts'

export interface PostOptions {
  readonly transport: Pick<ProxyTransport, 'send'>
  readonly timers: Pick<Timers, 'after'>
}

interface PostRequest {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** For everything together: name, connection, request, and the answer's first bytes. */
const POST_MS = 15_000
/** Of the answer, for the log. */
const MAX_ANSWER = 8 * 1_024

/** One POST. Never rejects, never follows a redirect: 3xx is an answer like any other. */
export async function post(request: PostRequest, { transport, timers }: PostOptions): Promise<PostOutcome> {
  const controller = new AbortController()
  const cancel = timers.after(POST_MS, () => controller.abort())
  try {
    const { status, headers, body } = await transport.send({ method: 'POST', ...request, deadlineMs: POST_MS, signal: controller.signal })
    controller.signal.addEventListener('abort', () => body.destroy(), { once: true })
    const text = await beginningOf(body)
    return { kind: 'answered', status, headers: flat(headers), text }
  } catch (error) {
    if (controller.signal.aborted) return { kind: 'failed', cause: 'timeout' }
    if (error instanceof ProxyError) return { kind: 'failed', cause: error.kind === 'timeout' ? 'timeout' : error.reason }
    return { kind: 'failed', cause: 'unknown' }
  } finally {
    cancel()
  }
}

/** The status has come: what breaks after it changes nothing. */
async function beginningOf(body: Readable): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of body) {
      const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk))
      chunks.push(bytes)
      size += bytes.length
      if (size >= MAX_ANSWER) break
    }
  } catch {
    // Whatever came is shown.
  } finally {
    body.destroy()
  }
  return Buffer.concat(chunks).subarray(0, MAX_ANSWER).toString('utf8')
}

function flat(headers: Readonly<Record<string, string | readonly string[]>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, typeof value === 'string' ? value : value.join(', ')]))
}
