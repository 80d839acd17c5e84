import { Type } from 'typebox'
import { Fault } from '../../core/fault/fault.ts'
import { type IncidentId, idPattern } from '../../core/ids.ts'
import type { Instant } from '../../core/time.ts'
import { agentCallerOf } from '../agent-caller.ts'
import { callerOf } from '../authentication.ts'
import { requireRecent } from '../governing.ts'
import { idPage, pageAnswer } from '../id-page.ts'
import { AgentIdSchema, type App, closed, IncidentIdSchema, PageQuery, PROBLEMS, pageOf } from '../schema.ts'
import type { Services } from '../services.ts'
import { IncidentView, incidentView, NoteAnswer, noteView, SnapshotView, snapshotView, TrustView, trustView } from './trust-view.ts'

const TAGS = ['agents']
const Params = closed({ id: AgentIdSchema })
const NoteBody = closed({
  note: Type.String({ minLength: 1, maxLength: 1_000, pattern: '^[^\\u0000-\\u0008\\u000b-\\u001f\\u007f\\ud800-\\udfff]+$', description: 'For people.' }),
})
const READ = { access: 'agents:read' as const, own: true as const }
const WRITE = { access: 'agents:write' as const, own: true as const }

/** How far an agent may be trusted, why, and what went wrong with it. docs/concepts/trust-score.md. */
export function agentTrustRoutes(app: App, services: Services): void {
  scoreRoutes(app, services)
  incidentRoutes(app, services)
  noteRoute(app, services)
}

function scoreRoutes(app: App, { trust }: Services): void {
  app.get(
    '/api/v1/agents/:id/trust',
    {
      config: READ,
      schema: {
        summary: 'Explain the trust score of an agent',
        description: 'As it is now. It informs people: no request is let in or refused because of it.',
        tags: TAGS,
        params: Params,
        response: { 200: TrustView, ...PROBLEMS },
      },
    },
    async (request) => {
      const { explanation, notes } = await trust.explain(agentCallerOf(callerOf(request)), request.params.id)
      return trustView(explanation, notes)
    },
  )
  app.get(
    '/api/v1/agents/:id/trust/history',
    {
      config: READ,
      schema: {
        summary: 'The trust score of an agent over time',
        description: 'One snapshot a day and one after each incident, newest first, with all that it was computed from.',
        tags: TAGS,
        params: Params,
        querystring: closed(PageQuery),
        response: { 200: pageOf(SnapshotView), ...PROBLEMS },
      },
    },
    async (request) => {
      const { limit = 50, cursor } = request.query
      const found = await trust.history(agentCallerOf(callerOf(request)), request.params.id, { limit: limit + 1, before: beforeOf(cursor) })
      const items = found.slice(0, limit)
      const last = items.at(-1)
      const more = found.length > limit && last !== undefined
      return { items: items.map(snapshotView), cursor: more ? Buffer.from(String(last.at), 'utf8').toString('base64url') : null }
    },
  )
}

/** @throws Fault `invalid_request` */
function beforeOf(cursor: string | undefined): Instant | null {
  if (cursor === undefined) return null
  const text = Buffer.from(cursor, 'base64url').toString('utf8')
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new Fault('invalid_request', { detail: 'cursor is not one that a list returned; leave it out to start over', field: 'cursor' })
}

function incidentRoutes(app: App, { trust, clock }: Services): void {
  app.get(
    '/api/v1/agents/:id/incidents',
    {
      config: READ,
      schema: {
        summary: 'List the incidents of an agent',
        description: 'Newest first, closed ones too.',
        tags: TAGS,
        params: Params,
        querystring: closed(PageQuery),
        response: { 200: pageOf(IncidentView), ...PROBLEMS },
      },
    },
    async (request) => {
      const page = idPage<IncidentId>(request.query, idPattern('inc'))
      return pageAnswer(await trust.incidents(agentCallerOf(callerOf(request)), request.params.id, page), page, incidentView)
    },
  )
  app.post(
    '/api/v1/incidents/:id/close',
    {
      config: WRITE,
      schema: {
        summary: 'Close an incident',
        description: 'Says that somebody looked at it and that its cause is gone. It unlocks nothing. Repeating it changes nothing: the first closure stays.',
        tags: TAGS,
        params: closed({ id: IncidentIdSchema }),
        body: NoteBody,
        response: { 200: IncidentView, ...PROBLEMS },
      },
    },
    async (request) => {
      const caller = callerOf(request)
      requireRecent(caller, clock)
      return incidentView(await trust.closeIncident(agentCallerOf(caller), request.params.id, request.body.note))
    },
  )
}

function noteRoute(app: App, { trust }: Services): void {
  app.post(
    '/api/v1/agents/:id/notes',
    {
      config: WRITE,
      schema: {
        summary: 'Write a note about an agent',
        description: 'Dated, with who wrote it, and never changed. It stands beside the trust score and moves no number.',
        tags: TAGS,
        params: Params,
        body: NoteBody,
        response: { 201: NoteAnswer, ...PROBLEMS },
      },
    },
    async (request, reply) => reply.code(201).send(noteView(await trust.note(agentCallerOf(callerOf(request)), request.params.id, request.body.note))),
  )
}
