import { Type } from 'typebox'
import { Fault } from '../../core/fault/fault.ts'
import { DAY, HOUR } from '../../core/time.ts'
import { callerOf } from '../authentication.ts'
import { ConnectionView, connectionView, iso } from '../connection-view.ts'
import { instantOf } from '../input.ts'
import { type App, closed, PageQuery, PROBLEMS, pageOf, Time, TimeInput } from '../schema.ts'
import type { Services } from '../services.ts'
import { pageRequest } from './connections.ts'

const SPAN = { from: Type.Optional(TimeInput), to: Type.Optional(TimeInput) }
const BucketView = Type.Object({
  from: Time,
  to: Time,
  lane: Type.String(),
  human: Type.Integer({ description: 'They end, and somebody has to act before.' }),
  automatic: Type.Integer({ description: 'They are renewed by themselves.' }),
})
const USUAL_MS = 30 * DAY
const LONGEST_MS = 400 * DAY
/** Buckets by the length of the span: about as many as a person can tell apart. */
const BUCKETS = [
  { upTo: 2 * DAY, ms: HOUR },
  { upTo: 14 * DAY, ms: 6 * HOUR },
  { upTo: 120 * DAY, ms: DAY },
  { upTo: LONGEST_MS, ms: 7 * DAY },
] as const

/** What ends, and what is renewed before it does. */
export function expiryRoutes(app: App, { console: desk, clock, repairLink }: Services): void {
  app.get(
    '/api/v1/expiries',
    {
      config: { access: 'connections:read' },
      schema: {
        summary: 'Count what expires',
        description: 'In buckets of an hour to a week, by the length of the span; 30 days from now by default. Empty buckets are left out.',
        tags: ['connections'],
        querystring: closed({ ...SPAN, lane: Type.Optional(Type.Unsafe<'provider' | 'none'>({ type: 'string', enum: ['provider', 'none'] })) }),
        response: { 200: Type.Object({ buckets: Type.Array(BucketView), lanes: Type.Array(Type.String()), bucket_seconds: Type.Integer() }), ...PROBLEMS },
      },
    },
    async (request) => {
      const span = spanOf(request.query, clock.wall())
      const bucketMs = BUCKETS.find(({ upTo }) => span.to - span.from <= upTo)?.ms ?? DAY
      const from = Math.floor(span.from / HOUR) * HOUR
      const { buckets, lanes } = await desk.expiries(callerOf(request).organization, { from, to: span.to }, bucketMs, request.query.lane === 'provider')
      return { buckets: buckets.map((bucket) => ({ ...bucket, from: iso(bucket.from), to: iso(bucket.to) })), lanes, bucket_seconds: bucketMs / 1_000 }
    },
  )
  app.get(
    '/api/v1/expiries/list',
    {
      config: { access: 'connections:read' },
      schema: {
        summary: 'List what expires',
        description: 'The connections behind a bucket: soonest first.',
        tags: ['connections'],
        querystring: closed({
          ...SPAN,
          ...PageQuery,
          kind: Type.Optional(Type.Unsafe<'human' | 'automatic'>({ type: 'string', enum: ['human', 'automatic'], default: 'human' })),
          provider: Type.Optional(Type.String({ minLength: 1, maxLength: 64, pattern: '^[A-Za-z0-9_.-]+$' })),
        }),
        response: { 200: pageOf(ConnectionView), ...PROBLEMS },
      },
    },
    async (request) => {
      const { kind = 'human', provider } = request.query
      const span = spanOf(request.query, clock.wall())
      const of = provider === undefined ? {} : { provider }
      const wanted =
        kind === 'human'
          ? ({ ...of, ends: span, statuses: ['active', 'degraded', 'blocked', 'paused'] } as const)
          : ({ ...of, renews: span, statuses: ['active', 'degraded', 'blocked'] } as const)
      const sort = { by: kind === 'human' ? 'expires' : 'next', down: false } as const
      const found = await desk.connections(callerOf(request).organization, wanted, sort, pageRequest(request.query))
      return { items: found.items.map((details) => connectionView(details, repairLink(details))), cursor: found.cursor }
    },
  )
}

/** @throws Fault `invalid_request` for a span that is turned round or too long */
function spanOf(query: { readonly from?: string; readonly to?: string }, now: number): { readonly from: number; readonly to: number } {
  const from = instantOf(query.from, '/from') ?? now
  const to = instantOf(query.to, '/to') ?? from + USUAL_MS
  if (to <= from) throw new Fault('invalid_request', { field: 'to', detail: '`to` must be later than `from`.' })
  if (to - from > LONGEST_MS) throw new Fault('invalid_request', { field: 'to', detail: 'Ask for 400 days at most.' })
  return { from, to }
}
