import { beforeEach, expect, test } from 'vitest'
import { createManualTime } from '../../testing/manual-time.ts'
import { DAY, MINUTE, SECOND } from '../time.ts'
import { UseCounter } from './use-counter.ts'
import type { DayCount, UseCount } from './uses.ts'

let time: ReturnType<typeof createManualTime>
let written: { uses: readonly UseCount[]; days: readonly DayCount[] }[]
let warned: string[]
let counter: UseCounter
let fails = false
beforeEach(() => {
  time = createManualTime(Date.UTC(2026, 0, 1))
  written = []
  warned = []
  fails = false
  const add = async (uses: readonly UseCount[], days: readonly DayCount[]) => {
    if (fails) throw new Error('away')
    written.push({ uses, days })
  }
  counter = new UseCounter({ store: { add }, clock: time.clock, timers: time.timers, log: { warn: (_fields, message) => void warned.push(message) } })
})

const ANA = { organization: 'org_1', kind: 'api_key', id: 'key_1' } as const
const BOT = { organization: 'org_1', kind: 'installation', id: 'ins_1' } as const
const uses = () => written.flatMap((batch) => batch.uses)

test('uses of one minute by one actor are one row, and a new minute is another', async () => {
  for (let use = 0; use < 5; use++) counter.count(ANA, 'con_1', 'token')
  counter.count(ANA, 'con_1', 'proxy')
  counter.count(BOT, 'con_1', 'token')
  counter.count(ANA, 'con_2', 'token')
  await time.advance(MINUTE)
  counter.count(ANA, 'con_1', 'token')
  await counter.flush()
  const row = ({ connection, actor, access, minute, count }: UseCount) => [connection, actor.id, access, minute - Date.UTC(2026, 0, 1), count].join(' ')
  expect(uses().map(row).sort()).toEqual([
    'con_1 ins_1 token 0 1',
    'con_1 key_1 proxy 0 1',
    'con_1 key_1 token 0 5',
    `con_1 key_1 token ${MINUTE} 1`,
    'con_2 key_1 token 0 1',
  ])
})

test('what was counted is written ten seconds later, once', async () => {
  counter.count(ANA, 'con_1', 'token')
  await time.advance(10 * SECOND)
  expect(uses()).toHaveLength(1)
  await time.advance(60 * SECOND)
  expect(written).toHaveLength(1)
})

test('a use across midnight counts for its own day, and numbers of one day add up', async () => {
  counter.countDay('ins_1', 'agt_1', { requests: 1, bound: 1 })
  counter.countDay('ins_1', 'agt_1', { requests: 1 })
  time.setWall(Date.UTC(2026, 0, 2))
  counter.countDay('ins_1', 'agt_1', { rotations: 1, rotationsOnTime: 1 })
  await counter.flush()
  const days = written.flatMap((batch) => batch.days)
  expect(days.map(({ day, requests, bound, rotations }) => [(day - Date.UTC(2026, 0, 1)) / DAY, requests, bound, rotations])).toEqual([
    [0, 2, 1, 0],
    [1, 0, 0, 1],
  ])
})

test('a store that is away costs the counts and nothing else: no error reaches anybody', async () => {
  fails = true
  counter.count(ANA, 'con_1', 'token')
  await expect(counter.flush()).resolves.toBeUndefined()
  expect(warned).toEqual(['uses of connections could not be written, and are not counted'])
  fails = false
  counter.count(ANA, 'con_1', 'token')
  await counter.flush()
  expect(uses().map(({ count }) => count)).toEqual([1])
})

test('memory is bounded: more than a hundred thousand rows are not held, and that is said once', async () => {
  for (let index = 0; index < 100_500; index++) counter.count(ANA, `con_${index}`, 'token')
  expect(warned).toHaveLength(1)
  await counter.flush()
  expect(uses()).toHaveLength(100_000)
  expect(Math.max(...written.map((batch) => batch.uses.length))).toBeLessThanOrEqual(1_000)
})
