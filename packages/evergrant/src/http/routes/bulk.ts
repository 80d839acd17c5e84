import { Type } from 'typebox'
import { Fault } from '../../core/fault/fault.ts'
import { idPattern } from '../../core/ids.ts'
import { BULK_ACTIONS, BULK_MOST, type BulkResult, type BulkVerb } from '../../core/observe/bulk-service.ts'
import { actorOf, allows, callerOf } from '../authentication.ts'
import { ConnectionFilterSchema, wantedOf } from '../connection-query.ts'
import { ConnectionView, connectionView, isoOrNull } from '../connection-view.ts'
import { type App, ConnectionIdSchema, closed, nullable, PROBLEMS, Time } from '../schema.ts'
import type { Caller, Services } from '../services.ts'

const ResultView = Type.Object({
  connection_id: Type.String(),
  outcome: Type.String({ description: '`done`, `same`: it was so already, or `refused`: `detail` says why.' }),
  detail: nullable(Type.String()),
  url: nullable(Type.String({ description: 'Of `reconnect_links`.' })),
})
const Report = Type.Object({
  bulk_id: nullable(Type.String({ description: 'What `undo` takes; null for what cannot be undone.' })),
  count: Type.Integer(),
  sample: Type.Array(ConnectionView, { description: 'The first ten.' }),
  undo_until: nullable(Time),
  results: Type.Array(ResultView),
})
const Body = closed({
  action: Type.Unsafe<BulkVerb>({ type: 'string', enum: [...BULK_ACTIONS] }),
  ids: Type.Optional(Type.Array(ConnectionIdSchema, { minItems: 1, maxItems: BULK_MOST, uniqueItems: true })),
  filter: Type.Optional(ConnectionFilterSchema),
  tag: Type.Optional(Type.String({ minLength: 1, maxLength: 64, pattern: '^[^\\u0000-\\u001f\\u007f\\ud800-\\udfff]+$' })),
  dry_run: Type.Optional(Type.Boolean({ description: 'Says what would be done, and does nothing.' })),
  confirm: Type.Optional(Type.String({ maxLength: 10, description: 'The number of connections; asked for `disconnect`.' })),
})
const BulkIdSchema = Type.Unsafe<`blk_${string}`>({ type: 'string', pattern: idPattern('blk'), description: 'Id of a bulk action.' })

/** One change to many connections. */
export function bulkRoutes(app: App, { bulks, console: desk, repairLink }: Services): void {
  app.post(
    '/api/v1/connections/bulk',
    {
      config: { access: 'connections:write' },
      schema: {
        summary: 'Change many connections',
        description: `Each as if it had been asked for alone, with its own event: at most ${BULK_MOST} in one request. Send \`ids\` or \`filter\`; \`dry_run\` first says how many and which.`,
        tags: ['connections'],
        body: Body,
        response: { 200: Report, ...PROBLEMS },
      },
    },
    async (request) => {
      const caller = callerOf(request)
      const { action, ids, filter, tag = null, dry_run: dryRun = false, confirm = null } = request.body
      requireScopeOf(caller, action)
      if ((ids === undefined) === (filter === undefined))
        throw new Fault('invalid_request', { field: '/ids', detail: 'Say which connections: send either `ids` or `filter`. An empty `filter` is all of them.' })
      const target = ids !== undefined ? { ids } : { search: await desk.search(caller.organization, wantedOf(filter ?? {}, '/filter')) }
      const report = await bulks.run({ organization: caller.organization, actor: actorOf(caller), action, target, tag, dryRun, confirm })
      return {
        bulk_id: report.id,
        count: report.count,
        sample: report.sample.map((details) => connectionView(details, repairLink(details))),
        undo_until: isoOrNull(report.undoUntil),
        results: report.results.map(resultView),
      }
    },
  )
  app.post(
    '/api/v1/connections/bulk/:id/undo',
    {
      config: { access: 'connections:write' },
      schema: {
        summary: 'Undo a change of many connections',
        description: 'For pause, resume, tag and untag, within ten minutes. Takes back what was really changed.',
        tags: ['connections'],
        params: closed({ id: BulkIdSchema }),
        response: { 200: Type.Object({ results: Type.Array(ResultView) }), ...PROBLEMS },
      },
    },
    async (request) => {
      const caller = callerOf(request)
      return { results: (await bulks.undo(caller.organization, request.params.id, actorOf(caller))).map(resultView) }
    },
  )
}

/** A link lets its owner grant again: it needs what a single one needs. */
function requireScopeOf(caller: Caller, action: BulkVerb): void {
  if (action === 'reconnect_links' && !allows(caller, 'connect'))
    throw new Fault(caller.person === null ? 'forbidden' : 'role_missing', { detail: 'Reconnect links need the right `connect`.' })
}

function resultView({ connection, outcome, detail, url }: BulkResult) {
  return { connection_id: connection, outcome, detail, url }
}
