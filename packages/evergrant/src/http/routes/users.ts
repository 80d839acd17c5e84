import { Type } from 'typebox'
import { NewAddressSchema } from '../auth/identity-answer.ts'
import { callerOf } from '../authentication.ts'
import { iso } from '../connection-view.ts'
import { governorOf, requireRecent } from '../governing.ts'
import { ErasedView, erasedView } from '../owner-view.ts'
import { type App, closed, nullable, PageQuery, PROBLEMS, pageOf, Time, UserIdSchema } from '../schema.ts'
import type { Services } from '../services.ts'
import { MemberView, memberView, RoleSchema } from '../user-view.ts'
import { pageRequest } from './connections.ts'

export const PersonName = nullable(Type.String({ minLength: 1, maxLength: 100, pattern: '^[^\\u0000-\\u001f\\u007f\\ud800-\\udfff]+$' }))
const ExternalId = nullable(
  Type.String({
    minLength: 1,
    maxLength: 255,
    pattern: '^[^\\u0000-\\u001f\\u007f\\ud800-\\udfff]+$',
    description: "The application's own name for this person: then also the owner of their connections. Unique on this server.",
  }),
)
const Params = closed({ id: UserIdSchema })

const ChangeBody = Type.Object(
  {
    name: Type.Optional(PersonName),
    disabled: Type.Optional(Type.Boolean({ description: 'A disabled person may not sign in, and their sessions end at once. Nothing of theirs is deleted.' })),
    external_id: Type.Optional(ExternalId),
  },
  { additionalProperties: false, minProperties: 1 },
)

const InvitationBody = closed({
  email: NewAddressSchema,
  role: RoleSchema,
  name: Type.Optional(PersonName),
})
const InvitationView = Type.Object({ email: Type.String(), role: Type.String(), expires_at: Time })

/** People, for those who administer them. */
export function userRoutes(app: App, services: Services): void {
  administer(app, services)
  invite(app, services)
}

function invite(app: App, { identity, clock }: Services): void {
  app.post(
    '/api/v1/users/invitations',
    {
      config: { access: 'admin' },
      schema: {
        summary: 'Invite a person',
        description:
          'They get a letter with a link that works once and lives seven days. Nobody invites somebody above their own role; an API key invites up to `admin`.',
        tags: ['users'],
        body: InvitationBody,
        response: { 201: InvitationView, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request)
      const { organization, actor, role: power } = governorOf(caller)
      const { email, role, name = null } = request.body
      requireRecent(caller, clock)
      const inviter = { role: power, name: caller.person?.user.name ?? null }
      const sent = await identity.joining.invite({ organization, actor, email, role, name, inviter })
      return reply.code(201).send({ email: sent.email, role: sent.role, expires_at: iso(sent.expiresAt) })
    },
  )
}

function administer(app: App, services: Services): void {
  const { users, ownerData, clock } = services
  app.get(
    '/api/v1/users',
    {
      config: { access: 'admin' },
      schema: { summary: 'List users', tags: ['users'], querystring: closed(PageQuery), response: { 200: pageOf(MemberView), ...PROBLEMS } },
    },
    async (request) => {
      const found = await users.list(callerOf(request).organization, pageRequest(request.query))
      return { items: found.items.map(memberView), cursor: found.cursor }
    },
  )
  app.get(
    '/api/v1/users/:id',
    { config: { access: 'admin' }, schema: { summary: 'Read a user', tags: ['users'], params: Params, response: { 200: MemberView, ...PROBLEMS } } },
    async (request) => memberView(await users.get(callerOf(request).organization, request.params.id)),
  )
  app.patch(
    '/api/v1/users/:id',
    {
      config: { access: 'admin' },
      schema: {
        summary: 'Change a user',
        description: 'Roles are changed at organizations/{id}/members/{user}. The external id can only change while the person has no connections.',
        tags: ['users'],
        params: Params,
        body: ChangeBody,
        response: { 200: MemberView, ...PROBLEMS },
      },
    },
    async (request) => {
      const caller = callerOf(request)
      const { name, disabled, external_id: externalId } = request.body
      if (disabled !== undefined || externalId !== undefined) requireRecent(caller, clock)
      const change = {
        ...(name === undefined ? {} : { name }),
        ...(disabled === undefined ? {} : { disabled }),
        ...(externalId === undefined ? {} : { externalId }),
      }
      return memberView(await users.change(governorOf(caller), request.params.id, change))
    },
  )
  app.delete(
    '/api/v1/users/:id/sessions',
    {
      config: { access: 'admin' },
      schema: {
        summary: "End a user's sessions",
        description: 'All that they have open in this organization, at once. They may sign in again: disable them to prevent it.',
        tags: ['users'],
        params: Params,
        response: { 200: Type.Object({ signed_out: Type.Integer({ description: 'How many sessions ended now.' }) }), ...PROBLEMS },
      },
    },
    async (request) => {
      const caller = callerOf(request)
      requireRecent(caller, clock)
      return { signed_out: await users.endSessions(governorOf(caller), request.params.id) }
    },
  )
  app.delete(
    '/api/v1/users/:id',
    {
      config: { access: 'admin' },
      schema: {
        summary: 'Erase a user',
        description:
          'The person and everything of theirs in this organization, now: connections are ended at their providers, secrets and names go, events keep their ids. A person who belongs to other organizations too is only taken out of this one.',
        tags: ['users'],
        params: Params,
        response: { 200: ErasedView, ...PROBLEMS },
      },
    },
    async (request) => {
      const caller = callerOf(request)
      requireRecent(caller, clock)
      return erasedView(await ownerData.erasePerson(governorOf(caller), request.params.id))
    },
  )
}
