import { newId, RestoreService, type Store } from '../../../evergrant/src/engine.ts'
import type { Snapshot, VolatileStore } from '../../../evergrant/src/engine-parts.ts'
import type { EpisodeParts } from './episodes.ts'
import type { Oracle } from './invariants/oracle.ts'
import type { Random } from './random.ts'
import { entropyOf } from './sim-clock.ts'
import { HOME } from './sim-database.ts'

const MINUTE = 60_000
const LOOK_MS = 2 * MINUTE
/** Looks at an unconfirmed database before nodes that do not run are given up. */
const DOUBTS = 6
const LOOKS_AFTER_A_FAILOVER = 15
const LONGEST_LEASE_MS = 10 * MINUTE

interface FailoverParts extends EpisodeParts {
  readonly oracle: Oracle
}

/**
 * The database is replaced by a copy that is some seconds or minutes behind (C8), and nobody is told. An operator looks
 * every few minutes and confirms what the nodes have found out.
 */
export function planFailovers(parts: FailoverParts): void {
  const { world, weather, database } = parts
  const store = database.store
  if (!weather.enabled('o') || !isVolatile(store)) return
  const random = world.streams.of('fault o episodes')
  const next = () => {
    const inMs = random.exponential(weather.profile.everyMs.o)
    const behindMs = Math.min(inMs - 1, random.exponential(MINUTE))
    world.after(inMs - behindMs, () => {
      if (weather.calm) return
      const snapshot = store.snapshot()
      world.after(behindMs, () => {
        if (weather.calm) return
        failOver(parts, store, snapshot, random)
        next()
      })
    })
  }
  next()
  operate(parts, random)
}

function failOver(parts: FailoverParts, store: VolatileStore, snapshot: Snapshot, random: Random): void {
  const { world, database, nodes, oracle } = parts
  world.count('fault o')
  if (world.tracing) world.say('the database fails over to a copy that is behind')
  database.down = true
  database.distrusted = false
  database.timeline += 1
  store.restore(snapshot)
  for (const node of nodes) node.loseConnections()
  oracle.wentBack(store)
  world.after(random.between(500, 10_000), () => {
    database.down = false
    for (const node of nodes) node.healDatabase()
    database.due.hint(world.now)
    database.revocations.hint(world.now)
    database.askForItsAge(LOOKS_AFTER_A_FAILOVER)
    lookAfterOwnLeases(parts)
  })
}

/** The copy may hold claims that last as long as the longest lease. Whoever started since the first failover looks at once, too. */
function lookAfterOwnLeases({ world, database, nodes }: FailoverParts): void {
  database.askForOwnLeases()
  world.at(world.now + LONGEST_LEASE_MS, () => {
    for (const node of nodes) node.lookAfterOwnLeases()
    database.askForOwnLeases()
  })
}

/** The operator: confirms a restored database once every running node has compared what it remembers. */
function operate(parts: FailoverParts, random: Random): void {
  const { world, oracle, database, nodes } = parts
  const { store, clock } = database
  const entropy = entropyOf(world.streams.of('operator'), clock)
  const organization = newId('org', entropy)
  const service = new RestoreService({
    clock,
    entropy,
    lineages: store.lineages,
    nodes: store.nodes,
    trust: { refreshed: () => Promise.resolve() },
    home: () => Promise.resolve({ ...HOME, timeline: database.timeline }),
    organization,
  })
  let doubts = 0
  const look = () => {
    world.applying += 1
    doubts += 1
    if (database.distrusted) database.askForItsAge(0)
    void confirm(service, organization, doubts < DOUBTS)
      .then(async (confirmed) => {
        if (confirmed) doubts = 0
        if (confirmed) database.distrusted = false
        if (confirmed) await oracle.confirmed()
        if (confirmed) database.due.hint(world.now)
        if (confirmed) database.askForItsAge(0)
      })
      .catch(() => {})
      .then(() => {
        world.applying -= 1
      })
    world.after(LOOK_MS + random.between(0, LOOK_MS), look)
  }
  if (nodes.length > 0) world.after(LOOK_MS, look)
}

/** `patient`: a node that does not run may still come back with its data folder; after a while it is taken for lost. */
async function confirm(service: RestoreService, organization: `org_${string}`, patient: boolean): Promise<boolean> {
  const { lineage, waitingFor, absent } = await service.status()
  if (lineage.trusted === 'trusted' || waitingFor.length > 0 || (patient && absent.length > 0)) return false
  await service.confirm(organization, { kind: 'cli', id: null }, 'restored')
  return true
}

function isVolatile(store: Store): store is VolatileStore {
  return 'snapshot' in store
}
