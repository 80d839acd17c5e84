import { Type } from 'typebox'
import type { UseCount } from '../../core/agent/uses.ts'
import { Fault } from '../../core/fault/fault.ts'
import { type ConnectionId, idPattern } from '../../core/ids.ts'
import { DAY } from '../../core/time.ts'
import { agentCallerOf } from '../agent-caller.ts'
import { callerOf } from '../authentication.ts'
import { iso } from '../connection-view.ts'
import { requireReach } from '../reach.ts'
import { AgentIdSchema, type App, ConnectionIdSchema, closed, nullable, PROBLEMS, Time } from '../schema.ts'
import type { Services } from '../services.ts'

const Days = Type.Optional(Type.Integer({ minimum: 1, maximum: 90, default: 7, description: 'How far back, in days.' }))
const Limit = Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000, default: 200 }))
const UseView = Type.Object({
  minute: Time,
  access: Type.String({ description: '`token` or `proxy`.' }),
  actor: Type.Object({ kind: Type.String(), id: Type.String() }),
  count: Type.Integer(),
})
const Listed = Type.Object({ items: Type.Array(UseView), cursor: Type.Null() })
const PageUse = Type.Object({
  connection_id: Type.String(),
  requests: Type.Integer(),
  hours: Type.Array(Type.Integer(), { description: 'One figure an hour, oldest first; the last hour is not over.' }),
  used_by: Type.Array(Type.Object({ kind: Type.String(), id: Type.String(), name: nullable(Type.String()), count: Type.Integer() }), {
    description: 'The three that used it most.',
  }),
  actors: Type.Integer({ description: 'How many used it at all.' }),
})
const CONNECTION_ID = new RegExp(idPattern('con'))
const IDS_MOST = 200
const AgentUse = Type.Object({ connection: Type.String(), access: Type.String(), count: Type.Integer() })

function useView({ minute, access, actor, count }: UseCount) {
  return { minute: iso(minute), access, actor, count }
}

/** Who used which connection, counted by the minute. What was used in the last seconds is not yet in it. */
export function useRoutes(app: App, { useHistory, pageUses, agents, connections, clock }: Services): void {
  const since = (days = 7): number => clock.wall() - days * DAY
  app.get(
    '/api/v1/connections/:id/uses',
    {
      config: { access: 'connections:read', own: true },
      schema: {
        summary: 'Who used a connection',
        description: 'Newest minute first. Written every ten seconds.',
        tags: ['connections'],
        params: closed({ id: ConnectionIdSchema }),
        querystring: closed({ days: Days, limit: Limit }),
        response: { 200: Listed, ...PROBLEMS },
      },
    },
    async (request) => {
      const caller = callerOf(request)
      const { days, limit = 200 } = request.query
      await requireReach(connections, caller, request.params.id)
      await connections.ownerOf(caller.organization, request.params.id)
      return { items: (await useHistory.ofConnection(caller.organization, request.params.id, since(days), limit)).map(useView), cursor: null }
    },
  )
  app.get(
    '/api/v1/console/uses',
    {
      config: { access: 'connections:read' },
      schema: {
        summary: 'Who used the connections of a page',
        description: 'In the last 24 hours. Those that nobody used are left out. Written every ten seconds.',
        tags: ['connections'],
        querystring: closed({
          ids: Type.String({ minLength: 40, maxLength: 8_300, description: 'Ids of at most 200 connections, with commas between them.' }),
        }),
        response: { 200: Type.Object({ items: Type.Array(PageUse) }), ...PROBLEMS },
      },
    },
    async (request) => {
      const ids = request.query.ids.split(',')
      const wrong = ids.findIndex((id) => !CONNECTION_ID.test(id))
      if (wrong >= 0 || ids.length > IDS_MOST)
        throw new Fault('invalid_request', { field: 'ids', detail: `\`ids\` takes at most ${IDS_MOST} ids of connections with commas between them.` })
      const found = await pageUses(callerOf(request).organization, ids as ConnectionId[])
      return { items: found.map(({ connection, usedBy, ...rest }) => ({ connection_id: connection, used_by: usedBy.map((actor) => ({ ...actor })), ...rest })) }
    },
  )
  app.get(
    '/api/v1/agents/:id/uses',
    {
      config: { access: 'agents:read', own: true },
      schema: {
        summary: 'Which connections an agent used',
        description: 'By all its installations together, most used first. Written every ten seconds.',
        tags: ['agents'],
        params: closed({ id: AgentIdSchema }),
        querystring: closed({ days: Days }),
        response: { 200: Type.Object({ items: Type.Array(AgentUse), cursor: Type.Null() }), ...PROBLEMS },
      },
    },
    async (request) => {
      const { agent } = await agents.get(agentCallerOf(callerOf(request)), request.params.id)
      return { items: await useHistory.ofAgent(agent.id, since(request.query.days)), cursor: null }
    },
  )
}
