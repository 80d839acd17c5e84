import type { DeathDecision } from '../../core/refresh/deaths.ts'
import { actorOf, callerOf } from '../authentication.ts'
import { type App, PROBLEMS } from '../schema.ts'
import type { Services } from '../services.ts'
import { IntegrationParams, IntegrationView, viewOf } from './integrations.ts'

const WORDS: Readonly<Record<DeathDecision, { readonly summary: string; readonly description: string }>> = {
  confirm: {
    summary: 'Confirm held ends',
    description:
      'The grants whose ends are held (`deaths_held` of the integration) are really over: they become needs_reauth, a few hundred a second, and for an hour further ends of this integration are marked at once.',
  },
  release: {
    summary: 'Refuse held ends',
    description: 'The provider was wrong: the held grants go back to work, in order and paced. Whatever is refused again is counted anew.',
  },
}

/** What an operator decides about ends that the death watch holds. */
export function deathRoutes(app: App, services: Services, publicUrl: string): void {
  for (const decision of ['confirm', 'release'] as const) {
    app.post(
      `/api/v1/integrations/:id/deaths/${decision}`,
      {
        config: { access: 'integrations:write' },
        schema: { ...WORDS[decision], tags: ['integrations'], params: IntegrationParams, response: { 200: IntegrationView, ...PROBLEMS } },
      },
      async (request) => {
        const caller = callerOf(request)
        const decided = await services.integrations.decideDeaths(caller.organization, request.params.id, decision, actorOf(caller))
        return viewOf(decided, services, publicUrl)
      },
    )
  }
}
