/** What a person is told of a failure. */
interface Problem {
  readonly title: string
  readonly detail: string
  readonly code: string
  readonly status: number
  /** Which line of the server's log it is. */
  readonly requestId: string | null
  /** The field of the request that is wrong. */
  readonly field: string | null
  readonly retryAt: string | null
}

/** An answer of the API that is not a success. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly problem: Problem

  constructor(problem: Problem) {
    super(problem.detail)
    this.problem = problem
  }
}

/** Reads an RFC 9457 document; anything else in its place was not written by Evergrant. */
export async function problemFrom(response: Response): Promise<Problem> {
  const { status } = response
  const requestId = response.headers.get('request-id')
  const body = (await response.json().catch(() => null)) as { readonly [key: string]: unknown } | null
  const text = (key: string): string | null => (typeof body?.[key] === 'string' ? body[key] : null)
  const code = text('code')
  if (code === null)
    return {
      title: 'The answer did not come from Evergrant',
      detail: `Something between this page and the server answered ${status}.`,
      code: 'foreign_answer',
      status,
      requestId,
      field: null,
      retryAt: null,
    }
  const title = text('title') ?? 'That did not work'
  return { title, detail: text('detail') ?? title, code, status, requestId: text('request_id') ?? requestId, field: text('field'), retryAt: text('retry_at') }
}

/** Whatever was thrown, in words. */
export function problemOf(error: unknown): Problem {
  if (error instanceof ApiError) return error.problem
  const known = error as { readonly code?: unknown; readonly status?: unknown; readonly requestId?: unknown } | null
  if (error instanceof Error && typeof known?.code === 'string') {
    const { code, status, requestId } = known
    const offline = code === 'connection_failed' || code === 'refresh_unavailable'
    return {
      title: offline ? 'Evergrant does not answer' : 'That did not work',
      detail: offline ? 'The server cannot be reached right now. Nothing was lost; it is tried again.' : error.message,
      code,
      status: typeof status === 'number' ? status : 0,
      requestId: typeof requestId === 'string' ? requestId : null,
      field: null,
      retryAt: null,
    }
  }
  if (error instanceof TypeError)
    return {
      title: 'Evergrant does not answer',
      detail: 'The server cannot be reached. Check the network; it is tried again by itself.',
      code: 'connection_failed',
      status: 0,
      requestId: null,
      field: null,
      retryAt: null,
    }
  const detail = error instanceof Error ? error.message : 'Something unexpected happened.'
  return { title: 'That did not work', detail, code: 'unexpected', status: 0, requestId: null, field: null, retryAt: null }
}
