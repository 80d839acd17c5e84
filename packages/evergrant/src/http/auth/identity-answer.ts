import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { SignedInHere } from '../../core/identity/sign-in.ts'
import type { SessionMode } from '../../core/session/session.ts'
import type { SessionService } from '../../core/session/session-service.ts'
import type { Clock } from '../../core/time.ts'
import { EMAIL, KEEPABLE } from '../schema.ts'
import { giveDevice } from './device-cookie.ts'
import { type AllowedOrigins, requireSameSite } from './same-site.ts'
import { sessionAnswer } from './session-answer.ts'
import { sessionCookiesOf } from './session-cookie.ts'
import { callerFacts } from './session-routes.ts'

export interface IdentityRouteOptions {
  readonly publicUrl: string
  readonly origins: AllowedOrigins
}

/** A body of these routes is a form of a person; a passkey's answer is the longest. */
export const FORM_LIMIT = 32 * 1_024

export const ModeSchema = Type.Unsafe<SessionMode>({
  type: 'string',
  enum: ['cookie', 'bearer'],
  description: '`cookie` (default): the refresh credential goes into an HttpOnly cookie. `bearer`: into the body, for clients without one.',
})

/** Looked up, not stored: any text that a database can be asked for, so that a mistyped address is answered like an unknown one. */
export const AddressSchema = Type.String({ minLength: 1, maxLength: 254, pattern: KEEPABLE, description: 'E-mail address.' })

export const NewAddressSchema = Type.String({
  minLength: 3,
  maxLength: 254,
  pattern: EMAIL,
  description: 'E-mail address.',
})

/** Longer than any that is taken, so that the refusal can say why. */
export const PasswordSchema = Type.String({ minLength: 1, maxLength: 1_024, description: '8 to 128 characters, none of the common ones.' })

export const TokenSchema = Type.String({ minLength: 1, maxLength: 200, description: 'What stands behind the `#` of the link.' })

/** A session that lives in a cookie begins only at a page that may use it, so that nobody is signed in to a stranger's account unawares (S53). */
export function checkSite(request: FastifyRequest, mode: SessionMode, { origins }: IdentityRouteOptions): void {
  if (mode === 'cookie') requireSameSite(request, origins)
}

interface SignedInOptions extends IdentityRouteOptions {
  readonly clock: Pick<Clock, 'wall'>
  readonly sessions: Pick<SessionService, 'replace'>
}

/** The session answer, the text by which this browser is known again, and the end of the session that the browser had before. */
export async function signedInAnswer(reply: FastifyReply, { opened, device }: SignedInHere, options: SignedInOptions) {
  const { request } = reply
  const { session } = opened.signedIn
  giveDevice(reply, device, session.mode, options.publicUrl)
  if (session.mode === 'cookie') await options.sessions.replace(sessionCookiesOf(request, options.publicUrl), session.id, callerFacts(request))
  return sessionAnswer(reply, opened, options)
}
