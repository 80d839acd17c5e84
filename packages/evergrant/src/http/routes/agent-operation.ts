import type { App } from '../schema.ts'
import type { Services } from '../services.ts'
import { agentDownloadRoutes } from './agent-download.ts'
import { agentSettingsRoutes } from './agent-settings.ts'
import { installationRoutes } from './installations.ts'
import { sdkTokenRoutes } from './sdk-tokens.ts'

/** What operators and owners see of programs that run, and what they do to them. */
export function agentOperationRoutes(app: App, services: Services): void {
  installationRoutes(app, services)
  sdkTokenRoutes(app, services)
  agentSettingsRoutes(app, services)
  agentDownloadRoutes(app, services)
}
