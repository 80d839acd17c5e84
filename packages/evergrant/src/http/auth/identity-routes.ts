import type { App } from '../schema.ts'
import type { Services } from '../services.ts'
import { accountRoutes } from './account-routes.ts'
import { factorRemovalRoute } from './factor-removal-route.ts'
import { factorRoutes } from './factor-routes.ts'
import type { IdentityRouteOptions } from './identity-answer.ts'
import { newUserRoutes } from './new-user-routes.ts'
import { signInRoutes } from './sign-in-routes.ts'

/** Everything about who somebody is. */
export function identityRoutes(app: App, services: Services, options: IdentityRouteOptions): void {
  signInRoutes(app, services, options)
  accountRoutes(app, services, options)
  factorRoutes(app, services)
  factorRemovalRoute(app, services)
  newUserRoutes(app, services)
}
