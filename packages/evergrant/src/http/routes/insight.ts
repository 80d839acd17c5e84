import { Type } from 'typebox'
import type { ConnectionDetails } from '../../core/connection/connection-service.ts'
import type { Facet } from '../../core/observe/console-service.ts'
import type { TimelineItem } from '../../core/observe/timeline.ts'
import type { Why } from '../../core/observe/why.ts'
import { callerOf } from '../authentication.ts'
import { CONNECTION_FILTER, SortQuery, sortIn, wantedOf } from '../connection-query.ts'
import { iso, isoOrNull } from '../connection-view.ts'
import { csvLine, streamed } from '../csv.ts'
import { eventView } from '../owner-view.ts'
import { ownerWithin, requireReach } from '../reach.ts'
import { type App, ConnectionIdSchema, closed, nullable, PageQuery, PROBLEMS, pageOf, Time } from '../schema.ts'
import type { Caller, Services } from '../services.ts'

const Params = closed({ id: ConnectionIdSchema })
const FacetView = Type.Array(Type.Object({ value: Type.String(), name: Type.String(), count: Type.Integer() }))
const FacetsView = Type.Object({ total: Type.Integer(), status: FacetView, provider: FacetView, integration: FacetView, code: FacetView })
const Anything = Type.Object({}, { additionalProperties: true })
const WhyView = Type.Object({
  sentence: Type.String(),
  status: Type.String(),
  steps: Type.Array(Type.Object({ at: Time, what: Type.String(), detail: nullable(Type.String()) }), { description: 'Oldest first.' }),
  rule: nullable(Anything),
  evidence: nullable(Anything),
  next: Type.Object({ what: Type.String(), at: nullable(Time) }),
  retries: Type.Array(Type.Object({ failures: Type.Integer(), since: nullable(Time), at: nullable(Time) })),
})
const TimelineView = Type.Object({
  kind: Type.String({ description: '`event`, or `use`: one hour of uses by one actor.' }),
  at: Time,
  event: Type.Optional(Anything),
  use: Type.Optional(Anything),
})

const COLUMNS = [
  'id',
  'status',
  'provider',
  'integration',
  'owner',
  'account',
  'label',
  'tags',
  'fault',
  'expires_at',
  'ends_at',
  'last_success_at',
  'next_at',
  'created_at',
]
const EXPORT_PAGE = 200

/** What operators ask of connections beyond reading them: counts, reasons, histories, tables. */
export function insightRoutes(app: App, services: Services): void {
  tableRoutes(app, services)
  storyRoutes(app, services)
}

/** The filter, cut to what the caller reaches. Null: that is nothing. */
function withinReach(caller: Caller, wanted: ReturnType<typeof wantedOf>): ReturnType<typeof wantedOf> | null {
  const within = ownerWithin(caller, wanted.owner)
  return within === 'nobody' ? null : { ...wanted, ...within }
}

function tableRoutes(app: App, { console: desk }: Services): void {
  app.get(
    '/api/v1/connections/facets',
    {
      config: { access: 'connections:read', own: true },
      schema: {
        summary: 'Count connections',
        description: 'By status, provider, integration and fault code, for the same filter as the list.',
        tags: ['connections'],
        querystring: closed(CONNECTION_FILTER),
        response: { 200: FacetsView, ...PROBLEMS },
      },
    },
    async (request) => {
      const caller = callerOf(request)
      const wanted = withinReach(caller, wantedOf(request.query))
      if (wanted === null) return { total: 0, status: [], provider: [], integration: [], code: [] }
      const { total, statuses, providers, integrations, codes } = await desk.facets(caller.organization, wanted)
      return { total, status: facetView(statuses), provider: facetView(providers), integration: facetView(integrations), code: facetView(codes) }
    },
  )
  app.get(
    '/api/v1/connections/export',
    {
      config: { access: 'connections:read', own: true },
      schema: {
        summary: 'Export connections as CSV',
        description: 'Streamed: all that match, in the order asked for. No secret is in it.',
        tags: ['connections'],
        querystring: closed({ ...CONNECTION_FILTER, sort: SortQuery }),
        response: { 200: Type.String({ description: 'text/csv' }), ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request)
      const { sort, ...filter } = request.query
      const order = sortIn(sort)
      const wanted = withinReach(caller, wantedOf(filter))
      const page = (cursor: string | null) =>
        wanted === null ? Promise.resolve({ items: [], cursor: null }) : desk.connections(caller.organization, wanted, order, { limit: EXPORT_PAGE, cursor })
      const table = await streamed(csvLine(COLUMNS), page, rowOf)
      return reply.type('text/csv; charset=utf-8').header('content-disposition', 'attachment; filename="connections.csv"').send(table)
    },
  )
}

const facetView = (facets: readonly Facet[]) => facets.map(({ value, name, count }) => ({ value, name, count }))

function rowOf({ row: { connection, credential, health }, integration, status }: ConnectionDetails): string {
  return csvLine([
    connection.id,
    status,
    integration.provider,
    integration.slug,
    connection.owner,
    connection.account,
    connection.accountLabel,
    connection.tags.join(' '),
    (status === 'blocked' ? integration.blocked : connection.fault)?.code ?? null,
    isoOrNull(credential.accessExpiresAt),
    isoOrNull(health.endsAt),
    isoOrNull(connection.lastRefreshedAt),
    isoOrNull(health.dueAt),
    iso(connection.createdAt),
  ])
}

function storyRoutes(app: App, { stories, connections }: Services): void {
  app.get(
    '/api/v1/connections/:id/why',
    {
      config: { access: 'connections:read', own: true },
      schema: {
        summary: 'Why a connection is in its state',
        description: 'How it came to this, how the answer of the provider was understood, and what happens next.',
        tags: ['connections'],
        params: Params,
        response: { 200: WhyView, ...PROBLEMS },
      },
    },
    async (request) => {
      const caller = callerOf(request)
      await requireReach(connections, caller, request.params.id)
      const { why, status } = await stories.why(caller.organization, request.params.id)
      return whyView(why, status)
    },
  )
  app.get(
    '/api/v1/connections/:id/timeline',
    {
      config: { access: 'connections:read', own: true },
      schema: {
        summary: 'What happened to a connection',
        description: 'Events, and uses by the hour, newest first. A page may hold more items than `limit`: uses come with the events that they lie between.',
        tags: ['connections'],
        params: Params,
        querystring: closed(PageQuery),
        response: { 200: pageOf(TimelineView), ...PROBLEMS },
      },
    },
    async (request) => {
      const caller = callerOf(request)
      const { limit = 50, cursor } = request.query
      await requireReach(connections, caller, request.params.id)
      const place = placeOf(cursor)
      const found = await stories.timeline(caller.organization, request.params.id, { limit, cursor: place.events }, place.newer)
      const lastEvent = found.items.findLast((item) => item.kind === 'event')
      return {
        items: found.items.map(timelineView),
        cursor: found.cursor === null || lastEvent === undefined ? null : `${found.cursor}.${lastEvent.at.toString(36)}`,
      }
    },
  )
}

/** The cursor of the events, and when the last of them happened. */
function placeOf(cursor: string | undefined): { readonly events: string | null; readonly newer: number | null } {
  if (cursor === undefined) return { events: null, newer: null }
  const [events = '', at = ''] = cursor.split('.')
  const newer = Number.parseInt(at, 36)
  return { events, newer: Number.isNaN(newer) ? null : newer }
}

function whyView({ sentence, steps, rule, fault, next, retries }: Why, status: string) {
  const evidence = fault === null ? null : { code: fault.code, at: iso(fault.at), ...evidenceView(fault.evidence) }
  return {
    sentence,
    status,
    steps: steps.map(({ at, what, detail }) => ({ at: iso(at), what, detail })),
    rule:
      rule === null
        ? null
        : { code: rule.code, class: rule.class, blame: rule.blame, effect: rule.effect, retry: rule.retry, operator_text: rule.operatorText },
    evidence,
    next: { what: next.what, at: isoOrNull(next.at) },
    retries: retries.failures === 0 ? [] : [{ failures: retries.failures, since: isoOrNull(retries.since), at: isoOrNull(retries.nextAttemptAt) }],
  }
}

function evidenceView({ intent, httpStatus, providerCode, providerText, answerHash }: NonNullable<Why['fault']>['evidence']) {
  return { intent, http_status: httpStatus, provider_code: providerCode, provider_text: providerText, answer_hash: answerHash }
}

function timelineView(item: TimelineItem) {
  if (item.kind === 'event') return { kind: item.kind, at: iso(item.at), event: eventView(item.event) }
  return { kind: item.kind, at: iso(item.at), use: { actor: item.actor, access: item.access, count: item.count } }
}
