import { Type } from 'typebox'
import { actorOf, callerOf } from '../authentication.ts'
import { type App, closed, PROBLEMS } from '../schema.ts'
import type { Services } from '../services.ts'

/** Long enough to save requests, much shorter than a key is published before it signs. */
const KEPT = 'public, max-age=300'

const Jwks = Type.Object({
  keys: Type.Array(
    Type.Object({
      kty: Type.String(),
      crv: Type.String(),
      x: Type.String(),
      y: Type.Optional(Type.String()),
      kid: Type.String(),
      alg: Type.String(),
      use: Type.String(),
    }),
  ),
})

const Rotated = Type.Object({ keys: Type.Array(Type.String(), { description: 'Ids of the keys that are published now.' }) })

/** The public keys that whoever checks our access tokens needs (RFC 7517 section 5), and the door for changing them before their time. */
export function jwksRoutes(app: App, signingKeys: Services['signingKeys']): void {
  app.get(
    '/.well-known/jwks.json',
    {
      config: { access: 'public' },
      schema: {
        summary: 'Keys of access tokens',
        description: 'A key stands here for at least a day before it signs, and until its last token is over. Keep it for five minutes.',
        tags: ['sessions'],
        response: { 200: Jwks },
      },
    },
    async (_request, reply) => reply.header('cache-control', KEPT).send(await signingKeys.published()),
  )
  app.post(
    '/api/v1/admin/signing-keys/rotate',
    {
      config: { access: 'admin' },
      schema: {
        summary: 'Change the signing key now',
        description:
          'They change by themselves every 30 days. `stolen`: no token of any key so far is believed any more, here at once and elsewhere within ten minutes; all sessions go on and get new tokens. Only the default organization may.',
        tags: ['operate'],
        body: Type.Optional(closed({ stolen: Type.Optional(Type.Boolean({ default: false })) })),
        response: { 200: Rotated, ...PROBLEMS },
      },
    },
    async (request) => {
      const caller = callerOf(request)
      signingKeys.mustOperate(caller.organization)
      await signingKeys.rotateNow({ stolen: request.body?.stolen ?? false, actor: actorOf(caller) })
      return { keys: (await signingKeys.published()).keys.map(({ kid }) => String(kid)) }
    },
  )
}
