import { Type } from 'typebox'
import { Fault } from '../../core/fault/fault.ts'
import { SERIES, type SeriesName } from '../../core/observe/history-series.ts'
import { DAY } from '../../core/time.ts'
import { callerOf } from '../authentication.ts'
import { iso } from '../connection-view.ts'
import { instantOf } from '../input.ts'
import { type App, closed, PROBLEMS, Time, TimeInput } from '../schema.ts'
import type { Services } from '../services.ts'

const View = Type.Object({
  step: Type.String({ description: '`hour` up to seven days, `day` above.' }),
  from: Time,
  series: Type.Array(
    Type.Object({
      name: Type.String(),
      labels: Type.Object({}, { additionalProperties: true }),
      points: Type.Array(Type.Array(Type.Unsafe<string | number>({ type: ['string', 'number'] })), { description: 'Time and value, oldest first.' }),
    }),
  ),
})
const USUAL_MS = DAY
const LONGEST_MS = 400 * DAY

/** The hours behind the plots. */
export function historyRoutes(app: App, { history, clock }: Services): void {
  app.get(
    '/api/v1/metrics/history',
    {
      config: { access: 'events:read' },
      schema: {
        summary: 'Read the history of figures',
        description: `Kept as long as EVERGRANT_HISTORY_DAYS says. Series: ${SERIES.join(', ')}.`,
        tags: ['events'],
        querystring: closed({
          series: Type.String({ minLength: 1, maxLength: 1_000, description: 'Names, separated by commas.' }),
          from: Type.Optional(TimeInput),
          to: Type.Optional(TimeInput),
          by: Type.Optional(Type.Unsafe<'provider' | 'none'>({ type: 'string', enum: ['provider', 'none'] })),
        }),
        response: { 200: View, ...PROBLEMS },
      },
    },
    async (request) => {
      const { query } = request
      const to = instantOf(query.to, '/to') ?? clock.wall()
      const from = instantOf(query.from, '/from') ?? to - USUAL_MS
      if (to <= from || to - from > LONGEST_MS)
        throw new Fault('invalid_request', { field: 'from', detail: '`from` must be before `to`, and no more than 400 days before it.' })
      const answer = await history.read(callerOf(request).organization, namesOf(query.series), from, to, query.by === 'provider')
      return {
        step: answer.step,
        from: iso(answer.from),
        series: answer.series.map(({ name, labels, points }) => ({ name, labels, points: points.map(([at, value]) => [iso(at), value]) })),
      }
    },
  )
}

function namesOf(text: string): readonly SeriesName[] {
  return [...new Set(text.split(','))].map((name) => {
    const known = SERIES.find((series) => series === name.trim())
    if (known === undefined)
      throw new Fault('invalid_request', { field: 'series', detail: `There is no series \`${name.slice(0, 60)}\`. There are ${SERIES.join(', ')}.` })
    return known
  })
}
