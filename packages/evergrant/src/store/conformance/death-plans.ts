import { newId } from '../../core/ids.ts'
import { HOUR, type Instant } from '../../core/time.ts'
import type { Row } from '../sql/program.ts'
import type { AgentPlan } from './agent-plans.ts'
import { die } from './death-cases.ts'
import type { TestOrganization } from './test-organization.ts'

const LIMIT = 20

/** One held end; the others are copies of its row. */
export async function fillDeaths(org: TestOrganization): Promise<void> {
  await die(org.store, org, { limit: 0 })
}

/** After the connections that they refer to. A few were marked before the others were held. */
export function deathCopies(now: Instant): Readonly<Record<string, (row: Row, index: number, id: string) => Row>> {
  return { death: (row, index, id) => ({ ...row, connection_id: id, held: index % 500 === 7 ? 0 : 1, probed_at: now - index }) }
}

/** In this order: first the ends wait for a decision, then they are decided. */
export const deathPlans: readonly AgentPlan[] = [
  { name: 'what is to be taken back while thousands of ends are held', run: (store) => store.credentials.unsettledDeaths(LIMIT) },
  {
    name: 'deciding about held ends',
    run: (store, { org }) => {
      const event = { ...org.event('integration.deaths_confirmed'), id: newId('evt', org.context.entropy) }
      return store.integrations.decideDeaths(org.integration.id, 'confirm', HOUR, event)
    },
  },
  { name: 'the next of thousands of ends that are decided', run: (store) => store.credentials.unsettledDeaths(LIMIT) },
]
