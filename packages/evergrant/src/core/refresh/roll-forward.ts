import type { ConnectionId } from '../ids.ts'
import type { GrantRow } from './credentials.ts'
import type { EngineWorld } from './engine-ports.ts'
import type { JournalRecord } from './journal.ts'
import { answersTo, applyOrKeep } from './replay-answer.ts'

export interface RollForward {
  /** Connections that came further. */
  readonly connections: number
  /** Answers applied. */
  readonly answers: number
}

/**
 * Applies to a database that went back in time the answers that the journal still has: for each connection those that
 * connect its generation with the next, in order, whether they were settled once or not. Only generation and fingerprint
 * decide, so that repeating it changes nothing.
 */
export async function rollForward(world: EngineWorld, wanted: ReadonlySet<ConnectionId>): Promise<RollForward> {
  const chains = new Map<ConnectionId, JournalRecord[]>()
  for await (const portion of world.journal.answers()) {
    for (const { record } of portion) {
      const { subject } = record
      if (subject.kind !== 'connection' || !wanted.has(subject.id)) continue
      const chain = chains.get(subject.id)
      if (chain === undefined) chains.set(subject.id, [record])
      else chain.push(record)
    }
  }
  let connections = 0
  let answers = 0
  for (const [connection, chain] of chains) {
    const applied = await applyChain(world, connection, chain)
    answers += applied
    if (applied > 0) connections += 1
  }
  return { connections, answers }
}

/**
 * Goes from generation to generation until no answer fits. Of two answers to one token the first received is tried first:
 * it is the one that the database had applied.
 */
async function applyChain(world: EngineWorld, connection: ConnectionId, chain: readonly JournalRecord[]): Promise<number> {
  const left = [...chain].sort((one, other) => one.receivedAt - other.receivedAt)
  for (let applied = 0; ; applied += 1) {
    const row = await world.credentials.read(connection)
    if (row === undefined || !(await applyOne(world, row, left))) return applied
  }
}

async function applyOne(world: EngineWorld, row: GrantRow, left: JournalRecord[]): Promise<boolean> {
  for (let at = left.findIndex((record) => answersTo(row, record)); at >= 0; at = left.findIndex((record) => answersTo(row, record))) {
    const [record] = left.splice(at, 1)
    if (record !== undefined && (await applyOrKeep(world, record, row)) === 'applied') return true
  }
  return false
}
