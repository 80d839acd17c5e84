import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { AgentCaller } from '../../core/agent/agent-caller.ts'
import { INSTALLATION_STATUSES, type InstallationStatus } from '../../core/agent/installation.ts'
import type { ListedInstallation } from '../../core/agent/installation-service.ts'
import { type InstallationId, idPattern } from '../../core/ids.ts'
import type { Instant } from '../../core/time.ts'
import { ownerOf } from '../../core/user/user.ts'
import { agentCallerOf } from '../agent-caller.ts'
import { callerOf, personOf } from '../authentication.ts'
import { iso, isoOrNull } from '../connection-view.ts'
import { idPage, pageAnswer } from '../id-page.ts'
import { type App, closed, InstallationIdSchema, nullable, PageQuery, PROBLEMS, pageOf, Time } from '../schema.ts'
import type { Services } from '../services.ts'
import { SdkTokenView, sdkTokenView } from './installation-view.ts'
import { CutOffBody, CutOffView, ReasonBody, RotatedView } from './installations.ts'

const TAGS = ['sdk-tokens']
const PERSON = { access: 'person' as const }
const Params = closed({ id: InstallationIdSchema })

const OwnTokenView = Type.Object({
  id: Type.String({ description: 'Of the installation: its token changes with every refresh.' }),
  agent: Type.String(),
  device: Type.Object({
    name: Type.String(),
    host: nullable(Type.String()),
    platform: nullable(Type.String()),
    address: nullable(Type.String()),
    custody: Type.String({ description: 'Where the machine says that its key lives.' }),
  }),
  status: Type.String({ description: '`active`, `recovery_blocked`, `locked` or `retired`.' }),
  generation: Type.Integer(),
  created_at: Time,
  last_used_at: nullable(Time),
  expires_at: Type.String({ description: 'Unless it is refreshed before.' }),
  state: SdkTokenView.properties.state,
  revoke_class: SdkTokenView.properties.revoke_class,
  metadata: SdkTokenView.properties.metadata,
})

const CountView = Type.Object({
  count: Type.Integer({ description: 'Those that are not over.' }),
  active: Type.Integer(),
  recovery_blocked: Type.Integer(),
  locked: Type.Integer(),
  retired: Type.Integer(),
})

/** The programs of the person who is signed in. Two verbs: Rotate heals by itself, Cut off is for good. */
export function sdkTokenRoutes(app: App, services: Services): void {
  lookRoutes(app, services)
  singleRoutes(app, services)
  allRoutes(app, services)
}

/** Whatever the role: here a person reaches their own and nothing else. */
function ownCaller(request: FastifyRequest): AgentCaller {
  const { user } = personOf(request)
  return { ...agentCallerOf(callerOf(request)), own: { user: user.id, connectionOwner: ownerOf(user) } }
}

function ownTokenView({ installation, head }: ListedInstallation, now: Instant) {
  const { hints } = installation
  const token = sdkTokenView(head, now)
  return {
    id: installation.id,
    agent: installation.agent,
    device: { name: installation.name, host: hints.host, platform: hints.platform, address: installation.address, custody: installation.custody },
    status: installation.status,
    generation: installation.generation,
    created_at: iso(installation.createdAt),
    last_used_at: isoOrNull(installation.lastSeenAt),
    expires_at: token.expires_at,
    state: token.state,
    revoke_class: token.revoke_class,
    metadata: token.metadata,
  }
}

function lookRoutes(app: App, { installations, clock }: Services): void {
  app.get(
    '/api/v1/users/me/sdk-tokens',
    {
      config: PERSON,
      schema: {
        summary: 'List your SDK tokens',
        description: 'One for each machine on which a program of yours is enrolled, newest first. After a recovery `metadata` says from what and why.',
        tags: TAGS,
        querystring: closed({
          ...PageQuery,
          status: Type.Optional(Type.Unsafe<InstallationStatus>({ type: 'string', enum: [...INSTALLATION_STATUSES] })),
        }),
        response: { 200: pageOf(OwnTokenView), ...PROBLEMS },
      },
    },
    async (request) => {
      const page = idPage<InstallationId>(request.query, idPattern('ins'))
      const { status } = request.query
      const found = await installations.list(ownCaller(request), { ...page, ...(status === undefined ? {} : { status }) })
      const now = clock.wall()
      return pageAnswer(found, page, (one) => ownTokenView(one, now))
    },
  )
  app.get(
    '/api/v1/users/me/sdk-tokens/count',
    { config: PERSON, schema: { summary: 'Count your SDK tokens', tags: TAGS, response: { 200: CountView, ...PROBLEMS } } },
    async (request) => {
      const counts = await installations.count(ownCaller(request))
      return { count: counts.active + counts.recovery_blocked + counts.locked, ...counts }
    },
  )
}

const ROTATES = 'The token is over at once; the SDK notices, recovers by itself and goes on.'
const CUTS_OFF = 'For good: only a new enrolment brings the machine back.'

function singleRoutes(app: App, { installations }: Services): void {
  app.post(
    '/api/v1/users/me/sdk-tokens/:id/rotate',
    {
      config: PERSON,
      schema: {
        summary: 'Rotate an SDK token of yours',
        description: ROTATES,
        tags: TAGS,
        params: Params,
        body: ReasonBody,
        response: { 200: RotatedView, ...PROBLEMS },
      },
    },
    async (request) => ({
      rotated: await installations.rotate(ownCaller(request), { installation: request.params.id }, request.body?.reason ?? null),
    }),
  )
  app.delete(
    '/api/v1/users/me/sdk-tokens/:id',
    {
      config: PERSON,
      schema: {
        summary: 'Cut off an SDK token of yours',
        description: CUTS_OFF,
        tags: TAGS,
        params: Params,
        body: CutOffBody,
        response: { 200: CutOffView, ...PROBLEMS },
      },
    },
    async (request) => {
      const { reason_class: revokeClass = 'owner_request', reason = null } = request.body ?? {}
      return { cut_off: await installations.cutOff(ownCaller(request), { installation: request.params.id }, revokeClass, reason) }
    },
  )
}

function allRoutes(app: App, { installations }: Services): void {
  app.post(
    '/api/v1/users/me/sdk-tokens/rotate',
    {
      config: PERSON,
      schema: { summary: 'Rotate all SDK tokens of yours', description: ROTATES, tags: TAGS, body: ReasonBody, response: { 200: RotatedView, ...PROBLEMS } },
    },
    async (request) => ({ rotated: await installations.rotate(ownCaller(request), 'own', request.body?.reason ?? null) }),
  )
  app.delete(
    '/api/v1/users/me/sdk-tokens',
    {
      config: PERSON,
      schema: { summary: 'Cut off all SDK tokens of yours', description: CUTS_OFF, tags: TAGS, body: CutOffBody, response: { 200: CutOffView, ...PROBLEMS } },
    },
    async (request) => {
      const { reason_class: revokeClass = 'owner_request', reason = null } = request.body ?? {}
      return { cut_off: await installations.cutOff(ownCaller(request), 'own', revokeClass, reason) }
    },
  )
}
