import { type Static, Type } from 'typebox'
import type { Integration, IntegrationSettings, Renewal, SignInRole } from '../../core/connection/integration.ts'
import type { IntegrationPatch } from '../../core/connection/integration-service.ts'
import { type MissingSecret, missingSecret } from '../../core/connection/missing-secret.ts'
import { Fault } from '../../core/fault/fault.ts'
import type { QuotaState } from '../../core/pacing/quotas.ts'
import type { DeathsHeld } from '../../core/refresh/deaths.ts'
import { actorOf, allows, callerOf } from '../authentication.ts'
import { FaultView, faultView, iso } from '../connection-view.ts'
import { type App, closed, ID_OR_SLUG, LINE, nullable, PageQuery, PRINTABLE, PROBLEMS, pageOf, Scopes, Slug, StoredVersion, Time } from '../schema.ts'
import type { Caller, Services } from '../services.ts'
import { pageRequest } from './connections.ts'

const Url = Type.String({ minLength: 1, maxLength: 2_000 })
const Words = Type.Record(Type.String({ pattern: '^[A-Za-z0-9_.-]{1,60}$' }), Type.String({ minLength: 1, maxLength: 500 }), {
  maxProperties: 30,
  additionalProperties: false,
})

const SettingsInput = closed({
  renewal: Type.Optional(Type.Unsafe<Renewal>({ type: 'string', enum: ['auto', 'ahead', 'on_use'] })),
  margin_seconds: Type.Optional(nullable(Type.Integer({ minimum: 0, maximum: 2_592_000, description: 'Renew at least this long before the end.' }))),
  redirect_uri: Type.Optional(nullable(Url)),
  return_urls: Type.Optional(Type.Array(Url, { maxItems: 50, uniqueItems: true, description: 'Exact addresses: https, or http on localhost.' })),
  concurrency: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
  proxy_replays: Type.Optional(Type.Integer({ minimum: 0, maximum: 3 })),
  authorize_parameters: Type.Optional(Words),
  reuse: Type.Optional(nullable(Type.String({ maxLength: 20, description: 'P0, P1:<seconds>, P2, P3 or P4.' }))),
  token: Type.Optional(nullable(Type.String({ maxLength: 60 }))),
  quota_reserve: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 50,
      description: "Percent of each quota of the provider's API that the proxy leaves to other users of the same client.",
    }),
  ),
  sign_in: Type.Optional(
    nullable(
      closed({
        create_users: Type.Boolean({
          description: 'Whether somebody whom nobody knows yet becomes a member. False: only those who added this way to themselves come in.',
        }),
        role: Type.Optional(
          Type.Unsafe<SignInRole>({ type: 'string', enum: ['operator', 'member', 'viewer'], description: 'Of new members; `member` by default.' }),
        ),
      }),
    ),
  ),
  check_every_seconds: Type.Optional(
    nullable(Type.Integer({ minimum: 60, maximum: 2_592_000, description: 'Every connection is tested this often. Null: as the provider demands.' })),
  ),
})
const Name = Type.String({ minLength: 1, maxLength: 100, pattern: LINE })
const ClientId = Type.String({ minLength: 1, maxLength: 1_000, pattern: PRINTABLE })
const ClientSecret = nullable(Type.String({ minLength: 1, maxLength: 8_000, description: 'Write-only.' }))

const CreateBody = closed({
  provider: Type.String({ minLength: 1, maxLength: 64 }),
  slug: Slug,
  name: Type.Optional(Name),
  client_id: Type.Optional(ClientId),
  client_secret: Type.Optional(ClientSecret),
  scopes: Type.Optional(Scopes),
  variables: Type.Optional(Words),
  settings: Type.Optional(SettingsInput),
})
const PatchBody = Type.Object(
  {
    slug: Type.Optional(Slug),
    name: Type.Optional(Name),
    client_id: Type.Optional(ClientId),
    client_secret: Type.Optional(ClientSecret),
    scopes: Type.Optional(Scopes),
    variables: Type.Optional(Words),
    settings: Type.Optional(SettingsInput),
    version: Type.Optional(StoredVersion),
  },
  { additionalProperties: false, minProperties: 1 },
)

const DeathsHeldView = Type.Object(
  {
    since: Time,
    deaths: Type.Integer({ description: 'Refused grants within ten minutes when it began.' }),
    agreements: Type.Integer({ description: 'Probes, at least a day apart, that were refused too. Three apply the ends.' }),
    decision: nullable(Type.String({ description: '`confirm` or `release`, while it is carried out.' })),
  },
  { description: 'Unusually many grants were refused at once: their ends are held until a probe succeeds or somebody decides.' },
)

export const IntegrationView = Type.Object({
  id: Type.String(),
  slug: Type.String(),
  name: Type.String(),
  provider: Type.String(),
  client_id: Type.String({ description: 'Empty where connections bring credentials of their own.' }),
  has_client_secret: Type.Boolean(),
  client_secret_missing: nullable(
    Type.Object(
      {
        certain: Type.Boolean({ description: 'True: nothing can be exchanged without it. False: it works for a client that was registered as public.' }),
        detail: Type.String({ description: 'What will happen, and the remedy.' }),
      },
      { description: 'There is no client secret, and the record of the provider uses one. Null: none is missing.' },
    ),
  ),
  scopes: Type.Array(Type.String()),
  variables: Type.Object({}, { additionalProperties: true }),
  settings: Type.Object({
    renewal: Type.String(),
    margin_seconds: nullable(Type.Number()),
    redirect_uri: nullable(Type.String()),
    return_urls: Type.Array(Type.String()),
    concurrency: Type.Integer(),
    proxy_replays: Type.Integer(),
    authorize_parameters: Type.Object({}, { additionalProperties: true }),
    reuse: nullable(Type.String()),
    token: nullable(Type.String()),
    check_every_seconds: nullable(Type.Number()),
    quota_reserve: Type.Integer(),
    sign_in: nullable(
      Type.Object({ create_users: Type.Boolean(), role: Type.String() }, { description: 'People sign in to Evergrant through it. Null: nobody does.' }),
    ),
  }),
  callback_url: Type.String({ description: 'Register this redirect URI at the provider.' }),
  push_url: nullable(
    Type.String({ description: 'Where the provider pushes to; GET integrations/{id}/push says how to register it. Null: it pushes nothing that we know.' }),
  ),
  blocked: nullable(FaultView),
  deaths_held: nullable(DeathsHeldView),
  created_at: Time,
  updated_at: Time,
  version: Type.Integer(),
})
const QuotaView = Type.Object(
  {
    name: Type.String({ description: 'As in the provider record; `pause` when the provider asked for silence.' }),
    connection: nullable(Type.String({ description: 'Whose alone it is; null: everybody who uses this integration.' })),
    limit: nullable(Type.Integer()),
    used: nullable(Type.Integer()),
    remaining: Type.Integer(),
    resets_at: Time,
  },
  { description: "A window of a quota of the provider's API, as its answers told." },
)
/** More would be no reading any more; metrics count them all. */
const QUOTAS_SHOWN = 50
const IntegrationDetails = Type.Object({ ...IntegrationView.properties, quotas: Type.Array(QuotaView) })
export const IntegrationParams = closed({ id: Type.String({ minLength: 1, maxLength: 64, pattern: ID_OR_SLUG, description: 'Id or slug.' }) })

/** Integrations: a provider plus this organization's client. */
export function integrationRoutes(app: App, services: Services, publicUrl: string): void {
  const { integrations } = services
  const view = (integration: Integration) => viewOf(integration, services, publicUrl)
  const response = { 200: IntegrationView, ...PROBLEMS }
  readingRoutes(app, services, view)
  app.post(
    '/api/v1/integrations',
    {
      config: { access: 'integrations:write' },
      schema: { summary: 'Create an integration', tags: ['integrations'], body: CreateBody, response: { 201: IntegrationView, ...PROBLEMS } },
    },
    async (request, reply) => {
      const caller = callerOf(request)
      const {
        provider,
        slug,
        name = slug,
        client_id: clientId = '',
        client_secret: clientSecret = null,
        scopes = [],
        variables = {},
        settings = {},
      } = request.body
      requireGovernor(caller, settings)
      const wanted = { provider, slug, name, clientId, clientSecret, scopes, variables, settings: settingsOf(settings) }
      return reply.code(201).send(view(await integrations.create(caller.organization, wanted, actorOf(caller))))
    },
  )
  app.patch(
    '/api/v1/integrations/:id',
    {
      config: { access: 'integrations:write' },
      schema: {
        summary: 'Change an integration',
        description: 'What is named changes. New client credentials lift `blocked` at once.',
        tags: ['integrations'],
        params: IntegrationParams,
        body: PatchBody,
        response,
      },
    },
    async (request) => {
      const caller = callerOf(request)
      requireGovernor(caller, request.body.settings, (await integrations.get(caller.organization, request.params.id)).settings.signIn ?? null)
      return view(await integrations.update(caller.organization, request.params.id, patchOf(request.body), request.body.version ?? null, actorOf(caller)))
    },
  )
  app.delete(
    '/api/v1/integrations/:id',
    {
      config: { access: 'integrations:write' },
      schema: {
        summary: 'Delete an integration',
        description: 'Refused while a connection of it is not disconnected.',
        tags: ['integrations'],
        params: IntegrationParams,
        response: { 204: Type.Null(), ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request)
      await integrations.remove(caller.organization, request.params.id, actorOf(caller))
      return reply.code(204).send()
    },
  )
}

function readingRoutes(app: App, { integrations, upstream }: Services, view: (integration: Integration) => ReturnType<typeof viewOf>): void {
  app.get(
    '/api/v1/integrations',
    {
      config: { access: 'integrations:read' },
      schema: { summary: 'List integrations', tags: ['integrations'], querystring: closed(PageQuery), response: { 200: pageOf(IntegrationView), ...PROBLEMS } },
    },
    async (request) => {
      const found = await integrations.list(callerOf(request).organization, pageRequest(request.query))
      return { items: found.items.map(view), cursor: found.cursor }
    },
  )
  app.get(
    '/api/v1/integrations/:id',
    {
      config: { access: 'integrations:read' },
      schema: {
        summary: 'Read an integration',
        description: 'With what is left of the quotas of its API, as this node knows them.',
        tags: ['integrations'],
        params: IntegrationParams,
        response: { 200: IntegrationDetails, ...PROBLEMS },
      },
    },
    async (request) => {
      const found = await integrations.get(callerOf(request).organization, request.params.id)
      await upstream.pacing.ready(found.id)
      return { ...view(found), quotas: upstream.pacing.shown(found.id).slice(0, QUOTAS_SHOWN).map(quotaView) }
    },
  )
}

/**
 * Who comes in, and as what, is decided by those who decide about members. That includes where an integration points through which people sign in:
 * whoever turned it to a server of their own could come in as anybody. @throws Fault `forbidden`, `role_missing`
 */
function requireGovernor(caller: Caller, settings: Static<typeof SettingsInput> | undefined, present: IntegrationSettings['signIn'] = null): void {
  if ((settings?.sign_in === undefined && present === null) || allows(caller, 'admin')) return
  throw new Fault(caller.person === null ? 'forbidden' : 'role_missing', {
    field: '/settings/sign_in',
    detail: 'People sign in through this integration, or would: `sign_in` decides who becomes a member, so changing it needs the right `admin`.',
  })
}

function patchOf(body: Static<typeof PatchBody>): IntegrationPatch {
  return {
    ...(body.slug === undefined ? {} : { slug: body.slug }),
    ...(body.name === undefined ? {} : { name: body.name }),
    ...(body.client_id === undefined ? {} : { clientId: body.client_id }),
    ...(body.client_secret === undefined ? {} : { clientSecret: body.client_secret }),
    ...(body.scopes === undefined ? {} : { scopes: body.scopes }),
    ...(body.variables === undefined ? {} : { variables: body.variables }),
    ...(body.settings === undefined ? {} : { settings: settingsOf(body.settings) }),
  }
}

function settingsOf(input: Static<typeof SettingsInput>): Partial<IntegrationSettings> {
  return {
    ...(input.renewal === undefined ? {} : { renewal: input.renewal }),
    ...(input.margin_seconds === undefined ? {} : { marginMs: input.margin_seconds === null ? null : input.margin_seconds * 1_000 }),
    ...(input.redirect_uri === undefined ? {} : { redirectUri: input.redirect_uri }),
    ...(input.return_urls === undefined ? {} : { returnUrls: input.return_urls }),
    ...(input.concurrency === undefined ? {} : { concurrency: input.concurrency }),
    ...(input.proxy_replays === undefined ? {} : { proxyReplays: input.proxy_replays }),
    ...(input.authorize_parameters === undefined ? {} : { authorizeParameters: input.authorize_parameters }),
    ...(input.reuse === undefined ? {} : { reuse: input.reuse }),
    ...(input.token === undefined ? {} : { token: input.token }),
    ...(input.quota_reserve === undefined ? {} : { quotaReserve: input.quota_reserve }),
    ...(input.sign_in === undefined
      ? {}
      : { signIn: input.sign_in === null ? null : { createUsers: input.sign_in.create_users, role: input.sign_in.role ?? 'member' } }),
    ...(input.check_every_seconds === undefined ? {} : { checkEveryMs: input.check_every_seconds === null ? null : input.check_every_seconds * 1_000 }),
  }
}

export function viewOf(integration: Integration, services: Services, publicUrl: string) {
  const record = services.providers.get(integration.provider)
  const missing = record === undefined ? null : missingSecret(integration, record)
  return integrationView(integration, { publicUrl, provider: record?.name ?? integration.name, missing, pushUrl: services.pushes.urlOf(integration) })
}

function quotaView({ name, connection, limit, remaining, resetsAt }: QuotaState): Static<typeof QuotaView> {
  return { name, connection, limit, used: limit === null ? null : limit - remaining, remaining, resets_at: iso(resetsAt) }
}

function deathsHeldView({ since, deaths, agreements, decision }: DeathsHeld): Static<typeof DeathsHeldView> {
  return { since: iso(since), deaths, agreements, decision }
}

function integrationView(
  integration: Integration,
  { publicUrl, provider, missing, pushUrl }: { publicUrl: string; provider: string; missing: MissingSecret | null; pushUrl: string | null },
) {
  const { settings } = integration
  return {
    id: integration.id,
    slug: integration.slug,
    name: integration.name,
    provider: integration.provider,
    client_id: integration.clientId,
    has_client_secret: integration.clientSecret !== null,
    client_secret_missing: missing,
    scopes: integration.scopes,
    variables: integration.variables,
    settings: {
      renewal: settings.renewal,
      margin_seconds: settings.marginMs === null ? null : settings.marginMs / 1_000,
      redirect_uri: settings.redirectUri,
      return_urls: settings.returnUrls,
      concurrency: settings.concurrency,
      proxy_replays: settings.proxyReplays,
      authorize_parameters: settings.authorizeParameters,
      reuse: settings.reuse,
      token: settings.token,
      check_every_seconds: typeof settings.checkEveryMs === 'number' ? settings.checkEveryMs / 1_000 : null,
      quota_reserve: settings.quotaReserve,
      sign_in: settings.signIn ? { create_users: settings.signIn.createUsers, role: settings.signIn.role } : null,
    },
    callback_url: settings.redirectUri ?? `${publicUrl}/connect/callback/${integration.slug}`,
    push_url: pushUrl,
    blocked: integration.blocked === null ? null : faultView(integration.blocked, { provider }),
    deaths_held: integration.deathsHeld === null ? null : deathsHeldView(integration.deathsHeld),
    created_at: iso(integration.createdAt),
    updated_at: iso(integration.updatedAt),
    version: integration.version,
  }
}
