// A consumer of a queue: each job works with what one person connected. It holds no token; it asks for one when it needs it.
import { type EvergrantClient, EvergrantError, type Token } from '@evergrant/sdk'

export interface Job {
  readonly id: string
  /** `con_...` */
  readonly connection: string
  /** Below the provider's API. */
  readonly path: string
}

/** What became of a job, for whoever owns the queue: acknowledge, put back until later, or set aside until somebody acted. */
export type Outcome =
  | { readonly kind: 'done'; readonly answer: unknown }
  | { readonly kind: 'later'; readonly at: Date; readonly why: string }
  | { readonly kind: 'parked'; readonly why: string; readonly reconnectUrl: string | null }

interface WorkerParts {
  readonly evergrant: EvergrantClient
  readonly apiBase: string
  readonly fetch?: typeof fetch
  readonly now?: () => number
}

const SOON_MS = 30_000
const UNAUTHORIZED = 401

export function createWorker({ evergrant, apiBase, fetch: send = fetch, now = Date.now }: WorkerParts): (job: Job) => Promise<Outcome> {
  const call = (job: Job, { access_token: token }: Token) => send(`${apiBase}${job.path}`, { headers: { authorization: `Bearer ${token}` } })

  /** One 401 is answered with one new token, and only if nobody fetched it meanwhile: the generation says so. */
  async function withToken(job: Job): Promise<Response> {
    const token = await evergrant.connections.token(job.connection, { minTtl: 60 })
    const answer = await call(job, token)
    if (answer.status !== UNAUTHORIZED) return answer
    await answer.body?.cancel()
    return call(job, await evergrant.connections.token(job.connection, { rejectedGeneration: token.generation }))
  }

  return async (job) => {
    try {
      const answer = await withToken(job)
      if (answer.ok) return { kind: 'done', answer: readBody(await answer.text()) }
      return { kind: 'later', at: new Date(now() + waitOf(answer)), why: `the provider answered ${answer.status}` }
    } catch (error) {
      if (error instanceof EvergrantError) return outcomeOf(error, now())
      // What `fetch` says when the provider does not answer. A job that reads may be done again.
      if (error instanceof TypeError) return { kind: 'later', at: new Date(now() + SOON_MS), why: 'the provider did not answer' }
      throw error
    }
  }
}

/** Refusals of the worker's own key: no job can help it. */
const OWN_KEY = new Set(['unauthenticated', 'forbidden'])

/** Every refusal of Evergrant names its next step; a queue needs nothing more. A key that was refused parks no job: it ends the worker, and the queue keeps them all. */
function outcomeOf(error: EvergrantError, now: number): Outcome {
  if (OWN_KEY.has(error.code)) throw error
  if (error.action === 'retry' || error.action === 'wait') return { kind: 'later', at: error.retryAt ?? new Date(now + SOON_MS), why: error.code }
  return { kind: 'parked', why: error.code, reconnectUrl: error.reconnectUrl }
}

/** Not every answer has a body, and not every body is JSON. */
function readBody(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function waitOf(answer: Response): number {
  const seconds = Number(answer.headers.get('retry-after'))
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1_000 : SOON_MS
}
