import type { EnginePorts, Store } from '../../../evergrant/src/engine.ts'
import { openVolatileStore, type VolatileStore } from '../../../evergrant/src/engine-parts.ts'
import { Buggify } from './buggify.ts'
import { drive } from './drain.ts'
import { engineFactory } from './engines.ts'
import { type EpisodeParts, endAll, planEpisodes } from './episodes.ts'
import { planFailovers } from './failover.ts'
import { checkLiveness } from './invariants/liveness.ts'
import { lossBookOf } from './invariants/losses.ts'
import { Oracle } from './invariants/oracle.ts'
import type { OracleParts } from './invariants/oracle-parts.ts'
import { Ledger } from './ledger.ts'
import { People } from './people.ts'
import { maskOf, profileOf, Weather } from './profile.ts'
import { buildSites, drawConnections, settle } from './scenery.ts'
import type { SeedOptions, SeedReport } from './seed-report.ts'
import { ChangeFan } from './sim-changes.ts'
import { entropyOf, MachineClock, timersOf } from './sim-clock.ts'
import { HOME, SimDatabase } from './sim-database.ts'
import { logOf } from './sim-log.ts'
import { type NodeParts, SimNode } from './sim-node.ts'
import { SimProvider } from './sim-provider.ts'
import { SimSeal } from './sim-seal.ts'
import { SimWire } from './sim-wire.ts'
import { TokenMint } from './token-mint.ts'
import { World } from './world.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const EVENTS = 10_000
/** However quiet a seed is, it ends. */
const LONGEST_MS = 20 * 24 * HOUR
/** When liveness is looked at, counted from the end of the faults, and when the seed ends. */
const ALIVE_AFTER_MS = 70 * MINUTE
const END_AFTER_MS = 84 * MINUTE
/** Connections that are well when the calm begins and go on all the same, beside all that are not. */
const KEPT_IN_THE_CALM = 8

interface Stage extends EpisodeParts {
  readonly oracle: Oracle
  readonly parts: OracleParts
  readonly people: People
  readonly ledger: Ledger
  readonly database: SimDatabase
}

/** Lives one seed from its first event to the end of its calm hours. */
export async function runSeed(options: SeedOptions): Promise<SeedReport> {
  const stage = await build(options)
  const { world, people } = stage
  for (const node of stage.nodes) node.boot()
  people.begin()
  planEpisodes(stage)
  planFailovers(stage)
  watchTheEnd(stage, options.events ?? EVENTS)
  await drive(world, options.drain ?? 'fast')
  await stage.database.store.close()
  return report(options, stage)
}

async function build(options: SeedOptions): Promise<Stage> {
  const world = new World(options.seed, options.trace)
  const profile = profileOf(options.profile ?? 'brutal')
  const weather = new Weather(profile, maskOf(options.seed, options.mask))
  const random = world.streams.of('scenery')
  const clock = new MachineClock(world)
  const timers = timersOf((ms, task) => {
    const planned = world.after(ms, task)
    return () => {
      planned.task = null
    }
  })
  const fan = new ChangeFan(world, weather)
  const store = await (options.store ?? openVolatile)({ clock, timers })
  store.changes.subscribe((change) => fan.tell(change))
  const seal = new SimSeal()
  const ledger = new Ledger()
  const mint = new TokenMint(world.streams.of('tokens'))
  const buggify = new Buggify(world, weather)
  const intruders: { people: People | null; database: SimDatabase | null } = { people: null, database: null }
  const parts: OracleParts = {
    world,
    weather,
    ledger,
    seal,
    mint,
    store: () => store,
    buggify: (life, step) => buggify.step(life, step),
    moment: (connection) => intruders.people?.intrude(connection),
    distrusted: () => intruders.database?.distrusted ?? false,
  }
  const oracle = new Oracle(parts)
  const provider = new SimProvider(world, weather, mint)
  buildSites(random, provider)
  const database = new SimDatabase({ world, weather, oracle, store, clock })
  const wire = new SimWire(world, weather, provider, oracle)
  const ports: Pick<EnginePorts, 'seal' | 'entropy'> = { seal, entropy: entropyOf(world.streams.of('ids'), clock) }
  const ground = { world, store, provider, ledger, ports }
  await settle(ground, random, drawConnections(random))
  // A server writes it before anybody connects: no copy with connections in it is without.
  await store.lineages.open({ instance: entropyOf(world.streams.of('lineage'), clock).uuid(), home: { ...HOME, timeline: database.timeline } })
  const nodeCount = random.between(1, 5)
  const nodeParts: NodeParts = {
    world,
    weather,
    oracle,
    database,
    wire,
    fan,
    seal,
    records: provider.sites.map((site) => site.record),
    build: options.build ?? engineFactory(options.engine ?? 'protocol'),
    nodes: nodeCount,
    locks: locksOf(store),
    logOf: (life) => logOf(world, life),
  }
  const nodes = Array.from({ length: nodeCount }, (_, index) => new SimNode(nodeParts, `node-${index + 1}`))
  buggify.strikes = { crash: (life, where) => ofLife(nodes, life).crash(where), pause: (life, ms, where) => ofLife(nodes, life).pause(ms, where) }
  const people = new People({ ...ground, weather, oracle, nodes })
  intruders.people = people
  intruders.database = database
  for (const connection of ledger.connections)
    if (connection.row.health.dueAt !== null) database.due.hint(connection.row.health.dueAt - clock.wall() + world.now)
  return { world, weather, sites: provider.sites, nodes, database, connections: ledger.connections, oracle, parts, people, ledger }
}

function openVolatile(options: Parameters<NonNullable<SeedOptions['store']>>[0]): Promise<Store> {
  return Promise.resolve(openVolatileStore(options))
}

function locksOf(store: Store): VolatileStore['locks'] | null {
  return 'locks' in store ? (store as VolatileStore).locks : null
}

function ofLife(nodes: readonly SimNode[], life: { readonly node: { readonly name: string } }): SimNode {
  const node = nodes.find((one) => one.name === life.node.name)
  if (node === undefined) throw new Error('a life without a node')
  return node
}

/** Faults end with the budget of events; the calm hours follow, with a look at whether everything lives. */
function watchTheEnd(stage: Stage, budget: number): void {
  const { world } = stage
  const look = () => {
    if (world.events < budget && world.now < LONGEST_MS) return void world.after(MINUTE, look)
    if (world.tracing) world.say('the calm begins')
    endAll(stage)
    stage.people.setAside(KEPT_IN_THE_CALM)
    world.after(ALIVE_AFTER_MS, () => checkLiveness(stage.parts, stage.oracle, stage.people, stage.ledger.connections))
    world.after(END_AFTER_MS, () => {
      for (const connection of stage.ledger.connections) if (connection.disconnectedAt === null) stage.oracle.closeGrant(connection)
      stage.oracle.finish()
      world.end()
    })
  }
  world.after(MINUTE, look)
}

function report(options: SeedOptions, { world, weather, nodes, ledger, parts, people }: Stage): SeedReport {
  return {
    seed: options.seed,
    mask: maskOf(options.seed, options.mask),
    profile: weather.profile.name,
    engine: options.engine ?? 'protocol',
    nodes: nodes.length,
    connections: ledger.connections.length,
    events: world.events,
    simulatedMs: world.now,
    grantMs: ledger.grantMs,
    refreshes: world.counts.refreshes ?? 0,
    presentations: ledger.presentations.length,
    violations: world.violations,
    losses: lossBookOf(parts).byClass,
    served: people.served,
    asked: people.asked,
    counts: world.counts,
    hash: world.hash,
  }
}
