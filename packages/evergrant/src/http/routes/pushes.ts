import { Type } from 'typebox'
import { actorOf, callerOf } from '../authentication.ts'
import { iso, isoOrNull } from '../connection-view.ts'
import { type App, closed, nullable, PROBLEMS, Time } from '../schema.ts'
import type { Services } from '../services.ts'
import { IntegrationParams } from './integrations.ts'

const PushView = Type.Object({
  url: Type.String({ description: 'Register this address at the provider. `{secret}` stands for the push secret, which is told only when it is set.' }),
  proof: Type.String({
    description: '`signature`: pushes are signed. `path`: only the secret in the address proves them, and what they say is asked for again.',
  }),
  secret_from: nullable(
    Type.String({ description: '`evergrant`: drawn here. `provider`: the provider gives it. Null: none is needed, the client secret signs.' }),
  ),
  verifies: Type.Boolean({ description: 'The push secret is also the verification token that the provider asks for.' }),
  secret_set_at: nullable(Time),
  before_until: nullable(Type.String({ description: 'The secret before is taken, too, until then.' })),
  means: Type.Array(Type.String(), { description: 'What pushes say here: `revoked`, `changed`, `code`.' }),
})

const SecretBody = closed({
  secret: Type.Optional(
    Type.String({
      minLength: 8,
      maxLength: 500,
      pattern: '^[\\u0021-\\u007e]+$',
      description: 'The secret that the provider gives. Without it, one is drawn.',
    }),
  ),
})
const SecretView = Type.Object({
  url: Type.String({ description: 'Complete: register it now.' }),
  secret: nullable(Type.String({ description: 'Told this once. Null: it is the one that was sent.' })),
  before_until: nullable(Type.String({ description: 'The secret before is taken until then.' })),
})

/** Where a provider pushes to, and the secret of it. */
export function pushRoutes(app: App, { integrations, pushes }: Services): void {
  app.get(
    '/api/v1/integrations/:id/push',
    {
      config: { access: 'integrations:read' },
      schema: {
        summary: 'Where the provider pushes to',
        tags: ['provider events'],
        params: IntegrationParams,
        response: { 200: PushView, ...PROBLEMS },
      },
    },
    async (request) => {
      const found = await pushes.registration(await integrations.get(callerOf(request).organization, request.params.id))
      return {
        url: found.url,
        proof: found.proof,
        secret_from: found.secretFrom,
        verifies: found.verifies,
        secret_set_at: isoOrNull(found.secretSetAt),
        before_until: isoOrNull(found.beforeUntil),
        means: found.means,
      }
    },
  )
  app.post(
    '/api/v1/integrations/:id/push-secret',
    {
      config: { access: 'integrations:write' },
      schema: {
        summary: 'Set or rotate the push secret',
        description: 'The secret before is taken for another day, so that the registration at the provider can follow.',
        tags: ['provider events'],
        params: IntegrationParams,
        body: SecretBody,
        response: { 201: SecretView, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request)
      const { secret: given = null } = request.body
      const integration = await integrations.get(caller.organization, request.params.id)
      const { url, secret, beforeUntil } = await pushes.setSecret(integration, given, actorOf(caller))
      return reply.code(201).send({ url, secret: given === null ? secret : null, before_until: beforeUntil === null ? null : iso(beforeUntil) })
    },
  )
}
