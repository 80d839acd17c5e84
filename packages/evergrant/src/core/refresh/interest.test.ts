import { expect, test } from 'vitest'
import type { ConnectionId } from '../ids.ts'
import type { ReadMark } from './credentials.ts'
import { Interest } from './interest.ts'

const at = (index: number): ConnectionId => `con_${index}` as ConnectionId

function open() {
  const state: { down: boolean; readonly written: ReadMark[]; during: (() => void) | null } = { down: false, written: [], during: null }
  const warned: unknown[] = []
  const credentials = {
    markReads: async (marks: readonly ReadMark[]) => {
      state.during?.()
      if (state.down) throw new Error('away')
      for (const mark of marks) state.written.push(mark)
    },
  }
  const log = { info: () => {}, warn: (fields: unknown) => warned.push(fields), error: () => {} }
  const interest = new Interest({ credentials, log } as unknown as ConstructorParameters<typeof Interest>[0])
  return { interest, state, warned }
}

test('marks that could not be written are written the next time, and a newer one of the same connection wins', async () => {
  const { interest, state, warned } = open()
  interest.read(at(1), 1_000, null)
  interest.read(at(2), 1_000, null)
  state.down = true
  state.during = () => {
    state.during = null
    interest.read(at(1), 10_000_000, null)
  }
  await interest.flush()
  expect([state.written, warned.length]).toEqual([[], 1])
  state.down = false
  await interest.flush()
  expect(state.written.map((mark) => [mark.connection, mark.at]).sort()).toEqual([
    ['con_1', 10_000_000],
    ['con_2', 1_000],
  ])
  state.written.length = 0
  await interest.flush()
  expect(state.written).toEqual([])
})

test('any number of connections that are read stays in bounded memory, and none loses its mark', async () => {
  const { interest, state } = open()
  for (let index = 0; index < 100_001; index++) interest.read(at(index), 1_000, null)
  // The first was forgotten with the others, so it is marked once more; that is all that forgetting costs.
  interest.read(at(0), 1_001, null)
  await interest.flush()
  expect(state.written.length).toBe(100_001)
  expect(state.written.find(({ connection }) => connection === at(0))?.at).toBe(1_001)
})

test('a connection that is read all the time is marked once an hour, and one that is read for the first time at once', async () => {
  const { interest, state } = open()
  const HOUR = 3_600_000
  for (const when of [0, 1, HOUR - 1]) interest.read(at(1), when, 500)
  interest.read(at(2), HOUR - 1, null)
  await interest.flush()
  expect(state.written).toEqual([
    { connection: at(1), at: 0, dueAt: 500 },
    { connection: at(2), at: HOUR - 1, dueAt: null },
  ])
  interest.read(at(1), HOUR, null)
  await interest.flush()
  expect(state.written.slice(2)).toEqual([{ connection: at(1), at: HOUR, dueAt: null }])
})

test('nothing to write asks nobody', async () => {
  const { interest, state } = open()
  let asked = 0
  state.during = () => {
    asked += 1
  }
  await interest.flush()
  expect(asked).toBe(0)
})
