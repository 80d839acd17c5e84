import { at } from '../http.ts'
import { comesTrue, rest } from '../until.ts'
import { aimAt, force, holdAnswers, journalTouched, lockDatabase } from './aim.ts'
import type { Arena, Subject } from './arena.ts'
import type { Dice } from './dice.ts'
import type { ChaosNode } from './node.ts'
import { BOTH, type Strike } from './strike.ts'

/** Answers that were released together are in the journal when it has been quiet for so long. */
const QUIET_MS = 60

/** SIGKILL at each point of a refresh. The numbers are those of the crash points in docs/concepts/chaos.md. */
export const KILLS: readonly Strike[] = [
  { name: 'C0 kill before the intent', stores: BOTH, run: beforeIntent },
  { name: 'C1 kill with the intent open, request lost', stores: BOTH, run: (arena, dice) => onTheWire(arena, dice, 'lost') },
  { name: 'C2 kill with the request on the wire, arriving late', stores: BOTH, run: (arena, dice) => onTheWire(arena, dice, 'late') },
  { name: 'C2 kill while the provider works', stores: BOTH, run: (arena, dice) => whileHeld(arena, dice, 'before') },
  { name: 'C3 kill with the answer on the wire', stores: BOTH, run: (arena, dice) => whileHeld(arena, dice, 'after') },
  { name: 'C4 kill with the answer in the socket buffer', stores: BOTH, run: answerInBuffer },
  { name: 'C5 kill with the answer only in the journal', stores: BOTH, run: onlyInJournal },
  { name: 'C6 kill with the commit unacknowledged', stores: ['postgres'], run: commitUnheard },
  { name: 'C7 kill after the commit', stores: BOTH, run: afterCommit },
  { name: 'kill at a random moment', stores: BOTH, run: anyMoment },
]

function kill(arena: Arena, node: ChaosNode): Promise<void> {
  return arena.disrupted(`kill ${node.name}`, () => arena.kill(node))
}

/** The claim cannot be written: the database takes no write, or does not answer. */
async function beforeIntent(arena: Arena, dice: Dice): Promise<boolean> {
  const node = dice.pick(arena.nodes)
  const unlock = node.database === null ? lockDatabase(node) : null
  node.database?.pause()
  const [lines, heard] = [node.provider.accepted, node.database?.withheld ?? 0]
  const asked = force(arena, node, aimAt(dice))
  // On PostgreSQL nothing can be read either; the process dies with the request just begun.
  const struck = await comesTrue(() => node.database !== null || node.provider.accepted > lines || node.provider.withheld > heard, {
    timeoutMs: 1_000,
    pollMs: 2,
  })
  await rest(dice.between(0, 10))
  await kill(arena, node)
  unlock?.()
  await asked
  return struck
}

/** `lost`: what the process had sent reaches nobody. `late`: it reaches the provider when the process is gone. */
async function onTheWire(arena: Arena, dice: Dice, fate: 'lost' | 'late'): Promise<boolean> {
  const node = dice.pick(arena.nodes)
  if (fate === 'lost') node.provider.blackhole()
  else node.provider.hold()
  const before = node.provider.withheld
  const asked = force(arena, node, aimAt(dice))
  const struck = await comesTrue(() => node.provider.withheld > before, { timeoutMs: 2_000, pollMs: 2 })
  return await arena.disrupted(`kill ${node.name}, request ${fate}`, async () => {
    await arena.kill(node)
    await asked
    await rest(dice.between(0, 500))
    node.provider.heal()
    return struck
  })
}

async function whileHeld(arena: Arena, dice: Dice, when: 'before' | 'after'): Promise<boolean> {
  const node = dice.pick(arena.nodes)
  const profiles = aimAt(dice)
  await holdAnswers(arena, profiles, when)
  return await arena.disrupted(`kill ${node.name}, held ${when}`, async () => {
    const asked = force(arena, node, profiles)
    const struck = await arena.holds(profiles)
    await arena.kill(node)
    await asked
    // A held request whose client is gone is never committed; one that is let go before the provider notices would be.
    if (arena.nodes.length === 1) await comesTrue(async () => (await arena.held()).length === 0, { timeoutMs: 3_000 })
    await arena.calmProvider()
    return struck
  })
}

/** The process is stopped, its answer arrives in the kernel's buffer, and it never wakes up. */
async function answerInBuffer(arena: Arena, dice: Dice): Promise<boolean> {
  const node = dice.pick(arena.nodes)
  const profiles = aimAt(dice)
  await holdAnswers(arena, profiles, 'after')
  return await arena.disrupted(`kill ${node.name}, answer in the buffer`, async () => {
    const asked = force(arena, node, profiles)
    const struck = await arena.holds(profiles)
    node.server.pause()
    await arena.calmProvider()
    await comesTrue(async () => (await arena.held()).length === 0, { timeoutMs: 2_000, pollMs: 2 })
    await arena.kill(node)
    await asked
    return struck
  })
}

/** The database is away when the answer comes; the process dies once the journal has it. */
async function onlyInJournal(arena: Arena, dice: Dice): Promise<boolean> {
  const node = dice.pick(arena.nodes)
  const profiles = aimAt(dice)
  await holdAnswers(arena, profiles, 'after')
  return await arena.disrupted(`kill ${node.name}, answer in the journal`, async () => {
    const asked = force(arena, node, profiles)
    const held = await arena.holds(profiles)
    arena.cutOff.add(node.name)
    const unlock = node.database === null ? lockDatabase(node) : null
    node.database?.cut()
    const touched = journalTouched(node)
    await arena.calmProvider()
    const written = await comesTrue(() => journalTouched(node) > touched, { timeoutMs: 1_500, pollMs: 2 })
    await comesTrue(() => Date.now() - journalTouched(node) > QUIET_MS, { timeoutMs: 1_500, pollMs: 5 })
    await arena.kill(node)
    unlock?.()
    node.database?.heal()
    arena.cutOff.delete(node.name)
    await asked
    return held && written
  })
}

/** The database commits and its acknowledgement never arrives: another node sees the new generation, and then the process dies. */
async function commitUnheard(arena: Arena, dice: Dice): Promise<boolean> {
  const node = dice.pick(arena.nodes)
  const other = arena.nodes.find((candidate) => candidate !== node) ?? node
  const profiles = aimAt(dice)
  const subjects = profiles.flatMap((profile) => arena.of(profile))
  const generations = () => Promise.all(subjects.map((subject) => generationAt(other, subject)))
  await holdAnswers(arena, profiles, 'after')
  return await arena.disrupted(`kill ${node.name}, commit unacknowledged`, async () => {
    const asked = force(arena, node, profiles)
    const held = await arena.holds(profiles)
    arena.cutOff.add(node.name)
    const before = await generations()
    const touched = journalTouched(node)
    node.database?.deafen()
    await arena.calmProvider()
    const moved = async () => (await generations()).some((generation, index) => generation > (before[index] ?? 0))
    const committed = await comesTrue(moved, { timeoutMs: 1_500, pollMs: 5 })
    await comesTrue(() => journalTouched(node) > touched && Date.now() - journalTouched(node) > QUIET_MS, { timeoutMs: 500, pollMs: 5 })
    await arena.kill(node)
    node.database?.heal()
    arena.cutOff.delete(node.name)
    await asked
    return held && committed
  })
}

async function generationAt(node: ChaosNode, subject: Subject): Promise<number> {
  const shown = await node.api.get(`/connections/${subject.connection}`).catch(() => null)
  return Number(at(shown?.body, 'generation') ?? 0)
}

/** The first caller is answered, and the process dies in the same moment. */
async function afterCommit(arena: Arena, dice: Dice): Promise<boolean> {
  const node = dice.pick(arena.nodes)
  const subjects = aimAt(dice).flatMap((profile) => arena.of(profile))
  return await arena.disrupted(`kill ${node.name}, after a commit`, async () => {
    const asked = subjects.map((subject) => node.api.post(`/connections/${subject.connection}/refresh`).catch(() => null))
    const first = await Promise.race(asked)
    await arena.kill(node)
    await Promise.all(asked)
    return first?.status === 200
  })
}

async function anyMoment(arena: Arena, dice: Dice): Promise<boolean> {
  const node = dice.pick(arena.nodes)
  return await arena.disrupted(`kill ${node.name}`, async () => {
    const asked = force(arena, node, aimAt(dice))
    await rest(dice.between(0, 30))
    await arena.kill(node)
    await asked
    return true
  })
}
