import { nothing, race } from './clock.ts'
import type { Core, RefreshResult } from './core.ts'
import { refresh } from './flight.ts'
import { NotReplayableError, signedOut, unavailable } from './problems.ts'
import { left, miss, spare } from './session.ts'
import { emit } from './state.ts'

export interface RequestOptions {
  /** Sends it as plain `fetch` would. */
  readonly skip?: boolean
  /** `never`: an answer 401 comes back as it is, and the session is renewed for the next request. */
  readonly replay?: 'never'
  /** The request waits for a refresh. */
  readonly onQueued?: () => void
  /** Sends in the place of `fetch`: how `@evergrant/sdk/axios` keeps its own transport. Gets the request with its token, gives status and headers. */
  readonly send?: (input: RequestInfo | URL, init?: RequestInit) => Promise<Response>
}

/** The signature of `fetch`, and one more member of its options. */
export type EvergrantFetch = (input: RequestInfo | URL, init?: RequestInit & { readonly evergrant?: RequestOptions }) => Promise<Response>

/** Evergrant's own mark on a 401: the handler did not run. */
const MARK = 'evergrant-auth'
const SAFE = /^(GET|HEAD|OPTIONS)$/

/** Resolves for every HTTP status; rejects for the network, an abort, and the typed errors of `problems.ts`. */
export async function authorizedFetch(core: Core, input: RequestInfo | URL, init?: Parameters<EvergrantFetch>[1]): Promise<Response> {
  const { skip, replay, onQueued, send = core.send } = init?.evergrant ?? {}
  const { origin } = new URL((input as Request).url ?? input, core.base)
  if (skip || !core.origins.has(origin)) return send(input, init)
  const request = new Request(input, init)
  const given = request.headers.get('authorization')
  // Whoever brings a credential of another kind knows why.
  if (given && !core.tokens.includes(given.slice(7))) return send(request)

  const streamed = isStream(init?.body)
  await queue(core, request, streamed, onQueued)
  const { version, answer } = core
  const copy = streamed || replay ? undefined : request.clone()
  const response = await sign(core, request, send)
  if (!refused(core, response) || core.futile[origin] === version) return drop(copy, response)
  if (!answer && version === core.version) {
    const code = core.state.code ?? 'session_missing'
    miss(core, code)
    throw signedOut(code)
  }
  const renewal = refresh(core, version)
  const allowed = SAFE.test(request.method) || (core.replay !== 'safe-methods' && response.headers.has(MARK))
  if (!streamed && (!copy || !allowed || core.replay === 'never')) return drop(copy, response)
  const failure = failureOf(await race(renewal, request.signal))
  if (failure) throw failure
  drop(response)
  if (!copy) throw new NotReplayableError({ code: 'not_replayable', status: 401, action: 'retry', detail: 'A streamed body is sent once.' })
  const { url } = request
  emit(core, 'replayed', { url })
  const again = await sign(core, copy, send)
  if (refused(core, again)) {
    core.futile[origin] = core.version
    emit(core, 'refresh_ineffective', { url })
  }
  return again
}

function refused({ isAuthFailure }: Core, response: Response): boolean {
  return isAuthFailure?.(response) ?? (response.status === 401 && response.headers.has(MARK))
}

/** Waits until there is a token to send, if there will be one. Requests leave in the order in which they came. */
async function queue(core: Core, { url, signal }: Request, eager: boolean, onQueued?: () => void): Promise<void> {
  const maxLength = 1_000
  const { status, user } = core.state
  if (status === 'signed_out') return
  if (left(core) > 0 && !core.blocking) {
    if (spare(core) > 0) return
    void refresh(core)
    // Nobody waits for a renewal ahead of time, but a body that can be sent only once.
    if (!eager) return
  }
  if (core.queued >= maxLength) throw unavailable(new Date(core.now()), undefined, 'queue_full')
  core.queued += 1
  emit(core, 'queued', { url })
  try {
    onQueued?.()
    const result = await race(refresh(core), signal)
    // Where nobody was signed in before, the address may be a public one.
    const failure = result.kind === 'rejected' && !user ? undefined : failureOf(result)
    if (failure && left(core) <= 0) throw failure
  } finally {
    core.queued -= 1
  }
}

export function failureOf(result: RefreshResult): Error | undefined {
  if (result.kind === 'ok') return undefined
  return result.kind === 'rejected' ? signedOut(result.code) : result.error
}

function sign({ answer }: Core, request: Request, send: Core['send']): Promise<Response> {
  if (answer) request.headers.set('authorization', `Bearer ${answer.access_token}`)
  return send(request)
}

/** A body that nobody will read any more gives its memory back. */
function drop<Kept>(unread: Request | Response | undefined, kept?: Kept): Kept {
  unread?.body?.cancel().catch(nothing)
  return kept as Kept
}

/** Streams of the web and of Node can be read once. */
function isStream(body: unknown): boolean {
  const { getReader, [Symbol.asyncIterator]: iterator } = Object(body)
  return !!(getReader || iterator)
}
