import { Type } from 'typebox'
import { Fault } from '../../core/fault/fault.ts'
import { type DeliveryId, idPattern, type WebhookId } from '../../core/ids.ts'
import { DEFAULT_TYPES } from '../../core/webhook/endpoint.ts'
import { DeliveryView, deliveryView, WebhookView, webhookView } from '../alert-view.ts'
import { actorOf, callerOf } from '../authentication.ts'
import { requireRecent } from '../governing.ts'
import { instantOf } from '../input.ts'
import { eventView } from '../owner-view.ts'
import { type App, closed, EVENT_PATTERN, LINE, nullable, PageQuery, PROBLEMS, pageOf, TimeInput } from '../schema.ts'
import type { Services } from '../services.ts'
import { pageRequest } from './connections.ts'

const WebhookIdSchema = Type.Unsafe<WebhookId>({ type: 'string', pattern: idPattern('whk'), description: 'Id of a webhook.' })
const DeliveryIdSchema = Type.Unsafe<DeliveryId>({ type: 'string', pattern: idPattern('dlv'), description: 'Id of a delivery.' })
const Params = closed({ id: WebhookIdSchema })
const DeliveryParams = closed({ id: DeliveryIdSchema })
const Name = Type.String({ minLength: 1, maxLength: 100, pattern: LINE })
const Url = Type.String({ minLength: 8, maxLength: 2_000, pattern: LINE, description: 'https. Redirects are not followed.' })
const Types = Type.Array(Type.String({ pattern: EVENT_PATTERN }), {
  minItems: 1,
  maxItems: 100,
  uniqueItems: true,
  description: `Event types, \`connection.*\`, or \`*\`. Left out: ${DEFAULT_TYPES.join(', ')}.`,
})
const IssuedView = Type.Object({ ...WebhookView.properties, secret: Type.String({ description: '`whsec_...`. Shown once.' }) })
const DAY_SECONDS = 86_400
const LONGEST_OVERLAP_SECONDS = 30 * DAY_SECONDS

/** Where applications hear of events, and what became of each. */
export function webhookRoutes(app: App, services: Services): void {
  endpointRoutes(app, services)
  secretRoutes(app, services)
  sendingRoutes(app, services)
  deliveryRoutes(app, services)
}

function endpointRoutes(app: App, { webhooks, channels, clock }: Services): void {
  app.get(
    '/api/v1/webhooks',
    {
      config: { access: 'events:read' },
      schema: {
        summary: 'List webhooks',
        tags: ['webhooks'],
        response: { 200: Type.Object({ items: Type.Array(WebhookView), cursor: Type.Null() }), ...PROBLEMS },
      },
    },
    async (request) => ({ items: (await webhooks.list(callerOf(request).organization)).map(webhookView), cursor: null }),
  )
  app.get(
    '/api/v1/webhooks/:id',
    {
      config: { access: 'events:read' },
      schema: { summary: 'Read a webhook', tags: ['webhooks'], params: Params, response: { 200: WebhookView, ...PROBLEMS } },
    },
    async (request) => webhookView(await webhooks.get(callerOf(request).organization, request.params.id)),
  )
  app.post(
    '/api/v1/webhooks',
    {
      config: { access: 'integrations:write' },
      schema: {
        summary: 'Create a webhook',
        description: 'Deliveries follow the Standard Webhooks specification; verify them with the secret, which is shown once.',
        tags: ['webhooks'],
        body: closed({ name: Name, url: Url, types: Type.Optional(Types) }),
        response: { 201: IssuedView, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request)
      requireRecent(caller, clock)
      const { name, url, types } = request.body
      const { endpoint, secret } = await webhooks.create(caller.organization, { name, url, types }, actorOf(caller))
      return reply.code(201).send({ ...webhookView(endpoint), secret })
    },
  )
  app.patch(
    '/api/v1/webhooks/:id',
    {
      config: { access: 'integrations:write' },
      schema: {
        summary: 'Change a webhook',
        description: 'Another address, or switching it on, closes the circuit.',
        tags: ['webhooks'],
        params: Params,
        body: closed({ name: Type.Optional(Name), url: Type.Optional(Url), types: Type.Optional(Types), enabled: Type.Optional(Type.Boolean()) }),
        response: { 200: WebhookView, ...PROBLEMS },
      },
    },
    async (request) => {
      const caller = callerOf(request)
      if (request.body.url !== undefined) requireRecent(caller, clock)
      return webhookView(await webhooks.change(caller.organization, request.params.id, request.body, actorOf(caller)))
    },
  )
  app.delete(
    '/api/v1/webhooks/:id',
    {
      config: { access: 'integrations:write' },
      schema: {
        summary: 'Delete a webhook',
        description: 'With its deliveries. Refused while a channel tells of alerts through it.',
        tags: ['webhooks'],
        params: Params,
        response: { 204: Type.Null(), ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request)
      const { id } = request.params
      const teller = (await channels.list(caller.organization)).find(({ webhook }) => webhook === id)
      if (teller !== undefined)
        throw new Fault('conflict', {
          detail: `The channel "${teller.name}" tells of alerts through this webhook. Delete the channel first: nobody would hear of them.`,
        })
      await webhooks.remove(caller.organization, id, actorOf(caller))
      return reply.code(204).send()
    },
  )
}

function secretRoutes(app: App, { webhooks, clock }: Services): void {
  app.post(
    '/api/v1/webhooks/:id/rotate-secret',
    {
      config: { access: 'integrations:write' },
      schema: {
        summary: 'Rotate the secret of a webhook',
        description: 'The old secret signs beside the new one for the overlap, so that the receiver changes over without losing anything.',
        tags: ['webhooks'],
        params: Params,
        body: Type.Optional(closed({ overlap_seconds: Type.Optional(Type.Integer({ minimum: 0, maximum: LONGEST_OVERLAP_SECONDS, default: DAY_SECONDS })) })),
        response: { 200: IssuedView, ...PROBLEMS },
      },
    },
    async (request) => {
      const caller = callerOf(request)
      requireRecent(caller, clock)
      const overlapMs = (request.body?.overlap_seconds ?? DAY_SECONDS) * 1_000
      const { endpoint, secret } = await webhooks.rotateSecret(caller.organization, request.params.id, overlapMs, actorOf(caller))
      return { ...webhookView(endpoint), secret }
    },
  )
}

function sendingRoutes(app: App, { webhooks }: Services): void {
  app.post(
    '/api/v1/webhooks/:id/enable',
    {
      config: { access: 'integrations:write' },
      schema: {
        summary: 'Switch a webhook on',
        description: 'Closes the circuit, too: what waits is sent at once.',
        tags: ['webhooks'],
        params: Params,
        response: { 200: WebhookView, ...PROBLEMS },
      },
    },
    async (request) => {
      const caller = callerOf(request)
      return webhookView(await webhooks.enable(caller.organization, request.params.id, actorOf(caller)))
    },
  )
  app.post(
    '/api/v1/webhooks/:id/test',
    {
      config: { access: 'integrations:write' },
      schema: {
        summary: 'Test a webhook',
        description: 'Sends `webhook.tested` at once, one time, whatever the circuit says.',
        tags: ['webhooks'],
        params: Params,
        response: { 200: DeliveryView, ...PROBLEMS },
      },
    },
    async (request) => {
      const caller = callerOf(request)
      const { delivery, attempt } = await webhooks.test(caller.organization, request.params.id, actorOf(caller))
      return deliveryView(delivery, [attempt])
    },
  )
  app.post(
    '/api/v1/webhooks/:id/replay',
    {
      config: { access: 'integrations:write' },
      schema: {
        summary: 'Replay deliveries',
        description: 'Sends again what was made since then, under the same ids; `failed_only` leaves out what was taken.',
        tags: ['webhooks'],
        params: Params,
        body: closed({ since: TimeInput, failed_only: Type.Optional(Type.Boolean({ default: false })) }),
        response: { 200: Type.Object({ deliveries: Type.Integer() }), ...PROBLEMS },
      },
    },
    async (request) => {
      const caller = callerOf(request)
      const { since, failed_only: failedOnly = false } = request.body
      return { deliveries: await webhooks.replaySince(caller.organization, request.params.id, instantOf(since, '/since') ?? 0, failedOnly, actorOf(caller)) }
    },
  )
}

function deliveryRoutes(app: App, { webhooks }: Services): void {
  app.get(
    '/api/v1/webhooks/:id/deliveries',
    {
      config: { access: 'events:read' },
      schema: {
        summary: 'List deliveries',
        description: 'Newest first. Finished ones are kept for 30 days.',
        tags: ['webhooks'],
        params: Params,
        querystring: closed({
          ...PageQuery,
          state: Type.Optional(Type.Unsafe<'waiting' | 'delivered' | 'failed'>({ type: 'string', enum: ['waiting', 'delivered', 'failed'] })),
        }),
        response: { 200: pageOf(DeliveryView), ...PROBLEMS },
      },
    },
    async (request) => {
      const { page, tries } = await webhooks.deliveries(
        callerOf(request).organization,
        request.params.id,
        request.query.state ?? null,
        pageRequest(request.query),
      )
      return { items: page.items.map((delivery) => deliveryView(delivery, tries.get(delivery.id) ?? [])), cursor: page.cursor }
    },
  )
  app.get(
    '/api/v1/deliveries/:id',
    {
      config: { access: 'events:read' },
      schema: {
        summary: 'Read a delivery',
        tags: ['webhooks'],
        params: DeliveryParams,
        response: { 200: Type.Object({ ...DeliveryView.properties, event: nullable(Type.Object({}, { additionalProperties: true })) }), ...PROBLEMS },
      },
    },
    async (request) => {
      const { delivery, tries, event } = await webhooks.delivery(callerOf(request).organization, request.params.id)
      return { ...deliveryView(delivery, tries), event: event === undefined ? null : eventView(event) }
    },
  )
  app.post(
    '/api/v1/deliveries/:id/replay',
    {
      config: { access: 'integrations:write' },
      schema: {
        summary: 'Replay a delivery',
        description: 'Sends it again, under the same id.',
        tags: ['webhooks'],
        params: DeliveryParams,
        response: { 200: DeliveryView, ...PROBLEMS },
      },
    },
    async (request) => {
      const caller = callerOf(request)
      await webhooks.replay(caller.organization, request.params.id, actorOf(caller))
      const { delivery, tries } = await webhooks.delivery(caller.organization, request.params.id)
      return deliveryView(delivery, tries)
    },
  )
}
