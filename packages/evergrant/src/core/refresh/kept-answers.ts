import type { FaultCode } from '../fault/fault.ts'
import type { ConnectionId } from '../ids.ts'
import type { Reuse } from '../provider/reuse.ts'
import { type Instant, MINUTE } from '../time.ts'
import type { GrantRow } from './credentials.ts'
import type { EngineWorld } from './engine-ports.ts'
import { isStrict } from './protocol-times.ts'
import { answersTo, applyOrKeep } from './replay-answer.ts'
import { openPresentation, windowOpen } from './suspicion.ts'

/**
 * Answers of an earlier life of this node that could not be stored at its start, because a key, a discovery document or a record was
 * missing: they are tried again, so that nobody waits for the next start. `atWork`: a flight of this process looks after that one itself.
 * Returns how many were stored. Costs O(answers in the journal that are not settled), which is none at most times.
 */
export async function storeKeptAnswers(world: EngineWorld, atWork: (connection: ConnectionId) => boolean): Promise<number> {
  let stored = 0
  for (const record of await world.journal.pending()) {
    const { subject } = record
    if (subject.kind !== 'connection' || atWork(subject.id)) continue
    const row = await world.credentials.read(subject.id)
    // What answers another token is a matter of the start, which knows how old the database is.
    if (row !== undefined && answersTo(row, record) && (await applyOrKeep(world, record, row)) === 'applied') stored += 1
  }
  return stored
}

/** `moved`: the answer was stored, and the row is another one. `not_now`: it is here, cannot be stored, and presenting the token again may cost what it brings. */
type KeptInstead = { readonly kind: 'moved' } | { readonly kind: 'not_now'; readonly code: FaultCode; readonly retryAt: Instant; readonly detail: string }

/**
 * A token whose outcome is unknown is presented again only when this node's own journal does not have the outcome: its successor would
 * be lost, and at a provider that punishes reuse the grant with it. Null: nothing of the kind, or presenting it again harms nothing.
 */
export async function keptInstead(world: EngineWorld, row: GrantRow, reuse: Reuse): Promise<KeptInstead | null> {
  const open = openPresentation(row.credential)
  if (open === null) return null
  const { id } = row.connection
  const own = (await world.journal.pending()).find((record) => record.subject.kind === 'connection' && record.subject.id === id && answersTo(row, record))
  if (own !== undefined && (await applyOrKeep(world, own, row)) !== 'kept') return { kind: 'moved' }
  const now = world.clock.wall()
  const mayCost = isStrict(reuse) || (reuse.class === 'P1' && !windowOpen(open, reuse, now, world.times))
  if (!mayCost) return null
  const retryAt = now + MINUTE
  if (own !== undefined) return { kind: 'not_now', code: 'outcome_unknown', retryAt, detail: HERE }
  return world.journal.unopened?.().has(open.intent) === true ? { kind: 'not_now', code: 'seal_key_missing', retryAt, detail: LOCKED } : null
}

const HERE = 'the answer to its last refresh is in the journal of this node and cannot be stored yet; the log says why'
const LOCKED =
  'the answer to its last refresh is in the journal of this node, sealed with a master key that the keyring lacks: put the key back, and the connection goes on by itself'
