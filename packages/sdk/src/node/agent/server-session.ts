import { isRecord, type JsonRecord } from '../../proof/jws.ts'
import { AgentClientError } from './client-errors.ts'
import { type Answer, retryAfterOf, unanswered } from './exchange.ts'
import type { Keeper } from './keeper.ts'
import { orAborted } from './or-aborted.ts'
import type { Platform } from './platform.ts'
import { problemOf, type ServerLink } from './server-link.ts'
import type { Snapshot } from './snapshot.ts'

const PAUSE_MS = 250
/** Longer than this nobody waits inside a call: the error says when. */
const PAUSE_MAX_MS = 20_000

/** On what the proxy passed on from a provider. */
const UPSTREAM = 'evergrant-upstream-status'

interface SessionParts {
  readonly keeper: Keeper
  readonly link: ServerLink
  readonly platform: Platform
  readonly maxRetries: number
}

/** Requests to Evergrant with the credential of this machine. */
export class ServerSession {
  readonly #parts: SessionParts

  constructor(parts: SessionParts) {
    this.#parts = parts
  }

  /** Reads; repeats what was not answered or is asked to come later. @throws EvergrantError */
  async get(path: string, query: Readonly<Record<string, string | number | undefined>>, signal?: AbortSignal): Promise<JsonRecord> {
    const { link, platform, maxRetries } = this.#parts
    const text = queryOf(query)
    const url = link.url(`${path}${text}`)
    for (let tries = 0; ; tries += 1) {
      let failure: AgentClientError
      let pause: number | null = null
      try {
        const answer = await this.#authorized({ method: 'GET', url, signal }, (headers) => link.get(`${path}${text}`, headers, signal), refusalOf)
        if (answer.status < 400) return answer.body
        failure = problemOf(answer) as AgentClientError
        pause = retryAfterOf(answer.headers, link.now(), answer.body['retry_at'])
      } catch (error) {
        if (!(error instanceof AgentClientError) || error.status !== 0 || !error.code.startsWith('connection_')) throw error
        failure = error
      }
      const wait = pause ?? PAUSE_MS * 2 ** tries * (0.5 + platform.random() / 2)
      if (tries >= maxRetries || !isRepeatable(failure) || wait > PAUSE_MAX_MS) throw failure
      await platform.wait(wait, signal)
    }
  }

  /**
   * A request whose answer belongs to the caller: sent once more after a refusal of the credential, where its body allows that.
   * @throws ConnectionError or TimeoutError when no answer arrived: whether it was executed is then not known. The caller's abort is passed on.
   */
  async send(method: string, path: string, init: RequestInit, repeatable: boolean): Promise<Response> {
    const { link, platform } = this.#parts
    const url = link.url(path)
    return this.#authorized(
      { method, url, signal: init.signal, repeatable },
      async (authorization) => {
        const headers = new Headers(init.headers)
        for (const [name, value] of Object.entries(authorization)) headers.set(name, value)
        const response = await platform.fetch(url, { ...init, method, headers, redirect: 'manual' }).catch((cause) => {
          init.signal?.throwIfAborted()
          throw unanswered(new URL(url).origin, null, cause)
        })
        // What a provider answered brings its own clock, and its own nonces.
        if (!response.headers.has(UPSTREAM)) link.heard(response.headers)
        return response
      },
      refusalOfResponse,
    )
  }

  async #authorized<Result>(
    { method, url, signal, repeatable = true }: Authorizing,
    send: (headers: Record<string, string>) => Promise<Result>,
    refusal: (result: Result) => Refusal | Promise<Refusal>,
  ): Promise<Result> {
    const { keeper, link } = this.#parts
    let snapshot = await orAborted(keeper.use(), signal)
    const attempt = async (with_: Snapshot): Promise<Result> => send(await link.authorize(method, url, with_.access, with_.key))
    let result = await attempt(snapshot)
    if (repeatable && (await refusal(result)) === 'nonce') result = await attempt(snapshot)
    if ((await refusal(result)) !== 'token') return result
    snapshot = await orAborted(keeper.refused(snapshot), signal)
    // What cannot be sent twice: the next request has the new credential.
    if (!repeatable) return result
    result = await attempt(snapshot)
    return (await refusal(result)) === 'nonce' ? attempt(snapshot) : result
  }
}

interface Authorizing {
  readonly method: string
  readonly url: string
  /** Of the caller, who does not wait for the credential, either, once it ends. */
  readonly signal: AbortSignal | null | undefined
  /** True by default. */
  readonly repeatable?: boolean
}

/** `nonce`: the same credential with a new proof. `token`: another credential. */
type Refusal = 'nonce' | 'token' | null

function refusalOf({ status, body }: Answer): Refusal {
  if (status !== 401) return null
  if (body['code'] === 'dpop_nonce_required') return 'nonce'
  // About this one proof: a newer token would be refused with it as well, and a renewal would be lost.
  return body['code'] === 'dpop_proof_invalid' ? null : 'token'
}

/** A provider's own 401, passed on by the proxy, says nothing about this credential. */
async function refusalOfResponse(response: Response): Promise<Refusal> {
  if (response.status !== 401 || response.headers.has(UPSTREAM)) return null
  const body: unknown = await response
    .clone()
    .json()
    .catch(() => null)
  return refusalOf({ status: 401, body: isRecord(body) ? body : {}, headers: response.headers })
}

function isRepeatable({ status, code }: AgentClientError): boolean {
  return status === 429 || status >= 500 || status === 408 || code.startsWith('connection_')
}

function queryOf(query: Readonly<Record<string, string | number | undefined>>): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, String(value))
  const text = search.toString()
  return text === '' ? '' : `?${text}`
}
