import { type Static, Type } from 'typebox'
import { CHANNEL_KINDS, type ChannelKind } from '../../core/alert/channel.ts'
import type { QuietHours } from '../../core/alert/quiet-hours.ts'
import { type ChannelId, idPattern, type WebhookId } from '../../core/ids.ts'
import { ChannelView, channelView } from '../alert-view.ts'
import { actorOf, callerOf } from '../authentication.ts'
import { type App, closed, LINE, nullable, PROBLEMS } from '../schema.ts'
import type { Services } from '../services.ts'

const Params = closed({ id: Type.Unsafe<ChannelId>({ type: 'string', pattern: idPattern('chn'), description: 'Id of a channel.' }) })
const Name = Type.String({ minLength: 1, maxLength: 100, pattern: LINE })
const Url = Type.String({ minLength: 8, maxLength: 2_000, description: 'Slack: the address of the incoming webhook. Kept sealed, never shown.' })
const To = Type.Array(Type.String({ minLength: 3, maxLength: 254, pattern: LINE }), {
  minItems: 1,
  maxItems: 20,
  uniqueItems: true,
  description: 'Mail: addresses.',
})
const Digest = Type.Boolean({ description: 'Mail: one a day, at 08:00, with everything that is open.' })
const WhenWell = Type.Boolean({
  description: 'Mail with `digest`: the letter comes every day, also when all is well. Left out: only when there is something to tell.',
})
const TimeOfDay = Type.String({ pattern: '^(?:[01]\\d|2[0-3]):[0-5]\\d$', description: '`HH:MM`.' })
const QuietHoursInput = closed(
  { from: TimeOfDay, to: TimeOfDay, time_zone: Type.String({ minLength: 1, maxLength: 64, description: 'IANA name: Europe/Berlin.' }) },
  'When only what is critical is told. `from` after `to` goes over midnight.',
)
const Subscription = Type.Object(
  {
    endpoint: Type.String({ minLength: 8, maxLength: 2_000 }),
    keys: closed({ p256dh: Type.String({ maxLength: 200 }), auth: Type.String({ maxLength: 100 }) }),
  },
  { additionalProperties: true, description: 'Push: what `PushManager.subscribe` gave. Kept sealed, never shown.' },
)

/** Where operators are told of alerts. */
export function channelRoutes(app: App, services: Services): void {
  const { channels, pushKey, settings } = services
  app.get(
    '/api/v1/channels',
    {
      config: { access: 'events:read' },
      schema: {
        summary: 'List channels',
        tags: ['alerts'],
        response: { 200: Type.Object({ items: Type.Array(ChannelView), cursor: Type.Null() }), ...PROBLEMS },
      },
    },
    async (request) => ({ items: (await channels.list(callerOf(request).organization)).map(channelView), cursor: null }),
  )
  app.post(
    '/api/v1/channels',
    {
      config: { access: 'integrations:write' },
      schema: {
        summary: 'Create a channel',
        tags: ['alerts'],
        body: closed({
          kind: Type.Unsafe<ChannelKind>({ type: 'string', enum: [...CHANNEL_KINDS] }),
          name: Name,
          url: Type.Optional(Url),
          to: Type.Optional(To),
          digest: Type.Optional(Digest),
          digest_when_well: Type.Optional(WhenWell),
          subscription: Type.Optional(Subscription),
          webhook: Type.Optional(
            Type.Unsafe<WebhookId>({
              type: 'string',
              pattern: idPattern('whk'),
              description: 'Webhook: the endpoint that hears of alerts, whatever its types are.',
            }),
          ),
          quiet_hours: Type.Optional(nullable(QuietHoursInput)),
        }),
        response: { 201: ChannelView, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request)
      const { quiet_hours, digest_when_well: whenWell, ...wanted } = request.body
      const digest = wanted.digest ?? (wanted.kind === 'email' && (await settings.get(caller)).digest)
      const channel = await channels.create(caller.organization, { ...wanted, digest, whenWell, quiet: quietOf(quiet_hours) }, actorOf(caller))
      return reply.code(201).send(channelView(channel))
    },
  )
  oneChannelRoutes(app, services)
  app.get(
    '/api/v1/console/push-key',
    {
      config: { access: 'events:read' },
      schema: {
        summary: "The server's key for push services",
        description: 'VAPID public key (RFC 8292), base64url: `applicationServerKey` of `PushManager.subscribe`.',
        tags: ['alerts'],
        response: { 200: Type.Object({ public_key: Type.String() }), ...PROBLEMS },
      },
    },
    async () => ({ public_key: await pushKey() }),
  )
}

function oneChannelRoutes(app: App, { channels }: Services): void {
  app.patch(
    '/api/v1/channels/:id',
    {
      config: { access: 'integrations:write' },
      schema: {
        summary: 'Change a channel',
        tags: ['alerts'],
        params: Params,
        body: closed({
          name: Type.Optional(Name),
          enabled: Type.Optional(Type.Boolean()),
          url: Type.Optional(Url),
          to: Type.Optional(To),
          digest: Type.Optional(Digest),
          digest_when_well: Type.Optional(WhenWell),
          quiet_hours: Type.Optional(nullable(QuietHoursInput)),
        }),
        response: { 200: ChannelView, ...PROBLEMS },
      },
    },
    async (request) => {
      const caller = callerOf(request)
      const { quiet_hours, digest_when_well: whenWell, ...change } = request.body
      return channelView(await channels.change(caller.organization, request.params.id, { ...change, whenWell, quiet: quietOf(quiet_hours) }, actorOf(caller)))
    },
  )
  app.delete(
    '/api/v1/channels/:id',
    {
      config: { access: 'integrations:write' },
      schema: { summary: 'Delete a channel', tags: ['alerts'], params: Params, response: { 204: Type.Null(), ...PROBLEMS } },
    },
    async (request, reply) => {
      const caller = callerOf(request)
      await channels.remove(caller.organization, request.params.id, actorOf(caller))
      return reply.code(204).send()
    },
  )
  app.post(
    '/api/v1/channels/:id/test',
    {
      config: { access: 'integrations:write' },
      schema: {
        summary: 'Test a channel',
        description: 'Tells it something harmless at once; `detail` says why it was not taken.',
        tags: ['alerts'],
        params: Params,
        response: { 200: Type.Object({ ok: Type.Boolean(), detail: nullable(Type.String()) }), ...PROBLEMS },
      },
    },
    async (request) => {
      const caller = callerOf(request)
      return channels.test(caller.organization, request.params.id, actorOf(caller))
    },
  )
}

function quietOf(given: Static<typeof QuietHoursInput> | null | undefined): QuietHours | null | undefined {
  return given === null || given === undefined ? given : { from: given.from, to: given.to, timeZone: given.time_zone }
}
