import { Type } from 'typebox'
import { Fault } from '../../core/fault/fault.ts'
import { requireGovern } from '../../core/user/governor.ts'
import { mayAssign } from '../../core/user/roles.ts'
import { actorOf, callerOf } from '../authentication.ts'
import { iso } from '../connection-view.ts'
import { governorOf, requireRecent } from '../governing.ts'
import { PersonName } from '../routes/users.ts'
import { type App, closed, nullable, PROBLEMS, Time, UserIdSchema } from '../schema.ts'
import type { Services } from '../services.ts'
import { MemberView, memberView, RoleSchema } from '../user-view.ts'
import { FORM_LIMIT, NewAddressSchema, PasswordSchema } from './identity-answer.ts'

const Link = nullable(Type.String({ description: 'Only for the command line of this machine, which hands it over; others never see the link of a letter.' }))

const PendingView = Type.Object({
  id: Type.String(),
  email: Type.String(),
  role: RoleSchema,
  name: nullable(Type.String()),
  created_at: Time,
  expires_at: Time,
})

/** Users that administrators make with a password that they hand over, and people who lost theirs. */
export function newUserRoutes(app: App, services: Services): void {
  createRoute(app, services)
  invitationRoutes(app, services)
  linkRoute(app, services)
  resetRoute(app, services)
}

function createRoute(app: App, { identity, users, clock }: Services): void {
  app.post(
    '/api/v1/users',
    {
      config: { access: 'admin', ownIdempotency: true },
      bodyLimit: FORM_LIMIT,
      schema: {
        summary: 'Make a user',
        description: 'With a password that you hand over. Better invite them: then nobody else ever knows it.',
        tags: ['users'],
        body: closed({ email: NewAddressSchema, password: PasswordSchema, role: RoleSchema, name: Type.Optional(PersonName) }),
        response: { 201: MemberView, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request)
      requireRecent(caller, clock)
      const { email, password, role, name = null } = request.body
      const { role: own } = governorOf(caller)
      if (!mayAssign(own, role))
        throw new Fault('role_missing', { field: '/role', detail: `As ${own} you cannot make somebody ${role}. Choose a role that is not above your own.` })
      const { organization } = caller
      const user = await identity.joining.create({ email, password, name }, { organization, role }, actorOf(caller))
      return reply.code(201).send(memberView(await users.get(organization, user.id)))
    },
  )
}

/** Invitations that wait for their person. */
function invitationRoutes(app: App, { identity }: Services): void {
  app.get(
    '/api/v1/users/invitations',
    {
      config: { access: 'admin' },
      schema: {
        summary: 'List invitations',
        description: 'Those that can still be accepted: 200 at most, newest first.',
        tags: ['users'],
        response: { 200: Type.Object({ items: Type.Array(PendingView), cursor: Type.Null() }), ...PROBLEMS },
      },
    },
    async (request) => {
      const pending = await identity.joining.pending(callerOf(request).organization)
      const items = pending.map(({ createdAt, expiresAt, ...invitation }) => ({ ...invitation, created_at: iso(createdAt), expires_at: iso(expiresAt) }))
      return { items, cursor: null }
    },
  )
  app.delete(
    '/api/v1/users/invitations/:id',
    {
      config: { access: 'admin' },
      schema: {
        summary: 'Withdraw an invitation',
        description: 'Its link does nothing any more.',
        tags: ['users'],
        params: closed({ id: Type.String({ minLength: 1, maxLength: 100 }) }),
        response: { 204: Type.Null(), ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { organization, actor } = callerOf(request)
      await identity.joining.withdraw(organization, request.params.id, actor)
      return reply.code(204).send()
    },
  )
}

/** For the machine itself: the first owner, and whoever has no mailbox that letters reach. */
function linkRoute(app: App, { identity }: Services): void {
  app.post(
    '/api/v1/users/invitation-links',
    {
      config: { access: 'admin', ownIdempotency: true },
      bodyLimit: FORM_LIMIT,
      schema: {
        summary: 'Make an invitation without a letter',
        description: 'Only for the command line on the machine of the server, which hands the link over. It works once, for 7 days.',
        tags: ['users'],
        body: closed({ email: NewAddressSchema, role: RoleSchema, name: Type.Optional(PersonName) }),
        response: { 201: Type.Object({ email: Type.String(), role: RoleSchema, expires_at: Time, link: Type.String() }), ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { organization, actor } = callerOf(request)
      if (actor.kind !== 'cli')
        throw new Fault('forbidden', {
          detail: 'Links are given to the command line on the machine of the server alone. Use POST users/invitations, which sends a letter.',
        })
      const { email, role, name = null } = request.body
      const made = await identity.joining.invite({ organization, email, role, name, actor, inviter: null }, false)
      return reply.code(201).send({ email: made.email, role: made.role, expires_at: iso(made.expiresAt), link: made.link })
    },
  )
}

function resetRoute(app: App, { identity, users, clock }: Services): void {
  app.post(
    '/api/v1/users/:id/password-reset',
    {
      config: { access: 'admin', ownIdempotency: true },
      schema: {
        summary: 'Let a user choose a new password',
        description: 'Sends a link to their address. It works once, for an hour, and does not pass by their second factor.',
        tags: ['users'],
        params: closed({ id: UserIdSchema }),
        response: { 202: Type.Object({ link: Link }), ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request)
      const { id } = request.params
      // Whoever runs the server helps everybody on it: else a person of another organization, who lost their only passkey, had no way back.
      if (caller.actor.kind === 'cli') return reply.code(202).send({ link: await identity.accounts.resetFor(id, 'link') })
      requireRecent(caller, clock)
      const { user, membership } = await users.get(caller.organization, id)
      requireGovern(governorOf(caller), membership)
      return reply.code(202).send({ link: await identity.accounts.resetFor(user.id, 'mail') })
    },
  )
}
