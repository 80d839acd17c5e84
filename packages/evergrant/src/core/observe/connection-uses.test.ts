import { expect, test } from 'vitest'
import { systemEntropy } from '../../system.ts'
import { createManualTime } from '../../testing/manual-time.ts'
import type { HourCount } from '../agent/uses.ts'
import { newId } from '../ids.ts'
import { HOUR, MINUTE } from '../time.ts'
import { connectionUses } from './connection-uses.ts'

const organization = newId('org', systemEntropy)
const NOON = Date.UTC(2026, 4, 10, 12)

test('uses of a day stand in their hours, the busiest actors are named, and what nobody used is left out', async () => {
  const [used, idle] = [newId('con', systemEntropy), newId('con', systemEntropy)]
  const count = (id: string, hour: number, number: number): HourCount => ({ connection: used, actor: { kind: 'installation', id }, hour, count: number })
  const { clock } = createManualTime(NOON + 20 * MINUTE)
  const asked: string[] = []
  const found = await connectionUses(
    {
      clock,
      uses: {
        byHour: async (_organization, _connections, since) => {
          expect(since).toBe(NOON - 23 * HOUR)
          return [count('a', NOON, 2), count('a', NOON - 23 * HOUR, 5), count('b', NOON, 9), count('c', NOON, 1), count('d', NOON, 1)]
        },
      },
      nameOf: async (_organization, { id }) => {
        asked.push(id)
        return id === 'b' ? null : `name of ${id}`
      },
    },
    organization,
    [used, idle],
  )
  expect(found).toHaveLength(1)
  expect(found[0]).toMatchObject({ connection: used, requests: 18, actors: 4 })
  expect([found[0]?.hours[0], found[0]?.hours[23], found[0]?.hours.length]).toEqual([5, 13, 24])
  expect(found[0]?.usedBy.map(({ id, name, count: times }) => [id, name, times])).toEqual([
    ['b', null, 9],
    ['a', 'name of a', 7],
    ['c', 'name of c', 1],
  ])
  expect(asked).toEqual(['b', 'a', 'c'])
})
