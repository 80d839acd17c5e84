import type { ServerResponse } from 'node:http'
import { Type } from 'typebox'
import { Fault } from '../../core/fault/fault.ts'
import type { Overview } from '../../core/observe/console-service.ts'
import { type LiveSink, STREAMS_EACH, TOPICS, type Topic } from '../../core/observe/live-hub.ts'
import { SECOND } from '../../core/time.ts'
import { allows, callerOf } from '../authentication.ts'
import { iso, isoOrNull } from '../connection-view.ts'
import { eventView } from '../owner-view.ts'
import { type App, closed, nullable, PROBLEMS, Time } from '../schema.ts'
import type { Caller, Services } from '../services.ts'

/** What may wait for one listener; whoever is further behind reads everything again. */
const BEHIND_BYTES = 256 * 1_024
const RETRY_MS = 2 * SECOND

const NEEDS = { connections: 'connections:read', events: 'events:read', alerts: 'events:read', deliveries: 'events:read', agents: 'agents:read' } as const

const Anything = Type.Object({}, { additionalProperties: true })
const Counts = Type.Object({
  total: Type.Integer({ description: 'Without those that are disconnected.' }),
  healthy: Type.Integer(),
  needs_owner: Type.Integer(),
  waiting: Type.Integer(),
  blocked: Type.Integer(),
  paused: Type.Integer(),
  disconnected: Type.Integer(),
})
const CauseView = Type.Object({
  cause: Type.String(),
  provider: Type.String(),
  integration: Type.String(),
  code: nullable(Type.String()),
  title: Type.String(),
  operator_text: Type.String(),
  link_repairs: Type.Boolean({
    description: 'Whether the provider lets a link that is sent to the owner repair them. False: the application opens the reconnect.',
  }),
  connections: Type.Integer(),
  since: nullable(Time),
  filter: Type.Object({}, { additionalProperties: true, description: 'Query of GET connections that lists them.' }),
})
const WeatherView = Type.Object({
  provider: Type.String(),
  name: Type.String(),
  requests: Type.Integer({ description: 'Of the last 24 hours.' }),
  failures: Type.Integer({ description: 'Without ends of grants.' }),
  breaker: Type.String({ description: '`open`: this node gives the provider a rest.' }),
  open_since: nullable(Time),
  spark: Type.Array(nullable(Type.Number()), { description: 'Share that went well in each of the last 24 hours.' }),
})
const OverviewView = Type.Object({
  server_time: Time,
  sentence: Type.String(),
  counts: Counts,
  attention: Type.Array(CauseView),
  expiring: Type.Object({ day: Type.Integer(), week: Type.Integer(), month: Type.Integer(), quarter: Type.Integer() }),
  weather: Type.Array(WeatherView),
  changes: Type.Array(Anything, { description: 'Events that changed the configuration, newest first.' }),
  alerts: Type.Array(Anything),
  agents: Type.Object({ agents: Type.Integer(), installations: Type.Integer(), locked: Type.Integer(), healed_24h: Type.Integer() }),
  setup: Type.Object({ has_integration: Type.Boolean(), has_connection: Type.Boolean(), has_refresh: Type.Boolean(), has_reconnect: Type.Boolean() }),
})

/** What the console shows first, and the stream that keeps it true. */
export function consoleRoutes(app: App, services: Services): void {
  app.addHook('preClose', (done) => {
    services.live.close()
    done()
  })
  app.get(
    '/api/v1/console/overview',
    {
      config: { access: 'connections:read' },
      schema: { summary: 'What is broken, and what will be', tags: ['console'], response: { 200: OverviewView, ...PROBLEMS } },
    },
    async (request) => {
      const caller = callerOf(request)
      const { organization } = caller
      // What is in the audit record is for those who may read it.
      const events = allows(caller, 'events:read')
      const [overview, alerts] = await Promise.all([services.console.overview(organization), (events ? services.openAlerts?.(organization) : undefined) ?? []])
      return overviewView(events ? overview : { ...overview, changes: [] }, alerts)
    },
  )
  streamRoute(app, services)
}

function streamRoute(app: App, services: Services): void {
  app.get(
    '/api/v1/console/stream',
    {
      // It has no end, and so no answer to HEAD would have one.
      exposeHeadRoute: false,
      config: { access: 'events:read' },
      schema: {
        summary: 'Hear of changes as they happen',
        description:
          'Server-sent events, read with `fetch`. `Last-Event-ID`, or `last_event_id`, goes on where an earlier stream broke off, for ten minutes; what is older is answered with `reset`. Ends when the session or key that opened it does.',
        tags: ['console'],
        querystring: closed({
          topics: Type.Optional(
            Type.String({ maxLength: 200, description: `Of ${TOPICS.join(', ')}, separated by commas; all that you may read by default.` }),
          ),
          last_event_id: Type.Optional(Type.String({ maxLength: 100 })),
        }),
        response: { 200: Type.String({ description: 'text/event-stream' }), ...PROBLEMS },
      },
    },
    (request, reply) => {
      const caller = callerOf(request)
      const topics = topicsOf(caller, request.query.topics)
      const listener = caller.person?.user.id ?? caller.actor.id ?? caller.actor.kind
      if (services.live.streamsOf(listener) >= STREAMS_EACH)
        throw new Fault('rate_limited', {
          detail: `${STREAMS_EACH} streams are open already in your name. Close one, or share one stream between your windows.`,
          retryAt: services.clock.wall() + 15 * SECOND,
        })
      const header = request.headers['last-event-id']
      const lastId = request.query.last_event_id ?? (typeof header === 'string' && header !== '' ? header : null)
      reply.hijack()
      const { raw } = reply
      raw.writeHead(200, { ...streamHeaders(reply.getHeaders()) })
      raw.write(`retry: ${RETRY_MS}\n\n`)
      const sink = sinkOf(raw)
      const leave = services.live.subscribe({ organization: caller.organization, listener, topics, lastId, sink, allowed: () => services.stillAllowed(caller) })
      raw.once('close', leave)
    },
  )
}

/** No proxy may gather or change it on the way. */
function streamHeaders(headers: Readonly<Record<string, number | string | string[] | undefined>>): Record<string, number | string | string[]> {
  const kept = Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]))
  return {
    ...Object.fromEntries(kept),
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store, no-transform',
    'x-accel-buffering': 'no',
  }
}

function sinkOf(raw: ServerResponse): LiveSink {
  const frame = (event: string, data: string, id: string | null) => `${id === null ? '' : `id: ${id}\n`}event: ${event}\ndata: ${data}\n\n`
  return {
    send: (event, data, id) => {
      if (raw.destroyed || raw.writableEnded) return false
      if (raw.writableLength > BEHIND_BYTES) {
        raw.write(frame('reset', '{}', null))
        return false
      }
      raw.write(frame(event, data, id))
      return true
    },
    end: () => void raw.end(),
  }
}

/** @throws Fault `invalid_request`, `forbidden`, `role_missing` */
function topicsOf(caller: Caller, text: string | undefined): ReadonlySet<Topic> {
  if (text === undefined || text === '') return new Set(TOPICS.filter((topic) => allows(caller, NEEDS[topic])))
  return new Set(
    text.split(',').map((name) => {
      const topic = TOPICS.find((known) => known === name.trim())
      if (topic === undefined) throw new Fault('invalid_request', { field: 'topics', detail: `There is no topic \`${name}\`. There are ${TOPICS.join(', ')}.` })
      if (!allows(caller, NEEDS[topic]))
        throw new Fault(caller.person === null ? 'forbidden' : 'role_missing', { detail: `The topic \`${topic}\` needs the right \`${NEEDS[topic]}\`.` })
      return topic
    }),
  )
}

function overviewView({ at, sentence, counts, attention, expiring, weather, changes, agents, setup }: Overview, alerts: readonly object[]) {
  return {
    server_time: iso(at),
    sentence,
    counts: {
      total: counts.total,
      healthy: counts.healthy,
      needs_owner: counts.needsOwner,
      waiting: counts.waiting,
      blocked: counts.blocked,
      paused: counts.paused,
      disconnected: counts.disconnected,
    },
    attention: attention.map((cause) => ({
      cause: cause.status,
      provider: cause.provider,
      integration: cause.integration,
      code: cause.code,
      title: cause.title,
      operator_text: cause.operatorText,
      link_repairs: cause.linkRepairs,
      connections: cause.connections,
      since: isoOrNull(cause.since),
      filter: { status: cause.status, integration: cause.integration, ...(cause.code === null || cause.status === 'blocked' ? {} : { code: cause.code }) },
    })),
    expiring,
    weather: weather.map(({ provider, name, requests, failures, breaker, openSince, spark }) => ({
      provider,
      name,
      requests,
      failures,
      breaker,
      open_since: isoOrNull(openSince),
      spark,
    })),
    changes: changes.map(eventView),
    alerts,
    agents: { agents: agents.agents, installations: agents.installations, locked: agents.locked, healed_24h: agents.healed },
    setup: { has_integration: setup.hasIntegration, has_connection: setup.hasConnection, has_refresh: setup.hasRefresh, has_reconnect: setup.hasReconnect },
  }
}
