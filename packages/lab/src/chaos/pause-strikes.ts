import { comesTrue, rest } from '../until.ts'
import { aimAt, force, holdAnswers } from './aim.ts'
import type { Arena } from './arena.ts'
import type { Dice } from './dice.ts'
import { BOTH, type Strike } from './strike.ts'

const STRICT_LEASE_MS = 600_000
const EAGER_LEASE_MS = 30_000
const OWN_CLAIM_MS = 5_000

/** SIGSTOP and SIGCONT: a paused machine. Lengths follow from table 2.8, divided by the time scale. */
export const PAUSES: readonly Strike[] = [
  { name: 'pause shorter than a strict lease, longer than an eager one', stores: BOTH, run: (arena, dice) => pause(arena, dice, eagerPauseMs(arena)) },
  { name: 'pause longer than a strict lease', stores: BOTH, run: (arena, dice) => pause(arena, dice, (1.1 * STRICT_LEASE_MS) / arena.setting.timeScale) },
  { name: 'pause with the answer in the socket buffer', stores: BOTH, run: pauseOverAnswer },
]

/** The eager lease covers the time that a claim may take on this machine, which no scale divides (protocol-times.ts). */
function eagerPauseMs({ setting: { timeScale } }: Arena): number {
  return Math.max((2 * EAGER_LEASE_MS) / timeScale, OWN_CLAIM_MS + 2_000)
}

async function pause(arena: Arena, dice: Dice, ms: number): Promise<boolean> {
  const node = dice.pick(arena.nodes)
  const asked = force(arena, node, aimAt(dice))
  await arena.disrupted(`pause ${node.name} for ${ms} ms`, async () => {
    await rest(dice.between(0, 20))
    node.server.pause()
    await rest(ms)
    node.server.resume()
    await asked
  })
  return true
}

/** The deadline passes while the process is stopped, and the answer has come before it: it must be found on waking up. */
async function pauseOverAnswer(arena: Arena, dice: Dice): Promise<boolean> {
  const node = dice.pick(arena.nodes)
  const profiles = aimAt(dice)
  await holdAnswers(arena, profiles, 'after')
  return await arena.disrupted(`pause ${node.name}, answer in the buffer`, async () => {
    const asked = force(arena, node, profiles)
    const struck = await arena.holds(profiles)
    node.server.pause()
    await arena.calmProvider()
    await comesTrue(async () => (await arena.held()).length === 0, { timeoutMs: 2_000, pollMs: 2 })
    await rest((2 * EAGER_LEASE_MS) / arena.setting.timeScale)
    node.server.resume()
    await asked
    return struck
  })
}
