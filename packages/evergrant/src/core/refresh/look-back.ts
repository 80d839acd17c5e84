import type { ConnectionId } from '../ids.ts'
import type { Instant } from '../time.ts'
import type { HighWater, Mark } from './high-water.ts'
import { behindOf, highest } from './high-water-compare.ts'
import type { Journal, KeptAnswer } from './journal.ts'
import type { BehindGrant, Lineages, StoredGeneration } from './lineage.ts'

const PORTION = 500

export interface BehindMark extends BehindGrant {
  readonly fingerprint: string | null
}

interface LookBackPorts {
  readonly lineages: Pick<Lineages, 'generationsOf'>
  readonly marks: Pick<HighWater, 'all'>
  readonly journal: Pick<Journal, 'answers'>
}

/**
 * Everything this node knows to be newer than the database: from its marks, and from the answers of its journal, which are synced beside the
 * database, so that only the last milliseconds of a node that was killed may be missing. Answers to requests before `since` belong to a history that was given up.
 */
export async function findBehind(ports: LookBackPorts, since: Instant): Promise<readonly BehindMark[]> {
  const behind = new Map<string, BehindMark>()
  for await (const portion of sources(ports, since)) {
    for (let at = 0; at < portion.length; at += PORTION) {
      for (const one of await compare(ports.lineages, portion.slice(at, at + PORTION))) {
        const known = behind.get(one.connection)
        if (known === undefined || known.marked < one.marked) behind.set(one.connection, one)
      }
    }
  }
  return [...behind.values()]
}

async function* sources({ marks, journal }: LookBackPorts, since: Instant): AsyncIterable<readonly Mark[]> {
  for await (const portion of marks.all()) yield portion
  for await (const portion of journal.answers()) yield highest(portion.flatMap((answer) => markOf(answer, since)))
}

/** A presented generation was in the database; a settled answer made the next one. */
function markOf({ record, settled }: KeptAnswer, since: Instant): readonly Mark[] {
  if (record.subject.kind !== 'connection' || record.sentAt < since) return []
  const { generation, fingerprint } = record
  return [{ connection: record.subject.id, generation: settled ? generation + 1 : generation, fingerprint: settled ? null : fingerprint }]
}

async function compare(lineages: LookBackPorts['lineages'], marks: readonly Mark[]): Promise<readonly BehindMark[]> {
  const fingerprints = new Map(marks.map((mark) => [mark.connection, mark.fingerprint]))
  const stored = await lineages.generationsOf(marks.map(({ connection }) => connection))
  return behindOf(marks, stored).map((one) => ({ ...one, fingerprint: fingerprints.get(one.connection) ?? null }))
}

/** What the database says of these connections now, a portion at a time; one that it does not know is not there. */
export async function storedOf(
  lineages: LookBackPorts['lineages'],
  marks: readonly Pick<Mark, 'connection'>[],
): Promise<ReadonlyMap<ConnectionId, StoredGeneration>> {
  const stored = new Map<ConnectionId, StoredGeneration>()
  for (let at = 0; at < marks.length; at += PORTION) {
    const portion = marks.slice(at, at + PORTION).map(({ connection }) => connection)
    for (const one of await lineages.generationsOf(portion)) stored.set(one.connection, one)
  }
  return stored
}

/** Those of the marks that the database does not come up to, a portion at a time. */
export async function stillBehind(lineages: LookBackPorts['lineages'], marks: readonly Mark[]): Promise<readonly BehindMark[]> {
  const behind: BehindMark[] = []
  const once = highest(marks)
  for (let at = 0; at < once.length; at += PORTION) behind.push(...(await compare(lineages, once.slice(at, at + PORTION))))
  return behind
}
