import { writeSync } from 'node:fs'
import { openFileJournal } from '../journal/file-journal.ts'
import { systemClock } from '../system.ts'
import { testSeal } from './seal.ts'

/** A process to be killed: appends without end, eight at a time, and prints each intent once its answer is durable. */
const [folder = ''] = process.argv.slice(2)
const journal = await openFileJournal(folder, testSeal(), systemClock, { capacity: 512 * 1024 })
let next = 0

async function writer(): Promise<never> {
  for (;;) {
    const n = next++
    const intent = `itn_${n}` as const
    await journal.append({
      intent,
      organization: 'org_1',
      subject: { kind: 'connection', id: `con_${n}` },
      generation: 1,
      fingerprint: null,
      sentAt: 0,
      receivedAt: 0,
      httpStatus: 200,
      headers: {},
      body: new Uint8Array(1_000),
    })
    writeSync(1, `${intent}\n`)
  }
}

await Promise.all(Array.from({ length: 8 }, writer))
