import { EvergrantError } from '../evergrant-error.ts'
import type { AuthAnswer } from './answers.ts'
import { race } from './clock.ts'
import type { Core } from './core.ts'

export interface Reply {
  readonly status: number
  /** Null for what is not JSON: a proxy's page, or nothing. */
  readonly value: AuthAnswer | null
  /** `Retry-After`; not above 0 without one. */
  readonly retryMs?: number
}

/** One POST to `auth/*`. Rejects when no answer came in time. */
export function exchange(core: Core, path: string, body: object = {}): Promise<Reply> {
  const defaultMs = 10_000
  const limit = new AbortController()
  const cancel = core.after(core.refresh?.timeoutMs ?? defaultMs, () => limit.abort())
  const work = async (): Promise<Reply> => {
    const response = await core.send(core.api + path, {
      method: 'POST',
      headers: { 'evergrant-client': '1', 'content-type': 'application/json' },
      body: JSON.stringify(body),
      credentials: core.cookie ? 'include' : 'omit',
      cache: 'no-store',
      redirect: 'error',
      // The answer, and its cookie, arrive even when this tab is closed meanwhile.
      keepalive: true,
      signal: limit.signal,
    })
    const { status, headers } = response
    return { status, value: await jsonOf(response), retryMs: waitOf(headers.get('retry-after') ?? '', core.now()) }
  }
  return race(work(), limit.signal)
    .catch((cause: unknown) => {
      throw new EvergrantError({ status: 0, code: 'connection_failed', detail: `Evergrant at ${core.api.origin} did not answer.` }, cause)
    })
    .finally(cancel)
}

/** A body as JSON, posted. */
export const posted = (body: object) => ({ method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })

export const jsonOf = <Value>(response: Response): Promise<Value | null> => response.json().catch(() => null)

/** RFC 9110 section 10.2.3: seconds, or a date. */
function waitOf(header: string, now: number): number {
  // A mistaken proxy shall not end a working day.
  const maxMs = 3_600_000
  return Math.min(Number(header) * 1000 || Date.parse(header) - now || 0, maxMs)
}
