import { isRecord, type JsonRecord } from '../../proof/jws.ts'
import { AgentClientError, ConnectionError, TimeoutError } from './client-errors.ts'

/** One answer of Evergrant, or what stands for it. */
export interface Answer {
  readonly status: number
  readonly body: JsonRecord
  readonly headers: Headers
}

interface ExchangeOptions {
  readonly fetch: typeof globalThis.fetch
  readonly timeoutMs: number
  /** Hears every answer: nonces and the server's time. */
  readonly heard: (headers: Headers) => void
}

interface Exchange {
  readonly method: 'GET' | 'POST'
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: object
  readonly signal?: AbortSignal | undefined
}

const LENGTH_MAX = 4 * 1024 * 1024

/**
 * Sends once, follows no redirect, reads JSON.
 * @throws ConnectionError or TimeoutError when no answer arrived; EvergrantError `invalid_answer` for what no Evergrant says. The caller's abort is passed on.
 */
export async function exchange({ fetch, timeoutMs, heard }: ExchangeOptions, { method, url, headers, body, signal }: Exchange): Promise<Answer> {
  const deadline = AbortSignal.timeout(timeoutMs)
  let response: Response
  let text: string
  try {
    response = await fetch(url, {
      method,
      headers: { accept: 'application/json', ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
      redirect: 'manual',
    })
    text = await response.text()
  } catch (cause) {
    signal?.throwIfAborted()
    throw unanswered(new URL(url).origin, deadline.aborted ? timeoutMs : null, cause)
  }
  if (response.status >= 300 && response.status < 400) throw redirected(url, response)
  heard(response.headers)
  const parsed = text.length > LENGTH_MAX ? null : parse(text)
  if (!isRecord(parsed) || (response.status >= 400 && typeof parsed['code'] !== 'string')) {
    // A gateway in between is down or busy: that says nothing about the credential.
    if (response.status === 429 || response.status >= 500)
      return { status: response.status, body: { code: 'connection_failed', action: 'retry' }, headers: response.headers }
    const detail = `The answer of ${new URL(url).origin} (status ${response.status}) is not from Evergrant: is there a proxy in between, or is the address wrong?`
    throw new AgentClientError({ status: response.status, code: 'invalid_answer', detail })
  }
  return { status: response.status, body: parsed, headers: response.headers }
}

/** Somebody in between answered, and a credential is sent to nobody whom a person did not name. */
function redirected(url: string, { status, headers }: Response): AgentClientError {
  const { origin } = new URL(url)
  const location = headers.get('location') ?? ''
  const there = URL.canParse(location, url) ? new URL(location, url).origin : 'another address'
  const remedy = there === origin ? 'Is the address of the server right?' : 'If that is your Evergrant, name it as the server.'
  const detail = `${origin} redirects to ${there} (status ${status}), and credentials do not follow. ${remedy}`
  return new AgentClientError({ status, code: 'invalid_answer', detail })
}

/** `deadlineMs`: after so long it was given up here; null: it failed by itself, perhaps at a time limit of the runtime. */
export function unanswered(origin: string, deadlineMs: number | null, cause: unknown): ConnectionError | TimeoutError {
  if (deadlineMs !== null || isLate(cause)) {
    const within = deadlineMs === null ? 'in time' : `within ${deadlineMs / 1_000} s`
    return new TimeoutError({ status: 0, code: 'connection_timed_out', detail: `Evergrant at ${origin} did not answer ${within}.` }, cause)
  }
  return new ConnectionError({ status: 0, code: 'connection_failed', detail: `Evergrant at ${origin} cannot be reached.` }, cause)
}

/** `fetch` says everything with a TypeError; what it was stands in the cause, under a code of the runtime (`ETIMEDOUT`, `UND_ERR_HEADERS_TIMEOUT`). */
function isLate(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false
  const { code, name, cause } = error as { readonly code?: unknown; readonly name?: unknown; readonly cause?: unknown }
  return name === 'TimeoutError' || (typeof code === 'string' && /TIMEDOUT|TIMEOUT/.test(code)) || (cause !== error && isLate(cause))
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** Milliseconds from `Retry-After` (seconds or a date) or `retry_at`; null where neither says. */
export function retryAfterOf(headers: Headers, now: number, retryAt?: unknown): number | null {
  const value = headers.get('retry-after')
  const seconds = value === null || value.trim() === '' ? Number.NaN : Number(value)
  if (Number.isFinite(seconds) && seconds >= 0) return seconds * 1_000
  const date = Date.parse(value ?? (typeof retryAt === 'string' ? retryAt : ''))
  return Number.isNaN(date) ? null : Math.max(0, date - now)
}
