import { comesTrue, rest } from '../until.ts'
import { aimAt, force } from './aim.ts'
import type { Arena } from './arena.ts'
import { PROFILE_NAMES } from './classes.ts'
import type { Dice } from './dice.ts'
import type { ChaosNode } from './node.ts'
import { BOTH, type Strike } from './strike.ts'

const ONLY_POSTGRES = ['postgres'] as const
/** A provider's own gateway was seen to answer after so long. */
const SLOW_MS = 37_000
const CLOCK_JUMP_MS = 3 * 3_600_000

/** Everything that does not kill a node at once: databases, links, disks, clocks, providers, deployments. */
export const TROUBLES: readonly Strike[] = [
  { name: 'database restart', stores: ONLY_POSTGRES, run: (arena, dice) => databaseEnds(arena, dice, 'restart') },
  { name: 'database crash', stores: ONLY_POSTGRES, run: (arena, dice) => databaseEnds(arena, dice, 'crash') },
  { name: 'half-open link to the database', stores: ONLY_POSTGRES, run: databaseSilent },
  { name: 'half-open link to the provider', stores: BOTH, run: providerSilent },
  { name: 'answers lost on the way', stores: BOTH, run: answersLost },
  { name: 'connections to the provider reset in the answer', stores: BOTH, run: answersCut },
  { name: 'slow provider', stores: BOTH, run: slowProvider },
  { name: 'disk of the journal full', stores: BOTH, shim: true, run: (arena, dice) => journalFails(arena, dice, 'full') },
  { name: 'syncs of the journal fail', stores: BOTH, shim: true, run: (arena, dice) => journalFails(arena, dice, 'sync') },
  { name: 'clock of one node ahead', stores: BOTH, shim: true, run: (arena, dice) => clockMoves(arena, dice, CLOCK_JUMP_MS) },
  { name: 'clock of one node behind', stores: BOTH, shim: true, run: (arena, dice) => clockMoves(arena, dice, -CLOCK_JUMP_MS) },
  { name: 'rolling restart', stores: BOTH, run: rollingRestart },
]

async function databaseEnds(arena: Arena, dice: Dice, how: 'restart' | 'crash'): Promise<boolean> {
  const { postgres } = arena
  if (postgres === null) return false
  const asked = arena.nodes.map((node) => force(arena, node, aimAt(dice)))
  await arena.disrupted(`database ${how}`, async () => {
    for (const node of arena.nodes) arena.cutOff.add(node.name)
    await rest(dice.between(0, 20))
    await (how === 'crash' ? postgres.crash() : postgres.restart())
    await Promise.all(asked)
  })
  await heardAgain(arena)
  return true
}

/** One node's database link swallows everything: no reset, no end, nothing. */
async function databaseSilent(arena: Arena, dice: Dice): Promise<boolean> {
  const node = dice.pick(arena.nodes)
  await arena.disrupted(`database of ${node.name} silent`, async () => {
    arena.cutOff.add(node.name)
    const asked = force(arena, node, aimAt(dice))
    await rest(dice.between(0, 20))
    node.database?.blackhole()
    await rest(dice.between(500, 2_500))
    node.database?.heal()
    await asked
  })
  await heardAgain(arena)
  return true
}

/** A node counts as cut off until it is ready again, and then for the second that its memory may take to notice. */
async function heardAgain(arena: Arena): Promise<void> {
  await arena.mend()
  await rest(1_000)
  arena.cutOff.clear()
}

async function providerSilent(arena: Arena, dice: Dice): Promise<boolean> {
  const node = dice.pick(arena.nodes)
  return await arena.disrupted(`provider of ${node.name} silent`, async () => {
    node.provider.blackhole()
    const before = node.provider.withheld
    const asked = force(arena, node, aimAt(dice))
    await rest(dice.between(300, 1_500))
    node.provider.heal()
    await asked
    return node.provider.withheld > before
  })
}

async function answersLost(arena: Arena, dice: Dice): Promise<boolean> {
  const profiles = aimAt(dice)
  await arena.disrupted(`answers of ${profiles.join(', ')} lost`, async () => {
    await Promise.all(profiles.map((profile) => arena.fault(profile, { kind: 'lost_answer', times: 1 })))
    await force(arena, dice.pick(arena.nodes), profiles)
    await arena.calmProvider()
  })
  return true
}

async function answersCut(arena: Arena, dice: Dice): Promise<boolean> {
  const node = dice.pick(arena.nodes)
  await arena.disrupted(`answers to ${node.name} cut`, async () => {
    node.provider.resetAfter(dice.between(0, 600))
    await force(arena, node, aimAt(dice))
    node.provider.heal()
  })
  return true
}

/** Half of the answers come at once, half after the time that a provider's gateway may take. */
async function slowProvider(arena: Arena, dice: Dice): Promise<boolean> {
  const ms = SLOW_MS / arena.setting.timeScale
  await arena.disrupted('slow provider', async () => {
    for (const profile of PROFILE_NAMES) {
      for (let turn = 0; turn < 4; turn += 1) await arena.fault(profile, { kind: 'delay', ms: turn % 2 === 0 ? ms : 1, times: 1 })
    }
    await Promise.all(arena.nodes.map((node) => force(arena, node, dice.shuffled(PROFILE_NAMES).slice(0, 3))))
  })
  return true
}

async function journalFails(arena: Arena, dice: Dice, how: 'full' | 'sync'): Promise<boolean> {
  const node = dice.pick(arena.nodes)
  const { shim } = node
  if (shim === null) return false
  return await arena.disrupted(`journal of ${node.name}: ${how}`, async () => {
    const before = shim.refused()
    if (how === 'full') shim.fillDisk()
    else shim.failSyncs(dice.between(1, 3))
    await Promise.all([force(arena, node, PROFILE_NAMES), comesTrue(() => shim.refused() > before, { timeoutMs: 2_000 })])
    // Half of the time the process dies with its journal still broken.
    if (dice.chance(0.5)) await arena.kill(node)
    shim.heal()
    return shim.refused() > before
  })
}

async function clockMoves(arena: Arena, dice: Dice, trueMs: number): Promise<boolean> {
  const node = dice.pick(arena.nodes)
  const { shim } = node
  if (shim === null) return false
  await arena.disrupted(`clock of ${node.name} moved`, async () => {
    shim.moveClock(trueMs / arena.setting.timeScale)
    await force(arena, node, aimAt(dice))
    await rest(dice.between(200, 1_500))
    shim.moveClock(0)
  })
  // What was stored meanwhile carries the wrong clock's instants: with the right one it is renewed at once.
  await force(arena, node, PROFILE_NAMES)
  return true
}

/** SIGTERM, one node after the other, as a deployment does it. */
async function rollingRestart(arena: Arena, dice: Dice): Promise<boolean> {
  const ends: (number | null)[] = []
  await arena.disrupted('rolling restart', async () => {
    for (const node of dice.shuffled(arena.nodes)) {
      const asked = force(arena, node, aimAt(dice))
      await rest(dice.between(0, 10))
      ends.push(await stopped(node))
      await asked
      await node.server.start()
    }
  })
  return ends.every((code) => code === 0)
}

async function stopped(node: ChaosNode): Promise<number | null> {
  return (await node.server.stop(60_000)).code
}
