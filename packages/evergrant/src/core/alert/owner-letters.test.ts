import { expect, test } from 'vitest'
import { systemEntropy } from '../../system.ts'
import { createManualTime } from '../../testing/manual-time.ts'
import { newId } from '../ids.ts'
import { DAY, MINUTE } from '../time.ts'
import type { OwnerLetter } from './owner-letter.ts'
import { OwnerLetters } from './owner-letters.ts'

const organization = newId('org', systemEntropy)

/** One letter; what has to be read before it is written fails so often. */
function lab(readFails: number) {
  const time = createManualTime()
  const now = time.clock.wall()
  const connection = newId('con', systemEntropy)
  const what = { organization, connection, why: 'needs_reauth', cause: 'ended 1' } as const
  let letter: OwnerLetter = { id: newId('ltr', systemEntropy), ...what, state: 'waiting', attempts: 0, nextAt: now, createdAt: now }
  let reads = 0
  const letters = new OwnerLetters({
    alerts: {
      takeLetters: async (at) => {
        if (letter.nextAt === null || letter.nextAt > at) return []
        const taken = letter
        letter = { ...letter, state: 'sending', nextAt: null, attempts: letter.attempts + 1 }
        return [taken]
      },
      settleLetter: async (_id, state, nextAt) => {
        letter = { ...letter, state, nextAt }
      },
    },
    details: async () => {
      reads += 1
      if (reads <= readFails) throw new Error('the database is slow')
      return undefined
    },
    reconnectUrl: () => null,
    addressOf: async () => null,
    sender: async () => ({ application: 'App', supportEmail: null }),
    compose: () => {
      throw new Error('nothing to write')
    },
    mailer: { send: async () => {} },
    clock: time.clock,
    entropy: systemEntropy,
    log: { info: () => {}, warn: () => {}, error: () => {} },
  })
  const work = async (ms: number): Promise<void> => {
    for (let passed = 0; passed <= ms; passed += 5 * MINUTE) {
      await letters.run().catch(() => {})
      await time.advance(5 * MINUTE)
    }
  }
  return { work, state: () => letter.state, reads: () => reads }
}

test('a letter that could not be written, because the database was slow, waits for another time: nobody has been sent anything', async () => {
  const { work, state, reads } = lab(2)
  await work(30 * MINUTE)
  expect([state(), reads()]).toEqual(['skipped', 3])
})

test('a letter that can never be written is given up within two days', async () => {
  const { work, state } = lab(Number.POSITIVE_INFINITY)
  await work(2 * DAY)
  expect(state()).toBe('failed')
})
