import { Type } from 'typebox'
import type { Organization } from '../../core/access/organization.ts'
import { Fault } from '../../core/fault/fault.ts'
import { idPattern, type OrganizationId } from '../../core/ids.ts'
import { ROLES } from '../../core/user/user.ts'
import { accessAnswer, SessionAnswer } from '../auth/session-answer.ts'
import { callerOf, personOf } from '../authentication.ts'
import { iso } from '../connection-view.ts'
import { governorOf, requireRecent } from '../governing.ts'
import { type App, closed, nullable, PageQuery, PROBLEMS, pageOf, Slug, Time, UserIdSchema } from '../schema.ts'
import type { Caller, Services } from '../services.ts'
import { MemberView, memberView, RoleSchema } from '../user-view.ts'
import { pageRequest } from './connections.ts'

const OrganizationIdSchema = Type.Unsafe<OrganizationId>({ type: 'string', pattern: idPattern('org'), description: 'Id of an organization.' })
const OrganizationView = Type.Object({
  id: Type.String(),
  slug: Type.String(),
  name: Type.String(),
  created_at: Time,
  role: nullable(Type.String({ description: 'What you are in it; null for an API key.' })),
  require_second_factor: Type.Array(Type.String(), { description: 'Roles that are asked for a second factor.' }),
})
const CurrentView = Type.Object({
  ...OrganizationView.properties,
  key: nullable(Type.Object({ id: Type.String(), name: Type.String(), scopes: Type.Array(Type.String()) })),
})
const Name = Type.String({
  minLength: 1,
  maxLength: 100,
  pattern: '^[^\\u0000-\\u001f\\u007f\\ud800-\\udfff]+$',
  description: 'What the connect pages call the application.',
})
const Params = closed({ id: OrganizationIdSchema })
const MemberParams = closed({ id: OrganizationIdSchema, user: UserIdSchema })

/** Organizations, who belongs to them, and which of them a session is in. */
export function organizationRoutes(app: App, services: Services): void {
  ownOrganizations(app, services)
  policyRoute(app, services)
  memberRoutes(app, services)
  switchRoute(app, services)
}

function ownOrganizations(app: App, services: Services): void {
  const { organizations, users } = services
  app.get(
    '/api/v1/organizations/current',
    {
      config: { access: 'any', own: true },
      schema: { summary: 'Read the organization of this key or session', tags: ['organizations'], response: { 200: CurrentView, ...PROBLEMS } },
    },
    async (request) => {
      const { organization: id, key, person } = callerOf(request)
      const organization = await organizations.get(id)
      if (organization === undefined) throw new Fault('not_found', { detail: 'The organization of this key is gone.' })
      return { ...organizationView(organization, person?.role ?? null), key: key === null ? null : { id: key.id, name: key.name, scopes: key.scopes } }
    },
  )
  app.get(
    '/api/v1/organizations',
    {
      config: { access: 'any', own: true },
      schema: {
        summary: 'List your organizations',
        description: 'Those that the person belongs to, with their role in each. An API key belongs to one.',
        tags: ['organizations'],
        response: { 200: Type.Object({ items: Type.Array(OrganizationView), cursor: Type.Null() }), ...PROBLEMS },
      },
    },
    async (request) => {
      const { organization: id, person } = callerOf(request)
      if (person === null) {
        const own = await organizations.get(id)
        return { items: own === undefined ? [] : [organizationView(own, null)], cursor: null }
      }
      const own = await users.organizationsOf(person.user.id)
      return { items: own.map(({ organization, role }) => organizationView(organization, role)), cursor: null }
    },
  )
  app.post(
    '/api/v1/organizations',
    {
      config: { access: 'person', own: true },
      schema: {
        summary: 'Make an organization',
        description: 'For owners: whoever makes it is its owner. Nothing crosses from one organization to another.',
        tags: ['organizations'],
        body: closed({ name: Name, slug: Slug }),
        response: { 201: OrganizationView, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { user, role } = personOf(request)
      if (role !== 'owner') throw new Fault('role_missing', { detail: `Owners make organizations, and your role here is ${role}.` })
      const made = await users.createOrganization(user.id, request.body)
      return reply.code(201).send(organizationView(made.organization, made.role))
    },
  )
}

function policyRoute(app: App, { users, clock }: Services): void {
  app.patch(
    '/api/v1/organizations/:id',
    {
      config: { access: 'admin' },
      schema: {
        summary: 'Ask for a second factor',
        description:
          'Of the roles named, and of no others: an empty list asks nobody. It counts at once. Nobody is signed out: a session that was not proven with a second factor may add or show one, and nothing else (`second_factor_missing`). Nobody decides about roles above their own.',
        tags: ['organizations'],
        params: Params,
        body: closed({ require_second_factor: Type.Array(RoleSchema, { maxItems: ROLES.length, uniqueItems: true }) }),
        response: { 200: OrganizationView, ...PROBLEMS },
      },
    },
    async (request) => {
      const caller = callerOf(request)
      within(caller, request.params.id)
      requireRecent(caller, clock)
      return organizationView(await users.requireSecondFactor(governorOf(caller), request.body.require_second_factor), caller.person?.role ?? null)
    },
  )
}

function memberRoutes(app: App, services: Services): void {
  const { users, clock } = services
  app.get(
    '/api/v1/organizations/:id/members',
    {
      config: { access: 'admin' },
      schema: {
        summary: 'List members',
        tags: ['organizations'],
        params: Params,
        querystring: closed(PageQuery),
        response: { 200: pageOf(MemberView), ...PROBLEMS },
      },
    },
    async (request) => {
      const organization = within(callerOf(request), request.params.id)
      const found = await users.list(organization, pageRequest(request.query))
      return { items: found.items.map(memberView), cursor: found.cursor }
    },
  )
  app.patch(
    '/api/v1/organizations/:id/members/:user',
    {
      config: { access: 'admin' },
      schema: {
        summary: "Change a member's role",
        description: 'Effective at once, in sessions that are open. Nobody gives or takes a role above their own, and an organization keeps an owner.',
        tags: ['organizations'],
        params: MemberParams,
        body: closed({ role: RoleSchema }),
        response: { 200: MemberView, ...PROBLEMS },
      },
    },
    async (request) => {
      const caller = callerOf(request)
      within(caller, request.params.id)
      requireRecent(caller, clock)
      return memberView(await users.changeRole(governorOf(caller), request.params.user, request.body.role))
    },
  )
  app.delete(
    '/api/v1/organizations/:id/members/:user',
    {
      config: { access: 'admin' },
      schema: {
        summary: 'Remove a member',
        description: "Ends the membership and the person's sessions in this organization. The person stays, and so do their connections.",
        tags: ['organizations'],
        params: MemberParams,
        response: { 204: Type.Null(), ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request)
      within(caller, request.params.id)
      requireRecent(caller, clock)
      await users.removeMember(governorOf(caller), request.params.user)
      return reply.code(204).send()
    },
  )
}

function switchRoute(app: App, services: Services): void {
  app.post(
    '/api/v1/auth/organization',
    {
      config: { access: 'person', own: true },
      schema: {
        summary: 'Go to another organization',
        description:
          'The session goes on in it, and the answer has an access token for it. Its refresh credential stays the same. Where only a provider vouches for the session, the other organization must sign people in with the same issuer, or the person proves it first (`reauthentication_required`).',
        tags: ['sessions'],
        body: closed({ organization: OrganizationIdSchema }),
        response: { 200: SessionAnswer, ...PROBLEMS },
      },
    },
    async (request) => {
      const person = personOf(request)
      await services.users.switchOrganization(person, request.body.organization)
      return accessAnswer(await services.sessions.current(person.session.id), services.clock)
    },
  )
}

/** The caller's own; every other one is as unknown as one that never was. @throws Fault `not_found` */
function within({ organization }: Caller, named: OrganizationId): OrganizationId {
  if (organization === named) return organization
  throw new Fault('not_found', {
    field: 'id',
    detail: `There is no organization ${named} for this key or session. A person goes to another of theirs with POST auth/organization.`,
  })
}

function organizationView({ id, slug, name, createdAt, requireSecondFactor }: Organization, role: string | null) {
  return { id, slug, name, created_at: iso(createdAt), role, require_second_factor: [...requireSecondFactor] }
}
