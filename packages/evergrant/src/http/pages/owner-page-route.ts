import { Type } from 'typebox'
import type { OwnerVisits } from '../../core/sign-in/owner-visits.ts'
import { actorOf, callerOf } from '../authentication.ts'
import { iso } from '../connection-view.ts'
import { type App, closed, Owner, PROBLEMS, Time } from '../schema.ts'

const Made = Type.Object({
  url: Type.String({ description: 'Where this person goes. Shown once; it is the permission itself.' }),
  owner: Type.String(),
  expires_at: Time,
})

/** `POST owners/{owner}/page`: the page of connections for somebody who has no user here. */
export function ownerPageRoute(app: App, visits: Pick<OwnerVisits, 'invite'>): void {
  app.post(
    '/api/v1/owners/:owner/page',
    {
      config: { access: 'connect', ownIdempotency: true },
      schema: {
        summary: "Make a link to an owner's page",
        description:
          'On it this person sees their connections, and can reconnect or disconnect them. The link lives 30 minutes and works once, in the browser that opens it first; the page then works there for 30 minutes. Give it only to whom your own sign-in says that this is.',
        tags: ['owners'],
        params: closed({ owner: Owner }),
        response: { 201: Made, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request)
      const { owner } = request.params
      const { url, expiresAt } = await visits.invite({ organization: caller.organization, owner }, actorOf(caller))
      return reply.code(201).send({ url, owner, expires_at: iso(expiresAt) })
    },
  )
}
