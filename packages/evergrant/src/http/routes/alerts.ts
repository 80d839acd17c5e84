import { type Static, Type } from 'typebox'
import type { RuleChange } from '../../core/alert/alert-service.ts'
import { ALERT_KINDS, type AlertKind, SEVERITIES, type Severity } from '../../core/alert/rule.ts'
import { type AlertId, type ChannelId, idPattern } from '../../core/ids.ts'
import { AlertItemView, AlertView, alertView, itemView, RuleView, ruleView } from '../alert-view.ts'
import { actorOf, callerOf } from '../authentication.ts'
import { instantOf } from '../input.ts'
import { type App, closed, nullable, PageQuery, PROBLEMS, pageOf, TimeInput } from '../schema.ts'
import type { Services } from '../services.ts'
import { pageRequest } from './connections.ts'

const AlertIdSchema = Type.Unsafe<AlertId>({ type: 'string', pattern: idPattern('alt'), description: 'Id of an alert.' })
const ChannelIdSchema = Type.Unsafe<ChannelId>({ type: 'string', pattern: idPattern('chn'), description: 'Id of a channel.' })
const Params = closed({ id: AlertIdSchema })

const RuleInput = closed({
  id: Type.Optional(Type.String({ maxLength: 60 })),
  kind: Type.Unsafe<AlertKind>({ type: 'string', enum: [...ALERT_KINDS] }),
  enabled: Type.Optional(Type.Boolean()),
  threshold: Type.Optional(nullable(Type.Integer({ minimum: 1, maximum: 100 }))),
  minutes: Type.Optional(nullable(Type.Integer({ minimum: 1, maximum: 10_080 }))),
  severity: Type.Optional(Type.Unsafe<Severity>({ type: 'string', enum: [...SEVERITIES] })),
  channels: Type.Optional(nullable(Type.Array(ChannelIdSchema, { maxItems: 50, uniqueItems: true }))),
  group_minutes: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_080 })),
  notify_owner: Type.Optional(Type.Boolean()),
})
const Rules = Type.Object({ items: Type.Array(RuleView) })

/** Rules, and what they found. */
export function alertRoutes(app: App, services: Services): void {
  ruleRoutes(app, services)
  const { alerts, alertLinks, clock } = services
  const view = (alert: Parameters<typeof alertView>[0]) => alertView(alert, alertLinks, clock.wall())
  app.get(
    '/api/v1/alerts',
    {
      config: { access: 'events:read' },
      schema: {
        summary: 'List alerts',
        description: '`open` also holds what was acknowledged or snoozed.',
        tags: ['alerts'],
        querystring: closed({ ...PageQuery, state: Type.Optional(Type.Unsafe<'open' | 'resolved'>({ type: 'string', enum: ['open', 'resolved'] })) }),
        response: { 200: pageOf(AlertView), ...PROBLEMS },
      },
    },
    async (request) => {
      const { state } = request.query
      const found = await alerts.list(callerOf(request).organization, state === undefined ? null : state === 'resolved', pageRequest(request.query))
      return { items: found.items.map(view), cursor: found.cursor }
    },
  )
  app.get(
    '/api/v1/alerts/:id',
    {
      config: { access: 'events:read' },
      schema: {
        summary: 'Read an alert',
        description: 'With the first 200 of what joined it.',
        tags: ['alerts'],
        params: Params,
        response: { 200: Type.Object({ ...AlertView.properties, items: Type.Array(AlertItemView) }), ...PROBLEMS },
      },
    },
    async (request) => {
      const { alert, items } = await alerts.get(callerOf(request).organization, request.params.id)
      return { ...view(alert), items: items.map(itemView) }
    },
  )
  decisionRoutes(app, services)
}

function decisionRoutes(app: App, { alerts, alertLinks, clock }: Services): void {
  const view = (alert: Parameters<typeof alertView>[0]) => alertView(alert, alertLinks, clock.wall())
  app.post(
    '/api/v1/alerts/:id/acknowledge',
    {
      config: { access: 'connections:write' },
      schema: {
        summary: 'Take an alert on',
        description: 'Nobody is told more of it until it is over.',
        tags: ['alerts'],
        params: Params,
        response: { 200: AlertView, ...PROBLEMS },
      },
    },
    async (request) => {
      const caller = callerOf(request)
      return view(await alerts.acknowledge(caller.organization, request.params.id, actorOf(caller)))
    },
  )
  app.post(
    '/api/v1/alerts/:id/snooze',
    {
      config: { access: 'connections:write' },
      schema: {
        summary: 'Snooze an alert',
        description: 'Nobody is told of it until then; afterwards they are reminded.',
        tags: ['alerts'],
        params: Params,
        body: closed({ until: TimeInput }),
        response: { 200: AlertView, ...PROBLEMS },
      },
    },
    async (request) => {
      const caller = callerOf(request)
      const until = instantOf(request.body.until, '/until') ?? 0
      return view(await alerts.snooze(caller.organization, request.params.id, until, actorOf(caller)))
    },
  )
  app.post(
    '/api/v1/alerts/:id/resolve',
    {
      config: { access: 'connections:write' },
      schema: {
        summary: 'Resolve an alert',
        description: 'Over, because a person says so. It opens anew when something joins it.',
        tags: ['alerts'],
        params: Params,
        response: { 200: AlertView, ...PROBLEMS },
      },
    },
    async (request) => {
      const caller = callerOf(request)
      return view(await alerts.resolve(caller.organization, request.params.id, actorOf(caller)))
    },
  )
}

function ruleRoutes(app: App, { alerts }: Services): void {
  app.get(
    '/api/v1/alert-rules',
    { config: { access: 'events:read' }, schema: { summary: 'List alert rules', tags: ['alerts'], response: { 200: Rules, ...PROBLEMS } } },
    async (request) => ({ items: (await alerts.rules(callerOf(request).organization)).map(ruleView) }),
  )
  app.put(
    '/api/v1/alert-rules',
    {
      config: { access: 'integrations:write' },
      schema: {
        summary: 'Change alert rules',
        description: 'Rules that are not named, and fields that are left out, stay as they are.',
        tags: ['alerts'],
        body: closed({ items: Type.Array(RuleInput, { minItems: 1, maxItems: ALERT_KINDS.length }) }),
        response: { 200: Rules, ...PROBLEMS },
      },
    },
    async (request) => {
      const caller = callerOf(request)
      return { items: (await alerts.putRules(caller.organization, request.body.items.map(changeOf), actorOf(caller))).map(ruleView) }
    },
  )
}

function changeOf({ id: _id, group_minutes, notify_owner, ...rest }: Static<typeof RuleInput>): RuleChange {
  const renamed = {
    ...rest,
    ...(group_minutes === undefined ? {} : { groupMinutes: group_minutes }),
    ...(notify_owner === undefined ? {} : { notifyOwner: notify_owner }),
  }
  return Object.fromEntries(Object.entries(renamed).filter(([, value]) => value !== undefined)) as unknown as RuleChange
}
