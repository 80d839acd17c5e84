import assert from 'node:assert/strict'
import { HOUR, MINUTE, type Scenario, SECOND } from './scenario.ts'
import { Stage } from './stage.ts'

/** Times of presentations of one family, in seconds since the first. */
function secondsBetween(stage: Stage, family = 0): number[] {
  const times = stage.provider.presented.filter((presented) => presented.family === family).map((presented) => presented.at)
  const first = times[0] ?? 0
  return times.map((at) => (at - first) / SECOND)
}

export const lostAnswers: readonly Scenario[] = [
  {
    id: 'slow-gateway',
    name: 'a single-use provider that answers after 40 seconds is waited for, and its answer is kept',
    async run() {
      const stage = await Stage.open({ reuse: 'P4' })
      const connection = await stage.connect()
      const node = await stage.node()
      stage.provider.steps.push({ kind: 'answers_after', ms: 40 * SECOND })
      const refresh = node.engine.refresh(stage.organization, connection.id)
      refresh.catch(() => {})
      await stage.time.advance(2 * MINUTE)
      await stage.assertAlive(connection)
      assert.equal((await stage.row(connection)).credential.generation, 2)
    },
  },
  {
    id: 'three-within-a-window',
    name: 'two answers lost at a provider with a window of 30 seconds leave time for a third presentation inside it',
    async run() {
      const stage = await Stage.open({ reuse: 'P1', windowMs: 30 * SECOND })
      const connection = await stage.connect()
      const node = await stage.node()
      stage.provider.steps.push({ kind: 'answer_lost' }, { kind: 'answer_lost' })
      node.engine.refresh(stage.organization, connection.id).catch(() => {})
      await stage.time.advance(MINUTE)
      await stage.assertAlive(connection)
      assert.equal((await stage.row(connection)).credential.generation, 2)
    },
  },
  {
    id: 'window-closed-while-claiming',
    name: 'a window that closes between the plan and the send is noticed before the first byte',
    async run() {
      const stage = await Stage.open({ reuse: 'P1', windowMs: 9 * SECOND })
      const connection = await stage.connect()
      const node = await stage.node()
      // The first answer is given up after 3 s; the second presentation is planned inside the window, and its claim takes 4.9 s.
      stage.provider.steps.push({ kind: 'answer_lost' })
      node.engine.refresh(stage.organization, connection.id).catch(() => {})
      await stage.time.advance(2 * SECOND)
      node.fault('claim', 'slow_to_answer', { ms: 4_900 })
      await stage.time.advance(40 * SECOND)
      const late = secondsBetween(stage).filter((at) => at > 0.8 * 9)
      assert.deepEqual(late, [], `presented ${late.join(', ')} s after the first use of a window of 9 s`)
    },
  },
  {
    id: 'late-after-an-answer-without-a-token',
    name: 'a request that arrives after a later one was answered without a new refresh token costs nothing: the provider is asked again inside its window',
    async run() {
      const stage = await Stage.open({ reuse: 'P1', windowMs: 10 * MINUTE })
      const connection = await stage.connect()
      const node = await stage.node()
      stage.provider.steps.push({ kind: 'arrives_after', ms: MINUTE }, { kind: 'keeps' })
      node.engine.refresh(stage.organization, connection.id).catch(() => {})
      await stage.time.advance(3 * HOUR)
      await stage.assertAlive(connection)
      const inTheWindow = secondsBetween(stage).filter((at) => at < 600)
      assert.equal(inTheWindow.length, 3, `presented after ${inTheWindow.join(', ')} s`)
    },
  },
  {
    id: 'silence-is-no-answer',
    name: 'a request that a single-use provider never answered is not repeated while it may still be on the wire, whoever asks',
    async run() {
      const stage = await Stage.open({ reuse: 'P4', lifetimeSeconds: 90 })
      const connection = await stage.connect()
      const node = await stage.node()
      stage.provider.steps.push({ kind: 'request_lost' })
      node.engine.refresh(stage.organization, connection.id).catch(() => {})
      for (let asked = 0; asked < 60; asked += 1) {
        node.read(connection).catch(() => {})
        await stage.time.advance(10 * SECOND)
      }
      const times = secondsBetween(stage)
      assert.ok(times.length >= 2, 'it was never tried again')
      assert.ok((times[1] ?? 0) >= 135, `it was presented again after ${times[1]} s`)
      await stage.assertAlive(connection)
    },
  },
  {
    id: 'silent-for-hours',
    name: 'silence, however often, is no proof of death: the grant works again when the provider answers',
    async run() {
      const stage = await Stage.open({ reuse: 'P3' })
      const connection = await stage.connect()
      const node = await stage.node()
      for (let times = 0; times < 4; times += 1) stage.provider.steps.push({ kind: 'request_lost' })
      node.engine.refresh(stage.organization, connection.id).catch(() => {})
      await stage.time.advance(8 * HOUR)
      assert.ok(stage.provider.presented.length >= 5, `presented ${stage.provider.presented.length} times in eight hours`)
      await stage.assertAlive(connection)
    },
  },
  {
    id: 'said-what-was-lost',
    name: 'a grant whose answer was destroyed after the commit of the provider ends as refresh_outcome_lost, with that presentation as evidence',
    async run() {
      const stage = await Stage.open({ reuse: 'P4' })
      const connection = await stage.connect()
      const node = await stage.node()
      stage.provider.steps.push({ kind: 'answer_lost' })
      node.engine.refresh(stage.organization, connection.id).catch(() => {})
      await stage.time.advance(MINUTE)
      const intent = (await stage.row(connection)).credential.intent?.id
      await stage.time.advance(3 * HOUR)
      const { fault, state } = (await stage.row(connection)).connection
      assert.deepEqual([state, fault?.code, fault?.evidence.intent], ['needs_reauth', 'refresh_outcome_lost', intent])
    },
  },
]
