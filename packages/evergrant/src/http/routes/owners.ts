import { actorOf, callerOf } from '../authentication.ts'
import { governorOf, requireRecent } from '../governing.ts'
import { ErasedView, ExportView, erasedView, exportView } from '../owner-view.ts'
import { type App, closed, Owner, PROBLEMS } from '../schema.ts'
import type { Services } from '../services.ts'

const Params = closed({ owner: Owner })

/** What is held about an owner, and its end: what an application owes the people it serves. */
export function ownerRoutes(app: App, { ownerData, clock }: Services): void {
  app.get(
    '/api/v1/owners/:owner/export',
    {
      config: { access: 'admin' },
      schema: {
        summary: 'Export everything about an owner',
        description: 'Connections, links, events, and the user with this owner. No secret is in it. Whoever exports is written into the events.',
        tags: ['owners'],
        params: Params,
        response: { 200: ExportView, ...PROBLEMS },
      },
    },
    async (request) => {
      const caller = callerOf(request)
      requireRecent(caller, clock)
      return exportView(await ownerData.export(caller.organization, request.params.owner, actorOf(caller)), clock.wall())
    },
  )
  app.delete(
    '/api/v1/owners/:owner',
    {
      config: { access: 'admin' },
      schema: {
        summary: 'Erase an owner',
        description:
          'Now, and not in thirty days: connections are ended at their providers (which are waited for ten seconds), secrets and names go, events keep their ids and times. The user with this owner goes too. Repeating it erases what came meanwhile, and is harmless.',
        tags: ['owners'],
        params: Params,
        response: { 200: ErasedView, ...PROBLEMS },
      },
    },
    async (request) => {
      const caller = callerOf(request)
      requireRecent(caller, clock)
      return erasedView(await ownerData.erase(governorOf(caller), request.params.owner))
    },
  )
}
