import type { ConnectionId } from '../ids.ts'
import type { GrantRow } from './credentials.ts'
import type { EngineWorld } from './engine-ports.ts'
import type { RolledForward } from './high-water.ts'
import type { JournalRecord } from './journal.ts'
import { answersTo, applyOrKeep } from './replay-answer.ts'

/** Chains at a time: their commits share the transactions of the store. */
const LANES = 16

/**
 * Applies to a database that went back in time the answers that the journal still has: for each connection those that
 * connect its generation with the next, in order, whether they were settled once or not. Only generation and fingerprint
 * decide, so that repeating it changes nothing. Links that another node's must come before are kept for their turn.
 */
export async function rollForward(world: EngineWorld, wanted: ReadonlySet<ConnectionId>): Promise<RolledForward> {
  const chains = await chainsOf(world, wanted)
  const { answers } = await applyChains(world, chains, [...chains.keys()])
  return { answers, goOn: (connections) => applyChains(world, chains, connections).then(({ stoppedAt }) => stoppedAt) }
}

type Chains = Map<ConnectionId, JournalRecord[]>

async function chainsOf(world: EngineWorld, wanted: ReadonlySet<ConnectionId>): Promise<Chains> {
  const chains: Chains = new Map()
  for await (const portion of world.journal.answers()) {
    for (const { record } of portion) {
      const { subject } = record
      if (subject.kind !== 'connection' || !wanted.has(subject.id)) continue
      const chain = chains.get(subject.id)
      if (chain === undefined) chains.set(subject.id, [record])
      else chain.push(record)
    }
  }
  // Of two answers to one token the first received is tried first: it is the one that the database had applied.
  for (const chain of chains.values()) chain.sort((one, other) => one.receivedAt - other.receivedAt)
  return chains
}

interface Applied {
  readonly answers: number
  readonly stoppedAt: ReadonlyMap<ConnectionId, number>
}

async function applyChains(world: EngineWorld, chains: Chains, connections: readonly ConnectionId[]): Promise<Applied> {
  const waiting = connections.values()
  const stoppedAt = new Map<ConnectionId, number>()
  let answers = 0
  const lane = async () => {
    for (const connection of waiting) {
      const chain = chains.get(connection)
      if (chain === undefined) continue
      const { applied, generation } = await applyChain(world, connection, chain)
      answers += applied
      if (chain.length === 0) chains.delete(connection)
      else if (generation !== null) stoppedAt.set(connection, generation)
    }
  }
  await Promise.all(Array.from({ length: Math.min(LANES, connections.length) }, lane))
  return { answers, stoppedAt }
}

/** Goes from generation to generation until no answer fits. What fitted, and what is older than the database, is not kept. */
async function applyChain(world: EngineWorld, connection: ConnectionId, chain: JournalRecord[]): Promise<{ applied: number; generation: number | null }> {
  for (let applied = 0; ; applied += 1) {
    const row = await world.credentials.read(connection)
    if (row === undefined) return { applied, generation: null }
    if (await applyOne(world, row, chain)) continue
    const { generation } = row.credential
    chain.splice(0, chain.length, ...chain.filter((record) => record.generation >= generation))
    return { applied, generation }
  }
}

/** An answer leaves the chain when the database has spoken: a store that fails in between, or a key that is not here yet, costs no link. */
async function applyOne(world: EngineWorld, row: GrantRow, chain: JournalRecord[]): Promise<boolean> {
  for (const record of chain.filter((one) => answersTo(row, one))) {
    const outcome = await applyOrKeep(world, record, row)
    if (outcome === 'kept') continue
    chain.splice(chain.indexOf(record), 1)
    if (outcome === 'applied') return true
  }
  return false
}
