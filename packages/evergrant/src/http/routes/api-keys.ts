import { Type } from 'typebox'
import type { ApiKey, ApiKeyScope } from '../../core/access/api-key.ts'
import { API_KEY_SCOPES } from '../../core/access/api-key.ts'
import { Fault } from '../../core/fault/fault.ts'
import { actorOf, allows, callerOf } from '../authentication.ts'
import { iso, isoOrNull } from '../connection-view.ts'
import { requireRecent } from '../governing.ts'
import { instantOf } from '../input.ts'
import { ApiKeyIdSchema, type App, closed, KeyScope, LINE, nullable, PROBLEMS, Time, TimeInput } from '../schema.ts'
import type { Caller, Services } from '../services.ts'

const KeyView = Type.Object({
  id: Type.String(),
  name: Type.String(),
  hint: Type.String({ description: 'How the key begins.' }),
  scopes: Type.Array(Type.String()),
  created_at: Time,
  last_used_at: nullable(Time),
  expires_at: nullable(Time),
  revoked_at: nullable(Time),
  replaces: nullable(Type.String()),
})
const IssuedView = Type.Object({ ...KeyView.properties, key: Type.String({ description: 'The key itself. Shown once.' }) })
const Params = closed({ id: ApiKeyIdSchema })

/** Keys of backends. A key never gives another one a scope that it lacks itself. */
export function apiKeyRoutes(app: App, { apiKeys, clock }: Services): void {
  app.get(
    '/api/v1/api-keys',
    {
      config: { access: 'api_keys:write' },
      schema: { summary: 'List keys', tags: ['api-keys'], response: { 200: Type.Object({ items: Type.Array(KeyView), cursor: Type.Null() }), ...PROBLEMS } },
    },
    async (request) => ({ items: (await apiKeys.list(callerOf(request).organization)).map(keyView), cursor: null }),
  )
  app.post(
    '/api/v1/api-keys',
    {
      config: { access: 'api_keys:write' },
      schema: {
        summary: 'Create a key',
        tags: ['api-keys'],
        body: closed({
          name: Type.String({ minLength: 1, maxLength: 100, pattern: LINE }),
          scopes: Type.Array(KeyScope, { minItems: 1, maxItems: API_KEY_SCOPES.length, uniqueItems: true }),
          expires_at: Type.Optional(nullable(TimeInput)),
        }),
        response: { 201: IssuedView, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request)
      const { name, scopes } = request.body
      requireRecent(caller, clock)
      mayGive(caller, scopes)
      const expiresAt = instantOf(request.body.expires_at, '/expires_at')
      if (expiresAt !== null && expiresAt <= clock.wall()) throw new Fault('invalid_request', { field: '/expires_at', detail: '`expires_at` is in the past.' })
      const { apiKey, text } = await apiKeys.create(caller.organization, { name, scopes, expiresAt }, actorOf(caller))
      return reply.code(201).send({ ...keyView(apiKey), key: text })
    },
  )
  app.post(
    '/api/v1/api-keys/:id/rotate',
    {
      config: { access: 'api_keys:write' },
      schema: {
        summary: 'Rotate a key',
        description: 'Makes a successor with the same name and scopes; the old key goes on for the overlap.',
        tags: ['api-keys'],
        params: Params,
        body: Type.Optional(closed({ overlap_seconds: Type.Optional(Type.Integer({ minimum: 0, maximum: 2_592_000, default: 86_400 })) })),
        response: { 201: IssuedView, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request)
      requireRecent(caller, clock)
      const old = (await apiKeys.list(caller.organization)).find((key) => key.id === request.params.id)
      if (old !== undefined) mayGive(caller, old.scopes)
      const overlapMs = (request.body?.overlap_seconds ?? 86_400) * 1_000
      const { apiKey, text } = await apiKeys.rotate(caller.organization, request.params.id, overlapMs, actorOf(caller))
      return reply.code(201).send({ ...keyView(apiKey), key: text })
    },
  )
  app.delete(
    '/api/v1/api-keys/:id',
    {
      config: { access: 'api_keys:write' },
      schema: {
        summary: 'Revoke a key',
        description: 'It ends at once here and within a second on other nodes.',
        tags: ['api-keys'],
        params: Params,
        response: { 204: Type.Null(), ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request)
      await apiKeys.revoke(caller.organization, request.params.id, actorOf(caller))
      return reply.code(204).send()
    },
  )
}

function mayGive(caller: Caller, scopes: readonly ApiKeyScope[]): void {
  const lacking = scopes.find((scope) => !allows(caller, scope))
  if (lacking !== undefined)
    throw new Fault('forbidden', {
      field: '/scopes',
      detail: `Your key cannot give the scope \`${lacking}\`, because it does not have it. Use a key with \`admin\`.`,
    })
}

function keyView(key: ApiKey) {
  return {
    id: key.id,
    name: key.name,
    hint: key.hint,
    scopes: key.scopes,
    created_at: iso(key.createdAt),
    last_used_at: isoOrNull(key.lastUsedAt),
    expires_at: isoOrNull(key.expiresAt),
    revoked_at: isoOrNull(key.revokedAt),
    replaces: key.replaces,
  }
}
