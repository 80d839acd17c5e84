import { Type } from 'typebox'
import { AGENT_STATUSES, type AgentStatus, NEW_POLICY } from '../../core/agent/agent.ts'
import type { AgentStanding } from '../../core/agent/agents.ts'
import { Fault } from '../../core/fault/fault.ts'
import { type AgentId, idPattern } from '../../core/ids.ts'
import { agentCallerOf } from '../agent-caller.ts'
import { callerOf } from '../authentication.ts'
import { requireRecent } from '../governing.ts'
import { idPage, pageAnswer } from '../id-page.ts'
import { AgentIdSchema, type App, closed, KEEPABLE, nullable, PageQuery, PROBLEMS, pageOf, StoredVersion, UserIdSchema } from '../schema.ts'
import type { Services } from '../services.ts'
import { AgentView, agentView, PolicyBody, policyOf, RecoveryBody, recoveryOf } from './agent-view.ts'

const TAGS = ['agents']
const Params = closed({ id: AgentIdSchema })
const Name = Type.String({ minLength: 1, maxLength: 100, pattern: '^[^\\u0000-\\u001f\\u007f\\ud800-\\udfff]+$' })
const Description = nullable(Type.String({ minLength: 1, maxLength: 500, pattern: KEEPABLE }))
const StandingView = Type.Object({ ...AgentView.properties, owner_active: Type.Boolean({ description: 'While it is false, the agent does nothing.' }) })
const READ = { access: 'agents:read' as const, own: true as const }
const WRITE = { access: 'agents:write' as const, own: true as const }

/** Programs: their identity, their policy, and what their owner says about them. docs/guides/agents.md. */
export function agentRoutes(app: App, services: Services): void {
  readRoutes(app, services)
  createRoute(app, services)
  changeRoutes(app, services)
  stateRoutes(app, services)
}

function standingView({ agent, ownerActive }: AgentStanding) {
  return { ...agentView(agent), owner_active: ownerActive }
}

function readRoutes(app: App, { agents }: Services): void {
  app.get(
    '/api/v1/agents',
    {
      config: READ,
      schema: {
        summary: 'List agents',
        tags: TAGS,
        querystring: closed({
          ...PageQuery,
          owner: Type.Optional(UserIdSchema),
          status: Type.Optional(Type.Unsafe<AgentStatus>({ type: 'string', enum: [...AGENT_STATUSES] })),
        }),
        response: { 200: pageOf(AgentView), ...PROBLEMS },
      },
    },
    async (request) => {
      const { owner, status } = request.query
      const page = idPage<AgentId>(request.query, idPattern('agt'))
      const filter = { ...page, ...(owner === undefined ? {} : { owner }), ...(status === undefined ? {} : { status }) }
      return pageAnswer(await agents.list(agentCallerOf(callerOf(request)), filter), page, agentView)
    },
  )
  app.get(
    '/api/v1/agents/:id',
    { config: READ, schema: { summary: 'Read an agent', tags: TAGS, params: Params, response: { 200: StandingView, ...PROBLEMS } } },
    async (request) => standingView(await agents.get(agentCallerOf(callerOf(request)), request.params.id)),
  )
}

function createRoute(app: App, { agents, integrations, clock }: Services): void {
  app.post(
    '/api/v1/agents',
    {
      config: WRITE,
      schema: {
        summary: 'Create an agent',
        description: 'An identity for a program. It does nothing until a machine is enrolled for it and its owner accepts it, and then what its policy says.',
        tags: TAGS,
        body: closed({
          name: Name,
          description: Type.Optional(Description),
          owner: Type.Optional(UserIdSchema),
          policy: Type.Optional(PolicyBody),
          recovery: Type.Optional(RecoveryBody),
        }),
        response: { 201: StandingView, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request)
      requireRecent(caller, clock)
      const { name, description = null, owner = null, policy = {}, recovery = {} } = request.body
      const wanted = { name, description, owner, policy: await policyOf(policy, caller.organization, integrations), recovery: recoveryOf(recovery) }
      return reply.code(201).send(standingView(await agents.create(agentCallerOf(caller), wanted)))
    },
  )
}

function changeRoutes(app: App, { agents, integrations, clock }: Services): void {
  app.patch(
    '/api/v1/agents/:id',
    {
      config: WRITE,
      schema: {
        summary: 'Change an agent',
        description: 'A new owner has to accept it anew.',
        tags: TAGS,
        params: Params,
        body: Type.Object(
          {
            name: Type.Optional(Name),
            description: Type.Optional(Description),
            owner: Type.Optional(UserIdSchema),
            recovery: Type.Optional(RecoveryBody),
            version: Type.Optional(StoredVersion),
          },
          { additionalProperties: false, minProperties: 1 },
        ),
        response: { 200: StandingView, ...PROBLEMS },
      },
    },
    async (request) => {
      const caller = callerOf(request)
      const { recovery, ...rest } = request.body
      if (rest.owner !== undefined || recovery !== undefined) requireRecent(caller, clock)
      const change = { ...rest, ...(recovery === undefined ? {} : { recovery: recoveryOf(recovery) }) }
      return standingView(await agents.update(agentCallerOf(caller), request.params.id, change))
    },
  )
  app.put(
    '/api/v1/agents/:id/policy',
    {
      config: WRITE,
      schema: {
        summary: 'Set what an agent may do',
        description: 'The whole policy: what is left out is as at the start, which is nothing. Counts for its next request, on all nodes.',
        tags: TAGS,
        params: Params,
        body: PolicyBody,
        response: { 200: StandingView, ...PROBLEMS },
      },
    },
    async (request) => {
      const caller = callerOf(request)
      requireRecent(caller, clock)
      const policy = { ...NEW_POLICY, ...(await policyOf(request.body, caller.organization, integrations)) }
      return standingView(await agents.setPolicy(agentCallerOf(caller), request.params.id, policy))
    },
  )
}

const STATES = {
  accept: {
    summary: 'Accept an agent',
    description: 'Its owner answers for what it does from now on. Verified is whose key is proven and whom the owner accepted.',
  },
  suspend: { summary: 'Suspend an agent', description: 'Nothing of it works until it is resumed, and nothing is lost.' },
  resume: { summary: 'Resume an agent', description: 'As it was before it was suspended.' },
  review: { summary: 'Confirm the rights of an agent', description: 'A person looked at what it may do, and keeps it.' },
} as const

function stateRoutes(app: App, { agents, clock }: Services): void {
  for (const [verb, { summary, description }] of Object.entries(STATES) as [keyof typeof STATES, (typeof STATES)[keyof typeof STATES]][]) {
    app.post(
      `/api/v1/agents/:id/${verb}`,
      { config: WRITE, schema: { summary, description, tags: TAGS, params: Params, response: { 200: StandingView, ...PROBLEMS } } },
      async (request) => {
        const caller = callerOf(request)
        if (verb === 'accept') requireRecent(caller, clock)
        return standingView(await agents[verb](agentCallerOf(caller), agentId(request.params)))
      },
    )
  }
  app.delete(
    '/api/v1/agents/:id',
    {
      config: WRITE,
      schema: {
        summary: 'Revoke an agent',
        description: 'For good, with all its installations: nothing of them heals. It stays as a record.',
        tags: TAGS,
        params: Params,
        response: { 200: StandingView, ...PROBLEMS },
      },
    },
    async (request) => {
      const caller = callerOf(request)
      requireRecent(caller, clock)
      return standingView(await agents.revoke(agentCallerOf(caller), request.params.id))
    },
  )
}

/** The path is put together, so that its type is not known. */
function agentId(params: unknown): AgentId {
  const { id } = params as { readonly id?: unknown }
  if (typeof id !== 'string') throw new Fault('not_found')
  return id as AgentId
}
