import { EvergrantError, type ProblemDocument } from '../evergrant-error.ts'

/** Nobody is signed in, or the server ended the session. `code` is one of the five that end one. */
export class SignedOutError extends EvergrantError {
  override readonly name: string = 'SignedOutError'
}

/** The session stands, but a fresh access token cannot be had now. Try again at `retryAt`. */
export class RefreshUnavailableError extends EvergrantError {
  override readonly name: string = 'RefreshUnavailableError'
}

/** A connection works again only after its owner granted again: `reconnectUrl`. */
export class ReconnectRequiredError extends EvergrantError {
  override readonly name: string = 'ReconnectRequiredError'
}

/** A streamed body was refused with 401 and is gone. The session is fresh now: make the request again, with a new body. */
export class NotReplayableError extends EvergrantError {
  override readonly name: string = 'NotReplayableError'
}

/** Something between this page and the server is set up wrongly; no retry mends it. */
export class ConfigurationError extends EvergrantError {
  override readonly name: string = 'ConfigurationError'
}

export const signedOut = (code: string): SignedOutError => new SignedOutError({ code, status: 401, action: 'sign_in', detail: `Signed out: ${code}.` })

export const unavailable = (retryAt: Date, cause?: unknown, code = 'refresh_unavailable'): RefreshUnavailableError =>
  new RefreshUnavailableError(
    { code, status: 0, action: 'wait', retry_at: retryAt.toISOString(), detail: 'No fresh access token now. Still signed in.' },
    cause,
  )

/** What the server answered, as an error. */
export function problemError(problem: Partial<ProblemDocument> | null, status: number, Kind = EvergrantError): EvergrantError {
  return new Kind({ code: 'invalid_answer', detail: `Status ${status}, not from Evergrant: a proxy?`, ...problem, status })
}
