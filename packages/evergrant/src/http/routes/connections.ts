import { type Static, Type } from 'typebox'
import { agentConnections } from '../../core/agent/agent-connections.ts'
import { requireVerified } from '../../core/agent/connection-access.ts'
import type { InstallationStanding } from '../../core/agent/installation-standing.ts'
import type { ConnectionDetails, WantedConnections } from '../../core/connection/connection-service.ts'
import type { PageRequest } from '../../core/connection/connections.ts'
import type { ImportedGrant } from '../../core/connection/imported-grant.ts'
import { Fault } from '../../core/fault/fault.ts'
import type { WantedSearch } from '../../core/observe/console-service.ts'
import { actorOf, callerOf } from '../authentication.ts'
import { CONNECTION_FILTER, SortQuery, sortIn, wantedOf } from '../connection-query.ts'
import { ConnectionView, connectionView } from '../connection-view.ts'
import { instantOf, JsonObjectSchema } from '../input.ts'
import { ownerWithin, requireReach, requireUse } from '../reach.ts'
import {
  type App,
  ConnectionIdSchema,
  closed,
  ID_OR_SLUG,
  KEEPABLE,
  LINE,
  nullable,
  Owner,
  PageQuery,
  PROBLEMS,
  pageOf,
  Scopes,
  StoredVersion,
  TimeInput,
} from '../schema.ts'
import type { Services } from '../services.ts'
import { CREDENTIAL_FIELDS, fromCredentials } from './credentials.ts'

const IntegrationRef = Type.String({ minLength: 1, maxLength: 64, pattern: ID_OR_SLUG, description: 'Id or slug of an integration.' })
const Tags = Type.Array(Type.String({ minLength: 1, maxLength: 64, pattern: LINE }), {
  maxItems: 50,
  uniqueItems: true,
})
const Names = Type.Record(Type.String({ pattern: '^[A-Za-z0-9_-]{1,60}$' }), Type.String({ minLength: 1, maxLength: 500 }), {
  maxProperties: 20,
  additionalProperties: false,
})
const Secret = Type.String({ minLength: 1, maxLength: 16_384 })
const Label = Type.String({ minLength: 1, maxLength: 255, pattern: KEEPABLE })
const Params = closed({ id: ConnectionIdSchema })

const ListQuery = closed({ ...PageQuery, ...CONNECTION_FILTER, sort: SortQuery })

export const ImportBody = closed({
  integration: IntegrationRef,
  owner: Owner,
  access_token: Type.Optional(nullable(Secret)),
  refresh_token: Type.Optional(nullable(Secret)),
  token_type: Type.Optional(Type.String({ minLength: 1, maxLength: 40, pattern: ID_OR_SLUG })),
  expires_at: Type.Optional(nullable(TimeInput)),
  refresh_expires_at: Type.Optional(nullable(TimeInput)),
  scopes: Type.Optional(nullable(Scopes)),
  account: Type.Optional(nullable(Label)),
  account_label: Type.Optional(nullable(Label)),
  metadata: Type.Optional(JsonObjectSchema),
  tags: Type.Optional(Tags),
  variables: Type.Optional(Names),
  facts: Type.Optional(Names),
  consented_at: Type.Optional(nullable(TimeInput)),
  replace: Type.Optional(Type.Boolean({ description: 'When this owner has this account already: store the grant into that connection.' })),
})

/** A connection from tokens that somebody holds, or from credentials that need no browser. */
const CreateBody = closed({ ...ImportBody.properties, ...CREDENTIAL_FIELDS })

const PatchBody = Type.Object(
  {
    metadata: Type.Optional(JsonObjectSchema),
    metadata_mode: Type.Optional(
      Type.Unsafe<'merge' | 'replace'>({ type: 'string', enum: ['merge', 'replace'], description: '`merge` (default) is RFC 7396: null removes a name.' }),
    ),
    tags: Type.Optional(Tags),
    account_label: Type.Optional(nullable(Label)),
    version: Type.Optional(StoredVersion),
  },
  { additionalProperties: false, minProperties: 1 },
)

/** Connections: import, list, read, change, pause, resume, disconnect. */
export function connectionRoutes(app: App, services: Services): void {
  readRoutes(app, services)
  writeRoutes(app, services)
  stateRoutes(app, services)
}

export function pageRequest(query: { readonly limit?: number; readonly cursor?: string }): PageRequest {
  return { limit: query.limit ?? 50, cursor: query.cursor ?? null }
}

/** Connections as the API shows them. */
function viewer({ repairLink }: Services) {
  return (details: ConnectionDetails) => connectionView(details, repairLink(details))
}

function readRoutes(app: App, services: Services): void {
  const { connections } = services
  const view = viewer(services)
  const page = { 200: pageOf(ConnectionView), ...PROBLEMS }
  app.get(
    '/api/v1/connections',
    {
      config: { access: 'connections:read', own: true, agents: true },
      schema: { summary: 'List connections', tags: ['connections'], querystring: ListQuery, response: page },
    },
    async (request) => {
      const { limit: _limit, cursor: _cursor, sort, ...filter } = request.query
      const caller = callerOf(request)
      const wanted = wantedOf(filter)
      if (caller.installation !== null) return agentPage(services, caller.installation, forAgents(wanted), pageRequest(request.query))
      const within = ownerWithin(caller, wanted.owner)
      if (within === 'nobody') return { items: [], cursor: null }
      const found = await services.console.connections(caller.organization, { ...wanted, ...within }, sortIn(sort), pageRequest(request.query))
      return { items: found.items.map(view), cursor: found.cursor }
    },
  )
  app.get(
    '/api/v1/owners/:owner/connections',
    {
      config: { access: 'connections:read', own: true },
      schema: {
        summary: "List an owner's connections",
        tags: ['connections'],
        params: closed({ owner: Owner }),
        querystring: closed(PageQuery),
        response: page,
      },
    },
    async (request) => {
      const caller = callerOf(request)
      const within = ownerWithin(caller, request.params.owner)
      if (within === 'nobody') return { items: [], cursor: null }
      const found = await connections.list(caller.organization, within, pageRequest(request.query))
      return { items: found.items.map(view), cursor: found.cursor }
    },
  )
  app.get(
    '/api/v1/connections/:id',
    {
      config: { access: 'connections:read', own: true, agents: true },
      schema: { summary: 'Read a connection', tags: ['connections'], params: Params, response: { 200: ConnectionView, ...PROBLEMS } },
    },
    async (request) => {
      const caller = callerOf(request)
      await requireUse(services.connectionAccess, caller, request.params.id, { access: 'look' })
      await requireReach(connections, caller, request.params.id)
      return view(await connections.get(caller.organization, request.params.id))
    },
  )
}

/** Programs list what they may use; searching is for people. @throws Fault `invalid_request` */
function forAgents({ integration, owner, tag, statuses, ...search }: WantedSearch): WantedConnections {
  const [other] = Object.keys(search)
  const [status, ...more] = statuses ?? []
  if (other !== undefined || more.length > 0)
    throw new Fault('invalid_request', { detail: 'A program lists by `integration`, `owner`, `tag` and one `status`. Leave the other words out.' })
  return {
    ...(integration === undefined ? {} : { integration }),
    ...(owner === undefined ? {} : { owner }),
    ...(tag === undefined ? {} : { tag }),
    ...(status === undefined ? {} : { status }),
  }
}

/** Only what the policy of the program selects. */
async function agentPage(services: Services, standing: InstallationStanding, wanted: WantedConnections, page: PageRequest) {
  requireVerified(standing)
  const found = await agentConnections(services.connections, standing, wanted, page)
  return { items: found.items.map(viewer(services)), cursor: found.cursor }
}

function writeRoutes(app: App, services: Services): void {
  const { connections } = services
  const view = viewer(services)
  const schema = {
    summary: 'Create a connection without a browser',
    description:
      'Takes over a grant that another system held: stop refreshing it there first, one holder at a time spends a refresh token. Or, with `credentials`, connects a provider that asks nobody: client credentials, JWT bearer, an installation, an API key, a password.',
    tags: ['connections'],
    body: CreateBody,
    response: { 200: ConnectionView, 201: ConnectionView, ...PROBLEMS },
  }
  app.post('/api/v1/connections', { config: { access: 'connections:write' }, schema }, async (request, reply) => {
    const caller = callerOf(request)
    const made = await fromCredentials(services, caller, request.body)
    if (made !== null) return reply.code(made.replaced ? 200 : 201).send(view(await connections.get(caller.organization, made.connection)))
    const { details, replaced } = await connections.import(caller.organization, request.body.integration, grantOf(request.body), actorOf(caller))
    return reply.code(replaced ? 200 : 201).send(view(details))
  })
  app.patch(
    '/api/v1/connections/:id',
    {
      config: { access: 'connections:write' },
      schema: {
        summary: 'Change metadata, tags or label',
        tags: ['connections'],
        params: Params,
        body: PatchBody,
        response: { 200: ConnectionView, ...PROBLEMS },
      },
    },
    async (request) => {
      const caller = callerOf(request)
      const { metadata, metadata_mode: mode = 'merge', tags, account_label: label, version = null } = request.body
      const change = {
        ...(metadata === undefined ? {} : { metadata: { mode, value: metadata } }),
        ...(tags === undefined ? {} : { tags }),
        ...(label === undefined ? {} : { label }),
      }
      return view(await connections.patch(caller.organization, request.params.id, change, version, actorOf(caller)))
    },
  )
}

/** @throws Fault `invalid_request` for a time that is none */
export function grantOf(body: Static<typeof ImportBody>, replace = false): ImportedGrant {
  return {
    owner: body.owner,
    accessToken: body.access_token ?? null,
    refreshToken: body.refresh_token ?? null,
    tokenType: body.token_type ?? 'Bearer',
    expiresAt: instantOf(body.expires_at, '/expires_at'),
    refreshExpiresAt: instantOf(body.refresh_expires_at, '/refresh_expires_at'),
    scopes: body.scopes ?? null,
    account: body.account ?? null,
    accountLabel: body.account_label ?? null,
    metadata: body.metadata ?? {},
    tags: body.tags ?? [],
    variables: body.variables ?? {},
    facts: body.facts ?? {},
    consentedAt: instantOf(body.consented_at, '/consented_at'),
    replace: body.replace ?? replace,
  }
}

const Disconnected = Type.Object({
  ...ConnectionView.properties,
  revocation: Type.String({
    description:
      '`queued`: the provider will be told. `sibling_lives`: another connection uses the same grant. `unsupported`: the provider cannot revoke. `already`: it was disconnected before.',
  }),
})

function stateRoutes(app: App, services: Services): void {
  const { connections } = services
  const view = viewer(services)
  const response = { 200: ConnectionView, ...PROBLEMS }
  app.post(
    '/api/v1/connections/:id/pause',
    {
      config: { access: 'connections:write' },
      schema: { summary: 'Pause', description: 'No refresh and no read until it is resumed.', tags: ['connections'], params: Params, response },
    },
    async (request) => {
      const caller = callerOf(request)
      return view(await connections.pause(caller.organization, request.params.id, actorOf(caller)))
    },
  )
  app.post(
    '/api/v1/connections/:id/resume',
    { config: { access: 'connections:write' }, schema: { summary: 'Resume', tags: ['connections'], params: Params, response } },
    async (request) => {
      const caller = callerOf(request)
      return view(await connections.resume(caller.organization, request.params.id, actorOf(caller)))
    },
  )
  const disconnect = {
    config: { access: 'connections:write' as const, own: true as const },
    schema: {
      summary: 'Disconnect',
      description: 'Ends the connection and keeps it as a record. The provider is told unless another connection lives on the same grant.',
      tags: ['connections'],
      params: Params,
      response: { 200: Disconnected, ...PROBLEMS },
    },
  }
  const run = async (caller: ReturnType<typeof callerOf>, id: Static<typeof ConnectionIdSchema>) => {
    await requireReach(connections, caller, id)
    const { details, revocation } = await connections.disconnect(caller.organization, id, actorOf(caller))
    return { ...view(details), revocation }
  }
  app.post('/api/v1/connections/:id/disconnect', disconnect, (request) => run(callerOf(request), request.params.id))
  app.delete('/api/v1/connections/:id', disconnect, (request) => run(callerOf(request), request.params.id))
}
