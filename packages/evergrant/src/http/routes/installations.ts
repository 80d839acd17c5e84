import { Type } from 'typebox'
import { INSTALLATION_STATUSES, type InstallationStatus } from '../../core/agent/installation.ts'
import { type ChosenInstallations, CUT_OFF_CLASSES, type CutOffClass } from '../../core/agent/installation-service.ts'
import { RECOVERY_MODES, type RecoveryMode } from '../../core/agent/recovery-settings.ts'
import { type InstallationId, idPattern } from '../../core/ids.ts'
import { agentCallerOf } from '../agent-caller.ts'
import { callerOf } from '../authentication.ts'
import { requireRecent } from '../governing.ts'
import { idPage, pageAnswer } from '../id-page.ts'
import { instantOf } from '../input.ts'
import { AgentIdSchema, type App, closed, InstallationIdSchema, nullable, PageQuery, PROBLEMS, pageOf, TimeInput } from '../schema.ts'
import type { Caller, Services } from '../services.ts'
import { DetailsView, detailsView, EntryView, entryView, InstallationView, installationView, WhyView, whyView } from './installation-view.ts'

const TAGS = ['installations']
const Params = closed({ id: InstallationIdSchema })
const Name = Type.String({ minLength: 1, maxLength: 100, pattern: '^[^\\u0000-\\u001f\\u007f\\ud800-\\udfff]+$' })
const Reason = Type.Optional(
  Type.String({
    minLength: 1,
    maxLength: 500,
    pattern: '^[^\\u0000-\\u001f\\u007f\\ud800-\\udfff]+$',
    description: 'For people, and for the record. It decides nothing.',
  }),
)
export const ReasonBody = Type.Optional(closed({ reason: Reason }))
export const CutOffBody = Type.Optional(
  closed({
    reason_class: Type.Optional(
      Type.Unsafe<CutOffClass>({
        type: 'string',
        enum: [...CUT_OFF_CLASSES],
        description: 'None of them heals; `owner_request` by default. `compromise` opens an incident.',
      }),
    ),
    reason: Reason,
  }),
)
export const RotatedView = Type.Object({
  rotated: Type.Integer({ description: 'Installations whose token was replaced. Those that are locked, over or rotated already are left as they are.' }),
})
export const CutOffView = Type.Object({ cut_off: Type.Integer({ description: 'Installations that ended now.' }) })
const READ = { access: 'agents:read' as const, own: true as const }
const WRITE = { access: 'agents:write' as const, own: true as const }

/** Enrolled copies of agents, and what an operator does to them. docs/guides/operate-agents.md. */
export function installationRoutes(app: App, services: Services): void {
  listRoute(app, services)
  lookRoutes(app, services)
  changeRoute(app, services)
  rotateRoutes(app, services)
  cutOffRoutes(app, services)
  lockRoutes(app, services)
  liftRoute(app, services)
}

function listRoute(app: App, { installations, clock }: Services): void {
  app.get(
    '/api/v1/installations',
    {
      config: READ,
      schema: {
        summary: 'List installations',
        description: 'Newest first. `healed_since`: only those that recovered since then.',
        tags: TAGS,
        querystring: closed({
          ...PageQuery,
          agent: Type.Optional(AgentIdSchema),
          status: Type.Optional(Type.Unsafe<InstallationStatus>({ type: 'string', enum: [...INSTALLATION_STATUSES] })),
          healed_since: Type.Optional(TimeInput),
        }),
        response: { 200: pageOf(InstallationView), ...PROBLEMS },
      },
    },
    async (request) => {
      const { agent, status, healed_since: since } = request.query
      const page = idPage<InstallationId>(request.query, idPattern('ins'))
      const healedSince = instantOf(since, '/healed_since')
      const filter = {
        ...page,
        ...(agent === undefined ? {} : { agent }),
        ...(status === undefined ? {} : { status }),
        ...(healedSince === null ? {} : { healedSince }),
      }
      const now = clock.wall()
      return pageAnswer(await installations.list(agentCallerOf(callerOf(request)), filter), page, (one) => installationView(one, now))
    },
  )
}

function lookRoutes(app: App, { installations, clock }: Services): void {
  app.get(
    '/api/v1/installations/:id',
    {
      config: READ,
      schema: {
        summary: 'Read an installation',
        description: 'Its key, its newest token, and how much healing is left.',
        tags: TAGS,
        params: Params,
        response: { 200: DetailsView, ...PROBLEMS },
      },
    },
    async (request) => detailsView(await installations.get(agentCallerOf(callerOf(request)), request.params.id), clock.wall()),
  )
  app.get(
    '/api/v1/installations/:id/timeline',
    {
      config: READ,
      schema: {
        summary: 'What happened to an installation',
        description: 'Its tokens, its recoveries and its events together, newest first.',
        tags: TAGS,
        params: Params,
        querystring: closed({ limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })) }),
        response: { 200: Type.Object({ items: Type.Array(EntryView), cursor: Type.Null() }), ...PROBLEMS },
      },
    },
    async (request) => {
      const entries = await installations.timeline(agentCallerOf(callerOf(request)), request.params.id, request.query.limit ?? 50)
      const now = clock.wall()
      return { items: entries.map((entry) => entryView(entry, now)), cursor: null }
    },
  )
  app.get(
    '/api/v1/installations/:id/why',
    {
      config: READ,
      schema: {
        summary: 'Why a recovery was granted or refused',
        description: 'The last attempts with the rule that decided each, and what the next one would get now.',
        tags: TAGS,
        params: Params,
        response: { 200: WhyView, ...PROBLEMS },
      },
    },
    async (request) => whyView(await installations.why(agentCallerOf(callerOf(request)), request.params.id)),
  )
}

function changeRoute(app: App, { installations, clock }: Services): void {
  app.patch(
    '/api/v1/installations/:id',
    {
      config: WRITE,
      schema: {
        summary: 'Change an installation',
        tags: TAGS,
        params: Params,
        body: Type.Object(
          {
            name: Type.Optional(Name),
            recovery: Type.Optional(
              Type.Unsafe<'allowed' | 'blocked'>({
                type: 'string',
                enum: ['allowed', 'blocked'],
                description: '`blocked`: it works as long as its token does, and heals no more until it is `allowed` again.',
              }),
            ),
            recovery_mode: Type.Optional(
              nullable(
                Type.Unsafe<RecoveryMode>({
                  type: 'string',
                  enum: [...RECOVERY_MODES],
                  description: 'Of this one alone; null: as its agent. `off` in the agent or the organization wins.',
                }),
              ),
            ),
          },
          { additionalProperties: false, minProperties: 1 },
        ),
        response: { 200: DetailsView, ...PROBLEMS },
      },
    },
    async (request) => {
      const caller = callerOf(request)
      const { name, recovery, recovery_mode: recoveryMode } = request.body
      if (recoveryMode !== undefined || recovery !== undefined) requireRecent(caller, clock)
      const changes = {
        ...(name === undefined ? {} : { name }),
        ...(recoveryMode === undefined ? {} : { recoveryMode }),
        ...(recovery === undefined ? {} : { status: recovery === 'blocked' ? ('recovery_blocked' as const) : ('active' as const) }),
      }
      return detailsView(await installations.update(agentCallerOf(caller), request.params.id, changes), clock.wall())
    },
  )
}

function rotateRoutes(app: App, { installations }: Services): void {
  const rotate = async (caller: Caller, chosen: ChosenInstallations, body: { readonly reason?: string } | undefined) => ({
    rotated: await installations.rotate(agentCallerOf(caller), chosen, body?.reason ?? null),
  })
  const description = 'The tokens are over at once; the SDKs notice, recover by themselves and go on. It counts against no limit.'
  app.post(
    '/api/v1/installations/:id/rotate',
    {
      config: WRITE,
      schema: { summary: 'Rotate an installation', description, tags: TAGS, params: Params, body: ReasonBody, response: { 200: RotatedView, ...PROBLEMS } },
    },
    (request) => rotate(callerOf(request), { installation: request.params.id }, request.body),
  )
  app.post(
    '/api/v1/agents/:id/rotate',
    {
      config: WRITE,
      schema: {
        summary: 'Rotate all installations of an agent',
        description,
        tags: TAGS,
        params: closed({ id: AgentIdSchema }),
        body: ReasonBody,
        response: { 200: RotatedView, ...PROBLEMS },
      },
    },
    (request) => rotate(callerOf(request), { agent: request.params.id }, request.body),
  )
  app.post(
    '/api/v1/installations/rotate',
    {
      config: WRITE,
      schema: {
        summary: 'Rotate all installations',
        description: `${description} Of the whole organization; for a person who reaches only their own, all of their own.`,
        tags: TAGS,
        body: ReasonBody,
        response: { 200: RotatedView, ...PROBLEMS },
      },
    },
    (request) => rotate(callerOf(request), 'all', request.body),
  )
}

function cutOffRoutes(app: App, { installations, clock }: Services): void {
  app.post(
    '/api/v1/installations/:id/cut-off',
    {
      config: WRITE,
      schema: {
        summary: 'Cut an installation off',
        description:
          'For good: nothing heals it, and only a new enrolment brings the machine back; a workload stays out until that is lifted. Repeating it changes nothing.',
        tags: TAGS,
        params: Params,
        body: CutOffBody,
        response: { 200: DetailsView, ...PROBLEMS },
      },
    },
    async (request) => {
      const caller = agentCallerOf(callerOf(request))
      const { reason_class: revokeClass = 'owner_request', reason = null } = request.body ?? {}
      await installations.cutOff(caller, { installation: request.params.id }, revokeClass, reason)
      return detailsView(await installations.get(caller, request.params.id), clock.wall())
    },
  )
  app.post(
    '/api/v1/installations/:id/compromised',
    {
      config: WRITE,
      schema: {
        summary: 'Mark an installation as compromised',
        description: 'Cut off, locked for good, and an incident that costs the agent trust. Whoever tries to recover with it afterwards raises an alarm.',
        tags: TAGS,
        params: Params,
        body: ReasonBody,
        response: { 200: DetailsView, ...PROBLEMS },
      },
    },
    async (request) => {
      const caller = agentCallerOf(callerOf(request))
      await installations.cutOff(caller, { installation: request.params.id }, 'compromise', request.body?.reason ?? null)
      return detailsView(await installations.get(caller, request.params.id), clock.wall())
    },
  )
}

function liftRoute(app: App, { installations, clock }: Services): void {
  app.post(
    '/api/v1/installations/:id/lift',
    {
      config: WRITE,
      schema: {
        summary: 'Let a workload in again',
        description:
          'A workload that was cut off may enrol anew with its identity token: this one, and all others of the same subject and agent. The installations stay over.',
        tags: TAGS,
        params: Params,
        response: { 200: DetailsView, ...PROBLEMS },
      },
    },
    async (request) => {
      const caller = callerOf(request)
      requireRecent(caller, clock)
      return detailsView(await installations.lift(agentCallerOf(caller), request.params.id), clock.wall())
    },
  )
}

function lockRoutes(app: App, { installations, clock }: Services): void {
  app.post(
    '/api/v1/installations/:id/lock',
    {
      config: WRITE,
      schema: {
        summary: 'Lock an installation',
        description: 'Nothing of it works until somebody unlocks it, and then only with a new key.',
        tags: TAGS,
        params: Params,
        body: ReasonBody,
        response: { 200: DetailsView, ...PROBLEMS },
      },
    },
    async (request) => detailsView(await installations.lock(agentCallerOf(callerOf(request)), request.params.id, request.body?.reason ?? null), clock.wall()),
  )
  app.post(
    '/api/v1/installations/:id/unlock',
    {
      config: WRITE,
      schema: {
        summary: 'Unlock and re-key',
        description:
          'One shot: within 24 hours the machine brings a new key beside a proof of its old one, and goes on. Choose it only when you know why it was locked.',
        tags: TAGS,
        params: Params,
        response: { 200: DetailsView, ...PROBLEMS },
      },
    },
    async (request) => {
      const caller = callerOf(request)
      requireRecent(caller, clock)
      return detailsView(await installations.unlock(agentCallerOf(caller), request.params.id), clock.wall())
    },
  )
}
