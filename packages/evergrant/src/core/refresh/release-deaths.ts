import { SYSTEM_ACTOR } from '../audit/event.ts'
import { newId } from '../ids.ts'
import { CONFIRMED_FOR_MS } from './death-watch.ts'
import type { HeldProbe } from './deaths.ts'
import { untilDurable } from './durable.ts'
import type { EngineWorld } from './engine-ports.ts'

/** Held ends go back to work: a held grant was granted again, or none is left to ask about. */
export async function releaseDeaths(
  world: EngineWorld,
  { integration, organization }: Pick<HeldProbe, 'integration' | 'organization'>,
  why: 'probe_succeeded' | 'none_left',
): Promise<void> {
  const event = {
    id: newId('evt', world.entropy),
    organization,
    type: 'integration.deaths_released' as const,
    at: world.clock.wall(),
    actor: SYSTEM_ACTOR,
    connection: null,
    subject: integration,
    data: { by: why },
  }
  await untilDurable(world, 'release', () => world.integrations.decideDeaths(integration, 'release', CONFIRMED_FOR_MS, event))
}
