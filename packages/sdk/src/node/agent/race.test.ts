import { expect, test } from 'vitest'
import { race } from './testing/race.ts'

test('fifty processes share one file and the one that renews is killed, ten times: one rotation each time, nobody fails, nobody is locked', async () => {
  const report = await race({ processes: 50, rounds: 10 })
  expect(report).toEqual({ rounds: 10, killed: 10, failures: [], doubleHolders: 0, falseLocks: 0, rotations: Array(10).fill(1) })
}, 300_000)
