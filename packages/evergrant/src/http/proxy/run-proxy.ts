import { Readable } from 'node:stream'
import { Fault } from '../../core/fault/fault.ts'
import type { JsonValue } from '../../core/json.ts'
import { type ApiVerdict, judgeApiAnswer } from '../../core/provider/api.ts'
import { certificateOf } from '../../core/provider/client-auth.ts'
import { echoedSecrets } from '../../core/provider/own-credentials.ts'
import { retryAfterMs } from '../../core/provider/retry-after.ts'
import type { RefreshEngine, TokenAnswer } from '../../core/refresh/refresh-engine.ts'
import { SEEN_BY_PROXY } from '../../core/refresh/secret-reports.ts'
import type { Clock, Entropy, Timers } from '../../core/time.ts'
import { wholeUpTo } from './body-prefix.ts'
import { isIdempotent } from './methods.ts'
import { headersToSend } from './proxy-headers.ts'
import type { ProxyJob } from './proxy-job.ts'
import { enterQuota, untilOpen } from './quota-gate.ts'
import { authorizedUrl } from './target.ts'
import { failureOf, type Upstream, type UpstreamAnswer } from './upstream.ts'

interface ProxyPorts {
  readonly engine: Pick<RefreshEngine, 'peek' | 'token' | 'worked'>
  readonly upstream: Upstream
  readonly clock: Clock
  readonly timers: Timers
  readonly entropy: Pick<Entropy, 'uniform'>
}

interface ProxyResult {
  readonly status: number
  readonly headers: UpstreamAnswer['headers']
  readonly body: Buffer | Readable
  readonly verdict: ApiVerdict
  /** What its caller must not see. */
  readonly secrets: readonly string[]
  /** When it is worth asking again: as the provider said, or as its quota tells. */
  readonly retryAfterMs: number | null
}

const MAX_RETRIES = 3
const FIRST_BACKOFF_MS = 250
const JUDGED_BYTES = 64 * 1_024

interface Judged {
  readonly answer: UpstreamAnswer
  /** Its headers, each as one text. */
  readonly fields: Readonly<Record<string, string>>
  readonly body: Buffer | Readable
  readonly verdict: ApiVerdict
  readonly retryAfterMs: number | null
}

/**
 * One call through the proxy. A 401 about the token renews it once per generation and replays the request; 429 and 5xx
 * are retried with back-off only where repeating is harmless, and never past the caller's deadline. What the provider's
 * quota does not allow is not sent. @throws Fault
 */
export async function runProxy(job: ProxyJob, ports: ProxyPorts): Promise<ProxyResult> {
  const deadline = ports.clock.mono() + job.deadlineMs
  let token = await currentToken(job, ports, null)
  let replays = 0
  for (let retries = 0; ; ) {
    const outcome = await attempt(job, ports, token, deadline)
    if (outcome instanceof Fault) {
      if (!(await mayRetry(job, ports, retries, deadline, null, mayRepeat(job) || outcome.details.cause === 'not_sent'))) throw outcome
      retries += 1
      continue
    }
    if (outcome.verdict === 'token_rejected' && replays < job.target.replays && !(job.body instanceof Readable)) {
      discard(outcome.body)
      token = await currentToken(job, ports, token.generation)
      replays += 1
      continue
    }
    if (outcome.verdict === 'token_rejected' && replays > 0) {
      discard(outcome.body)
      throw new Fault('upstream_token_refused', { detail: `The API answered ${outcome.answer.status} to a token that was renewed for this very request.` })
    }
    if (isTrouble(outcome) && (await mayRetry(job, ports, retries, deadline, outcome.retryAfterMs, mayRepeat(job)))) {
      discard(outcome.body)
      retries += 1
      continue
    }
    const { answer, body, verdict } = outcome
    if (verdict === 'token_rejected') renew(job, ports, token.generation)
    if (answer.status < 400 && verdict === 'ok') ports.engine.worked(token.connection)
    return {
      status: answer.status,
      headers: answer.headers,
      body,
      verdict,
      secrets: echoedSecrets(token.accessToken, token.tokenType),
      retryAfterMs: outcome.retryAfterMs,
    }
  }
}

async function currentToken({ token }: ProxyJob, { engine }: ProxyPorts, rejectedGeneration: number | null): Promise<TokenAnswer> {
  const request = { ...token, minTtlMs: 0, rejectedGeneration, reportedBy: SEEN_BY_PROXY }
  return engine.peek(request) ?? engine.token(request)
}

/** The request cannot be sent again; the next one shall not meet the same refusal. What becomes of it is told to whoever asks for the token then. */
function renew(job: ProxyJob, ports: ProxyPorts, rejectedGeneration: number): void {
  void currentToken(job, ports, rejectedGeneration).catch(() => {})
}

async function attempt(job: ProxyJob, ports: ProxyPorts, token: TokenAnswer, deadline: number): Promise<Judged | Fault> {
  const pass = await enterQuota(job, ports, deadline)
  const left = deadline - ports.clock.mono()
  if (left <= 0) {
    pass.failed(false)
    throw timedOut(job)
  }
  const { method, body, bodyLength, signal } = job
  const { context } = job.target
  const headers = headersToSend(job.headers, context, token)
  const url = authorizedUrl(context, job.url, token.accessToken)
  const certificate = certificateOf(context)
  try {
    const answer = await ports.upstream.send({ method, url, headers, body, bodyLength, deadlineMs: Math.max(1, Math.round(left)), signal, certificate })
    const judged = await judge(job, ports, answer)
    const throttled = answer.status === 429 || judged.verdict === 'throttled'
    pass.answered({ headers: judged.fields, throttled, retryAfterMs: judged.retryAfterMs })
    return throttled ? { ...judged, retryAfterMs: untilOpen(job, ports) ?? judged.retryAfterMs } : judged
  } catch (error) {
    const kind = failureOf(error)
    pass.failed(kind !== 'not_sent')
    if (kind === undefined) throw error
    if (kind === 'timeout') throw timedOut(job)
    return new Fault('upstream_unreachable', {
      cause: kind,
      detail: `The API at ${new URL(url).host} gave no answer${kind === 'not_sent' ? '; nothing was sent' : ', and may have acted'}.`,
    })
  }
}

async function judge(job: ProxyJob, { clock }: ProxyPorts, answer: UpstreamAnswer): Promise<Judged> {
  const headers = Object.fromEntries(Object.entries(answer.headers).map(([name, value]) => [name, typeof value === 'string' ? value : value.join(', ')]))
  const { record } = job.target.context
  const body = mayBeRefusal(job, answer.status, headers) ? await wholeUpTo(answer.body, JUDGED_BYTES).catch(brokenOff) : answer.body
  const verdict = judgeApiAnswer(record, { status: answer.status, headers, json: Buffer.isBuffer(body) ? parse(body) : null })
  return { answer, fields: headers, body, verdict, retryAfterMs: retryAfterMs(headers, clock.wall()) }
}

/** Some providers refuse with status 200 and say so in JSON; what their records know nothing of streams on unread. */
function mayBeRefusal({ target, method }: ProxyJob, status: number, headers: Readonly<Record<string, string>>): boolean {
  if (method === 'HEAD' || status >= 400) return method !== 'HEAD'
  const known = target.context.record.api?.answers.some((rule) => rule.status.includes(status)) ?? false
  return known && /\bjson\b/i.test(headers['content-type'] ?? '')
}

/** What breaks off before it can be judged is no answer. */
function brokenOff(error: unknown): never {
  throw failureOf(error) === undefined ? Object.assign(new Error('the answer broke off', { cause: error }), { kind: 'no_answer' }) : error
}

function parse(body: Buffer): JsonValue {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return null
  }
}

function isTrouble({ answer, verdict }: Judged): boolean {
  return verdict === 'throttled' || answer.status === 429 || (answer.status >= 500 && answer.status !== 501 && answer.status !== 505)
}

function mayRepeat({ method, headers }: ProxyJob): boolean {
  return isIdempotent(method, headers) || headers['idempotency-key'] !== undefined
}

/** Waits when there is time for another try; false when there is none or it would do harm. */
async function mayRetry(job: ProxyJob, ports: ProxyPorts, retries: number, deadline: number, askedMs: number | null, harmless: boolean): Promise<boolean> {
  if (!harmless || job.body instanceof Readable || retries >= MAX_RETRIES || job.signal.aborted) return false
  const backoff = FIRST_BACKOFF_MS * 2 ** retries * (0.5 + ports.entropy.uniform() / 2)
  const waitMs = Math.max(backoff, askedMs ?? 0)
  if (ports.clock.mono() + waitMs >= deadline) return false
  await ports.timers.sleep(waitMs, job.signal)
  return !job.signal.aborted
}

function timedOut(job: ProxyJob): Fault {
  return new Fault('upstream_timeout', {
    detail: `The API did not answer within ${Math.round(job.deadlineMs / 1_000)} s. \`Evergrant-Deadline\` (seconds, up to 300) sets another limit.`,
  })
}

function discard(body: Buffer | Readable): void {
  if (body instanceof Readable) body.destroy()
}
