import assert from 'node:assert/strict'
import { MINUTE, type Scenario, SECOND } from './scenario.ts'
import { Stage } from './stage.ts'

export const callers: readonly Scenario[] = [
  {
    id: 'one-flight',
    name: 'fifty callers of one expired connection cause one connection to the provider, one request, and get one generation',
    async run() {
      const stage = await Stage.open({ reuse: 'P4', lifetimeSeconds: 600, settings: { renewal: 'on_use' } })
      const connection = await stage.connect()
      const node = await stage.node()
      await stage.time.advance(11 * MINUTE)
      stage.provider.steps.push({ kind: 'answers_after', ms: 2 * SECOND })
      const reads = Array.from({ length: 50 }, () => node.read(connection))
      const answers = await stage.time.until(Promise.all(reads), MINUTE)
      assert.deepEqual([stage.provider.presented.length, stage.provider.opened], [1, 1])
      assert.deepEqual(new Set(answers.map((answer) => answer.generation)), new Set([2]))
    },
  },
  {
    id: 'rejected-token-of-the-past',
    name: 'callers who saw a 401 with an old token cause no refresh of the new one',
    async run() {
      const stage = await Stage.open({ reuse: 'P4' })
      const connection = await stage.connect()
      const node = await stage.node()
      await stage.time.until(node.engine.refresh(stage.organization, connection.id), MINUTE)
      await stage.time.advance(2 * MINUTE)
      for (let caller = 0; caller < 20; caller += 1) {
        node.engine.forget('all')
        const answer = await stage.time.until(node.read(connection, 1), MINUTE)
        assert.equal(answer.generation, 2)
      }
      assert.equal(stage.provider.presented.length, 1)
    },
  },
  {
    id: 'drain-starts-nothing',
    name: 'a node that drains starts no refresh, and ends with every answer in the database',
    async run() {
      const stage = await Stage.open({ reuse: 'P4' })
      const [flying, waiting] = [await stage.connect(), await stage.connect()]
      const node = await stage.node()
      stage.provider.steps.push({ kind: 'answers_after', ms: 10 * SECOND })
      node.engine.refresh(stage.organization, flying.id).catch(() => {})
      await stage.time.advance(SECOND)
      const drained = node.engine.drain()
      node.engine.refresh(stage.organization, waiting.id).catch(() => {})
      const report = await stage.time.until(drained, 3 * MINUTE)
      assert.equal(report.onlyInJournal, 0)
      assert.equal((await stage.row(flying)).credential.generation, 2)
      assert.deepEqual(
        stage.provider.presented.map((presented) => presented.family),
        [flying.family],
      )
    },
  },
]
