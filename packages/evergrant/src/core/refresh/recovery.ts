import type { EngineWorld } from './engine-ports.ts'
import type { JournalRecord } from './journal.ts'
import type { RecoveryReport } from './refresh-engine.ts'
import { replayAnswer, setAside } from './replay-answer.ts'
import { rollForward } from './roll-forward.ts'

/**
 * At boot, before anything is claimed: the answers that only the journal has, then the question whether the database went
 * back in time, then our own older leases.
 */
export async function recoverNode(world: EngineWorld): Promise<RecoveryReport> {
  let replayed = 0
  let superseded = 0
  const ahead: JournalRecord[] = []
  for (const record of await world.journal.pending()) {
    if (record.subject.kind !== 'connection') continue
    const replay = await replayAnswer(world, record)
    if (replay === 'applied') replayed += 1
    if (replay === 'superseded') superseded += 1
    if (replay === 'ahead') ahead.push(record)
  }
  const trust = await world.trust.examine((wanted) => rollForward(world, wanted))
  for (const record of ahead) {
    if (trust.trusted && record.sentAt < trust.eraAt && (await setAside(world, record)) === 'superseded') superseded += 1
    else tellAhead(world, record)
  }
  const reclaimed = await world.credentials.reclaim(world.node)
  return { reclaimed, replayed: replayed + trust.rolledForward, superseded }
}

function tellAhead(world: EngineWorld, { intent, subject, generation }: JournalRecord): void {
  world.log.error(
    { intent, connection: subject.id, generation },
    'a journaled answer is ahead of the database, which has gone back in time; it stays in the journal',
  )
}
