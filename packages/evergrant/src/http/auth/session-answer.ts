import type { FastifyReply } from 'fastify'
import { Type } from 'typebox'
import { lacksFactor } from '../../core/session/second-factor.ts'
import type { ProvenPerson } from '../../core/session/session-guard.ts'
import type { Opened, Present } from '../../core/session/session-service.ts'
import { type Clock, SECOND } from '../../core/time.ts'
import { ownerOf } from '../../core/user/user.ts'
import { iso } from '../connection-view.ts'
import { nullable, Time } from '../schema.ts'
import { giveSessionCookie } from './session-cookie.ts'

export const SessionView = Type.Object({
  id: Type.String(),
  mode: Type.String({ description: '`cookie` or `bearer`.' }),
  created_at: Time,
  idle_expires_at: Time,
  expires_at: Time,
  authenticated_at: Type.String({ description: 'When the person last proved who they are.' }),
})

export const UserView = Type.Object({
  id: Type.String(),
  email: nullable(Type.String()),
  email_verified: Type.Boolean(),
  name: nullable(Type.String()),
  owner: Type.String({ description: "The `owner` of this person's connections." }),
  role: Type.String(),
  organization: Type.Object({ id: Type.String(), name: Type.String() }),
})

/** What every route answers that opens, renews or changes a session. */
export const SessionAnswer = Type.Object({
  access_token: Type.String(),
  token_type: Type.String({ description: '`Bearer`; `DPoP` where the session is bound to a key (RFC 9449).' }),
  expires_in: Type.Integer({ description: 'Seconds.' }),
  generation: Type.Integer(),
  server_time: Time,
  replayed: Type.Boolean({ description: 'The same old credential was answered before; this is the same successor.' }),
  session: SessionView,
  user: UserView,
  second_factor_missing: Type.Boolean({
    description: 'The organization asks for a second factor, and this session was not proven with one: it may add or show one, and nothing else.',
  }),
  refresh_token: Type.Optional(Type.String({ description: 'In bearer mode only.' })),
})

interface SessionAnswerOptions {
  readonly publicUrl: string
  readonly clock: Pick<Clock, 'wall'>
}

/** The body of a session answer. In cookie mode the refresh credential goes into the cookie, and never into a body. */
export function sessionAnswer(reply: FastifyReply, opened: Opened, { publicUrl, clock }: SessionAnswerOptions) {
  const { session } = opened.signedIn
  const inCookie = session.mode === 'cookie'
  if (inCookie) giveSessionCookie(reply, opened.refreshCredential, Math.ceil((session.expiresAt - clock.wall()) / SECOND), publicUrl)
  return { ...accessAnswer(opened, clock), ...(inCookie ? {} : { refresh_token: opened.refreshCredential }) }
}

/** Without the refresh credential: for whoever showed an access token alone, which other servers see too, and must not turn into a longer life. */
export function accessAnswer(opened: Opened, clock: Pick<Clock, 'wall'>) {
  return {
    access_token: opened.accessToken,
    token_type: opened.signedIn.session.keyThumbprint === null ? ('Bearer' as const) : ('DPoP' as const),
    expires_in: opened.expiresIn,
    generation: opened.generation,
    server_time: iso(clock.wall()),
    replayed: opened.replayed,
    session: sessionView(opened.signedIn),
    user: userView(opened.signedIn, opened.organization),
    second_factor_missing: lacksFactor(opened.signedIn),
  }
}

export function sessionView({ session }: Pick<Present, 'session'>) {
  return {
    id: session.id,
    mode: session.mode,
    created_at: iso(session.createdAt),
    idle_expires_at: iso(session.idleExpiresAt),
    expires_at: iso(session.expiresAt),
    authenticated_at: iso(session.authenticatedAt),
  }
}

export function userView({ user, role }: Pick<Present, 'user' | 'role'>, organization: Opened['organization']) {
  return {
    id: user.id,
    email: user.email,
    email_verified: user.emailVerifiedAt !== null,
    name: user.name,
    owner: ownerOf(user),
    role,
    organization: { id: organization.id, name: organization.name },
  }
}

/** The answer of auth/validate. */
export function validView(person: ProvenPerson, organization: Opened['organization']) {
  return { active: true as const, user: userView(person, organization), session: sessionView(person), expires_at: iso(person.tokenExpiresAt) }
}
