import type { JournalRecord } from '../core/refresh/journal.ts'
import { type Seal, SealError } from '../core/seal/seal.ts'
import type { Frame } from './frame.ts'

const column = 'answer'

/** The whole record is sealed, its headers included: providers put secrets there, too. */
export function sealRecord(record: JournalRecord, seal: Seal): Frame {
  const { body, ...facts } = record
  const head = Buffer.from(JSON.stringify(facts), 'utf8')
  const length = Buffer.alloc(4)
  length.writeUInt32BE(head.length)
  const sealed = seal.seal(Buffer.concat([length, head, body]), contextOf(record.organization, record.intent))
  return { kind: 'answer', intent: record.intent, organization: record.organization, sealed: Buffer.from(sealed) }
}

/** Undefined when its key is not in the keyring or it was altered: the frame stays where it is and may open another day. */
export function openRecord(frame: Frame, seal: Seal): JournalRecord | undefined {
  try {
    const bytes = Buffer.from(seal.open(frame.sealed, contextOf(frame.organization, frame.intent)))
    const end = 4 + bytes.readUInt32BE(0)
    const facts = JSON.parse(bytes.toString('utf8', 4, end)) as Omit<JournalRecord, 'body'>
    return { ...facts, body: new Uint8Array(bytes.subarray(end)) }
  } catch (error) {
    if (error instanceof SealError) return undefined
    throw error
  }
}

/** True when its key is not in the keyring. What was altered lacks no key, and no key brings it back. */
export function lacksKey(frame: Frame, seal: Seal): boolean {
  try {
    seal.open(frame.sealed, contextOf(frame.organization, frame.intent))
    return false
  } catch (error) {
    return error instanceof SealError && error.code === 'seal_key_missing'
  }
}

function contextOf(organization: string, intent: string) {
  return { organization, table: 'journal', row: intent, column }
}
