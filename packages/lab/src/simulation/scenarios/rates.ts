import assert from 'node:assert/strict'
import { HOUR, MINUTE, type Scenario, SECOND } from './scenario.ts'
import { Stage, type StageOptions } from './stage.ts'
import type { StageConnection } from './stage-parts.ts'

const MANY = 200

async function crowd(options: StageOptions, count: number): Promise<{ readonly stage: Stage; readonly connections: readonly StageConnection[] }> {
  const stage = await Stage.open(options)
  const connections: StageConnection[] = []
  for (let made = 0; made < count; made += 1) connections.push(await stage.connect())
  return { stage, connections }
}

export const rates: readonly Scenario[] = [
  {
    id: 'outage-knocks',
    name: 'a provider that is down for half an hour is asked about once a minute, however many connections wait and whoever reads',
    async run() {
      const { stage, connections } = await crowd({ reuse: 'P0', lifetimeSeconds: 600 }, 40)
      const node = await stage.node()
      stage.provider.down = true
      for (let second = 0; second < 30 * 60; second += 5) {
        const connection = connections[(second / 5) % connections.length]
        if (connection !== undefined) node.read(connection).catch(() => {})
        await stage.time.advance(5 * SECOND)
      }
      const late = stage.provider.knocks.filter((at) => at > 20 * MINUTE).length
      assert.ok(late >= 5 && late <= 15, `it was asked ${late} times in the last ten minutes`)
      stage.provider.down = false
      await stage.time.advance(20 * MINUTE)
      for (const connection of connections) await stage.assertAlive(connection)
    },
  },
  {
    id: 'spread-of-renewals',
    name: 'renewals of grants that were made in one second are spread: no half minute carries three times its share',
    async run() {
      const { stage } = await crowd({ reuse: 'P0', settings: { renewal: 'ahead' } }, MANY)
      await stage.node()
      await stage.time.advance(HOUR)
      const first = stage.provider.presented.filter((presented) => presented.number === 1 && presented.at < HOUR)
      const halfMinutes = new Map<number, number>()
      for (const { at } of first) halfMinutes.set(Math.floor(at / (30 * SECOND)), (halfMinutes.get(Math.floor(at / (30 * SECOND))) ?? 0) + 1)
      const busiest = Math.max(...halfMinutes.values())
      const share = (MANY / ((0.8 - 0.66) * 3_600)) * 30
      assert.ok(first.length >= MANY, `${first.length} renewals of ${MANY} grants`)
      assert.ok(busiest <= 3 * share, `${busiest} renewals in the busiest half minute, ${Math.round(share)} would be even`)
    },
  },
]
