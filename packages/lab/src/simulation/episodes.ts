import type { FaultLetter } from './faults.ts'
import type { ConnectionTruth } from './ledger.ts'
import type { Profile, Weather } from './profile.ts'
import { endFamily, type Site } from './provider-truth.ts'
import type { Random } from './random.ts'
import type { SimDatabase } from './sim-database.ts'
import type { SimNode } from './sim-node.ts'
import type { World } from './world.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND

export interface EpisodeParts {
  readonly world: World
  readonly weather: Weather
  readonly sites: readonly Site[]
  readonly nodes: readonly SimNode[]
  readonly database: SimDatabase
  readonly connections: readonly ConnectionTruth[]
}

type Strike = (random: Random, parts: EpisodeParts) => void

/** Faults that last, or that come by themselves, each from a stream of its own. */
const STRIKES: Partial<Record<FaultLetter & keyof Profile['everyMs'], Strike>> = {
  h: (random, parts) => mood(random, parts, 'clientRejected', random.between(5, 90) * MINUTE),
  i: (random, parts) => mood(random, parts, 'mistakenDeath', random.between(10, 90) * MINUTE),
  j: (random, { sites, world }) => {
    for (const family of random.pick(sites).families) endFamily(family, 'provider', world.now)
  },
  m: (random, { database, nodes, world, weather }) => {
    if (random.chance(0.4)) return random.pick(nodes).cutDatabase(Math.min(weather.profile.pauseMaxMs, random.exponential(30 * SECOND)))
    database.down = true
    world.after(random.chance(0.8) ? random.exponential(20 * SECOND) : random.exponential(20 * MINUTE), () => {
      database.down = false
    })
  },
  n: (random, { database, world }) => {
    database.slowness = random.between(10, 400)
    world.after(random.exponential(5 * MINUTE), () => {
      database.slowness = 1
    })
  },
  p: (random, { nodes }) => random.pick(nodes).crash('at random'),
  q: (random, { nodes, weather }) =>
    random.pick(nodes).pause(Math.min(weather.profile.pauseMaxMs, random.exponential(weather.profile.pauseMeanMs)), 'at random'),
  s: (random, { nodes, weather }) => {
    const { clock } = random.pick(nodes)
    clock.set(random.between(-weather.profile.skewMs, weather.profile.skewMs))
    clock.drift((random.uniform() - 0.5) * 4e-4)
  },
  t: (random, parts) => {
    if (random.chance(0.5)) return mood(random, parts, 'down', random.exponential(15 * MINUTE))
    const { cutFrom } = random.pick(parts.nodes)
    const { index } = random.pick(parts.sites)
    cutFrom.add(index)
    parts.world.after(random.exponential(10 * MINUTE), () => cutFrom.delete(index))
  },
  u: (random, { nodes, world }) => {
    const { running } = random.pick(nodes)
    running?.channel.goDeaf()
    world.after(random.exponential(20 * SECOND), () => running?.channel.hearAgain())
  },
  v: (random, { nodes }) => random.pick(nodes).loseDisk(),
  y: (random, { nodes }) => random.pick(nodes).drain(random.between(1, 60) * SECOND),
}

function mood(random: Random, { sites, world }: EpisodeParts, name: Exclude<keyof Site['mood'], 'downSince'>, ms: number): void {
  const site = random.pick(sites)
  if (name === 'down') site.mood.downSince = world.now
  site.mood[name] = true
  world.after(ms, () => {
    site.mood[name] = false
  })
}

/** Plans every strike of every fault that is on. */
export function planEpisodes(parts: EpisodeParts): void {
  const { world, weather } = parts
  for (const [letter, strike] of Object.entries(STRIKES) as [keyof Profile['everyMs'] & FaultLetter, Strike][]) {
    if (!weather.enabled(letter)) continue
    const random = world.streams.of(`fault ${letter} episodes`)
    const perNode = letter === 'p' || letter === 'q' || letter === 'y' || letter === 'v'
    const meanMs = weather.profile.everyMs[letter] / (perNode ? parts.nodes.length : 1)
    const next = () => {
      world.after(random.exponential(meanMs), () => {
        if (weather.calm) return
        world.count(`fault ${letter}`)
        if (world.tracing) world.say(`fault ${letter}`)
        strike(random, parts)
        next()
      })
    }
    next()
  }
}

/** From here on nothing goes wrong any more. */
export function endAll({ weather, sites, nodes, database }: EpisodeParts): void {
  weather.calm = true
  database.down = false
  database.slowness = 1
  for (const site of sites) site.mood = { down: false, clientRejected: false, mistakenDeath: false }
  for (const node of nodes) {
    node.cutFrom.clear()
    node.healDatabase()
    node.running?.channel.hearAgain()
    node.clock.drift(0)
    node.clock.set(0)
    node.pausedUntil = Math.min(node.pausedUntil, 0)
  }
}
