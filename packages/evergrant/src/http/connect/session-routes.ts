import { Type } from 'typebox'
import type { Completion } from '../../core/connect/complete.ts'
import type { ConnectService } from '../../core/connect/connect-service.ts'
import type { ConnectStatus } from '../../core/connect/connect-status.ts'
import type { CreatedSession } from '../../core/connect/create-session.ts'
import type { ConnectionService } from '../../core/connection/connection-service.ts'
import { Fault } from '../../core/fault/fault.ts'
import { idPattern } from '../../core/ids.ts'
import { ownerOf } from '../../core/user/user.ts'
import { actorOf, callerOf, linkTokenOf } from '../authentication.ts'
import { ownOwner, requireReach } from '../reach.ts'
import { type App, ConnectionIdSchema, closed, LINE, nullable, Owner, PROBLEMS, Scopes, Time } from '../schema.ts'
import type { Caller } from '../services.ts'

const Mode = Type.Unsafe<'verified' | 'signed_in' | 'link'>({
  type: 'string',
  enum: ['verified', 'signed_in', 'link'],
  description:
    '`verified`: your backend confirms the owner with connect/complete. `signed_in`: the owner is signed in to Evergrant in the same browser, and it completes by itself; the default for people. `link`: only to reconnect; the account at the provider must be the stored one.',
})
const ReturnUrl = Type.String({ minLength: 1, maxLength: 2_000, description: "One of the integration's return URLs, character by character." })
const Choices = Type.Array(Type.String({ minLength: 1, maxLength: 100, pattern: LINE }), {
  minItems: 1,
  maxItems: 100,
  uniqueItems: true,
  description: 'Instead of `integration`: slugs or ids that the end user may choose among. Without either: all that fit the `return_url`.',
})
const Variables = Type.Record(Type.String({ pattern: '^[A-Za-z0-9_-]{1,60}$' }), Type.String({ maxLength: 255 }), {
  maxProperties: 20,
  description: 'Values that the provider needs for this connection: shop, site, region.',
})
const OwnerOfSession = Type.Unsafe<string>({
  ...Owner,
  description: 'Whose grant it is, in your own words. Required of a backend; a person of role `member` is it themselves.',
})
const ConnectSessionIdSchema = Type.Unsafe<`cs_${string}`>({ type: 'string', pattern: idPattern('cs'), description: 'Id of a connect session.' })

const Created = Type.Object({
  id: Type.String(),
  url: Type.String({ description: 'Where the end user goes. Shown once; it is the permission itself.' }),
  mode: Type.String(),
  owner: Type.String(),
  connection_id: nullable(Type.String({ description: 'The connection to repair.' })),
  expires_at: Time,
})

const Completed = Type.Object({
  connection_id: Type.String(),
  created: Type.Boolean({ description: 'False when an existing connection was repaired.' }),
  owner: Type.String(),
  account: nullable(Type.String()),
  account_label: nullable(Type.String()),
  scopes: nullable(Type.Array(Type.String())),
  missing_scopes: Type.Array(Type.String(), { description: 'Asked for and not granted.' }),
})

const StatusView = Type.Object({
  id: Type.String(),
  state: Type.Unsafe<ConnectStatus['state']>({
    type: 'string',
    enum: ['open', 'started', 'exchanging', 'staged', 'completed', 'burned', 'expired'],
    description:
      '`open`: not begun, or to be tried again (`code` says why). `started`: the end user is at the provider. `exchanging`: one moment. `staged`: waits for connect/complete, or for the owner to sign in. `completed`, `burned` and `expired` are ends.',
  }),
  connection_id: nullable(Type.String({ description: 'What came out.' })),
  code: nullable(Type.String({ description: 'What ended the latest try: a code of docs/errors.' })),
  startable: Type.Boolean({ description: 'The same link can be used.' }),
  expires_at: Time,
})

/** Connect and reconnect for backends, and for people who are signed in. */
export function connectSessionRoutes(app: App, connect: ConnectService, connections: Pick<ConnectionService, 'ownerOf'>): void {
  app.post(
    '/api/v1/connect/sessions',
    {
      config: { access: 'connect', own: true },
      schema: {
        summary: 'Start a connect flow',
        description: 'Makes a link for one end user. It lives 30 minutes and works once.',
        tags: ['connect'],
        body: closed({
          integration: Type.Optional(Type.String({ minLength: 1, maxLength: 100, pattern: LINE, description: 'Slug or id. Without it the end user chooses.' })),
          integrations: Type.Optional(Choices),
          owner: Type.Optional(OwnerOfSession),
          return_url: Type.Optional(ReturnUrl),
          mode: Type.Optional(Mode),
          scopes: Type.Optional(Scopes),
          variables: Type.Optional(Variables),
        }),
        response: { 201: Created, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request)
      const {
        integration = null,
        integrations: choices,
        mode = caller.person === null ? 'verified' : 'signed_in',
        return_url: returnUrl = null,
        scopes = null,
        variables = {},
      } = request.body
      if (integration !== null && choices !== undefined)
        throw new Fault('invalid_request', {
          field: '/integrations',
          detail: 'Send `integration` for one, or `integrations` to let the end user choose, not both.',
        })
      const created = await connect.create({
        organization: caller.organization,
        actor: actorOf(caller),
        integration,
        ...(choices === undefined ? {} : { choices }),
        owner: ownerFor(caller, request.body.owner, mode),
        mode,
        returnUrl,
        scopes,
        variables,
        connection: null,
      })
      return reply.code(201).send(createdView(created))
    },
  )
  app.post(
    '/api/v1/connections/:id/reconnect',
    {
      config: { access: 'connect', own: true },
      schema: {
        summary: 'Start a reconnect flow',
        description:
          'Makes a link that repairs this connection under the same id. It lives 7 days and is spent only by success, so it may be mailed. Without `return_url` the mode is `link`.',
        tags: ['connect'],
        params: closed({ id: ConnectionIdSchema }),
        body: Type.Optional(
          closed({ return_url: Type.Optional(ReturnUrl), mode: Type.Optional(Mode), scopes: Type.Optional(Scopes), variables: Type.Optional(Variables) }),
        ),
        response: { 201: Created, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request)
      await requireReach(connections, caller, request.params.id)
      const { return_url: returnUrl = null, scopes = null, variables = {} } = request.body ?? {}
      // Who reaches only their own reconnects their own.
      const usual = caller.owner === null ? 'verified' : 'signed_in'
      const { mode = returnUrl === null ? 'link' : usual } = request.body ?? {}
      const base = { organization: caller.organization, actor: actorOf(caller), integration: null, owner: null }
      const created = await connect.create({ ...base, mode, returnUrl, scopes, variables, connection: request.params.id })
      return reply.code(201).send(createdView(created))
    },
  )
  completeRoute(app, connect)
  statusRoute(app, connect)
}

function completeRoute(app: App, connect: ConnectService): void {
  app.post(
    '/api/v1/connect/complete',
    {
      config: { access: 'connect', own: true },
      schema: {
        summary: 'Finish a connect flow',
        description:
          'Send session and code from the query of your return URL, and the owner that your own sign-in says this browser belongs to. The same request gets the same answer for ten minutes.',
        tags: ['connect'],
        body: closed({ session: ConnectSessionIdSchema, code: Type.String({ minLength: 1, maxLength: 128 }), owner: Type.Optional(OwnerOfSession) }),
        response: { 200: Completed, ...PROBLEMS },
      },
    },
    async (request) => {
      const caller = callerOf(request)
      const { session, code } = request.body
      const owner = ownOwner(caller, request.body.owner)
      if (owner === null)
        throw new Fault('invalid_request', { field: '/owner', detail: '`owner` is required: say whom your own sign-in says this browser belongs to.' })
      return completedView(await connect.complete({ organization: caller.organization, actor: actorOf(caller), session, code, owner }))
    },
  )
}

/** For a page that opened the flow in another window, and for a backend that missed the end of it. */
function statusRoute(app: App, connect: ConnectService): void {
  app.get(
    '/api/v1/connect/sessions/:id/status',
    {
      config: { access: 'connect', own: true, orLink: true },
      schema: {
        summary: 'See how a connect flow stands',
        description:
          "The truth about a flow, whatever became of its window. With an API key, an access token of its owner, or the last part of the session's own `url` in `Evergrant-Connect-Link`.",
        tags: ['connect'],
        params: closed({ id: ConnectSessionIdSchema }),
        response: { 200: StatusView, ...PROBLEMS },
      },
    },
    async (request) => {
      const { id } = request.params
      const token = linkTokenOf(request)
      const caller = token === null ? callerOf(request) : null
      const status = await connect.status(caller === null ? { id, token: token ?? '' } : { id, organization: caller.organization })
      if (status === undefined || (caller !== null && caller.owner !== null && caller.owner !== status.owner))
        throw new Fault('not_found', { field: 'id', detail: `There is no connect session ${id} for this key, session or link.` })
      return statusView(status)
    },
  )
}

function statusView({ id, state, connection, fault, startable, expiresAt }: ConnectStatus) {
  return { id, state, connection_id: connection, code: fault, startable, expires_at: new Date(expiresAt).toISOString() }
}

/** A person connects for themselves, unless they say otherwise. */
function ownerFor(caller: Caller, named: string | undefined, mode: string): string | null {
  const owner = ownOwner(caller, named)
  return owner === null && caller.person !== null && mode === 'signed_in' ? ownerOf(caller.person.user) : owner
}

function createdView({ session, url }: CreatedSession) {
  return {
    id: session.id,
    url,
    mode: session.mode,
    owner: session.owner,
    connection_id: session.connection,
    expires_at: new Date(session.expiresAt).toISOString(),
  }
}

function completedView({ connection, created, missingScopes }: Completion) {
  const { id, owner, account, accountLabel, scopes } = connection
  return { connection_id: id, created, owner, account, account_label: accountLabel, scopes, missing_scopes: missingScopes }
}
