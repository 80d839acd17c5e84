import type { IntegrationId } from '../ids.ts'
import type { EngineWorld } from './engine-ports.ts'

/**
 * Whoever stands at the end of this integration's line waits longer than anybody should, because of how long the provider
 * takes. That this node, its database or its sockets are slow makes no line long: parking would not help there.
 */
export function isCrowded({ admission, exchanges, times }: EngineWorld, integration: IntegrationId, limit: number): boolean {
  return (admission.load(integration) / limit) * exchanges.typicalMs(integration, limit) >= times.placePatienceMs
}
