import assert from 'node:assert/strict'
import { BOTH_STORES, MINUTE, type Scenario, SECOND } from './scenario.ts'
import { Stage } from './stage.ts'
import { accessTokenOf } from './stage-provider.ts'

export const durability: readonly Scenario[] = [
  {
    id: 'database-away-at-the-answer',
    name: 'an answer that meets a database that is away is committed when it is back, by the same process',
    async run() {
      const stage = await Stage.open({ reuse: 'P4' })
      const connection = await stage.connect()
      const node = await stage.node()
      node.fault('commitGrant', 'refused', { times: 20 })
      node.engine.refresh(stage.organization, connection.id).catch(() => {})
      await stage.time.advance(5 * MINUTE)
      assert.equal((await stage.row(connection)).credential.generation, 2)
      await stage.assertAlive(connection)
    },
  },
  {
    id: 'crash-with-the-answer-in-the-journal',
    name: 'an answer that only the journal has is in the database after the next start',
    async run() {
      const stage = await Stage.open({ reuse: 'P4' })
      const connection = await stage.connect()
      const node = await stage.node()
      node.fault('commitGrant', 'refused', { times: 1_000 })
      node.engine.refresh(stage.organization, connection.id).catch(() => {})
      await stage.time.advance(5 * SECOND)
      node.crash()
      await stage.time.advance(SECOND)
      await stage.node('node-1', node)
      await stage.time.advance(SECOND)
      assert.equal((await stage.row(connection)).credential.generation, 2)
      await stage.assertAlive(connection)
    },
  },
  {
    id: 'nothing-used-before-it-is-durable',
    name: 'a token is handed out only when the database or the journal has it',
    async run() {
      const stage = await Stage.open({ reuse: 'P4', lifetimeSeconds: 60 })
      const connection = await stage.connect()
      const node = await stage.node()
      node.journal.append = () => new Promise(() => {})
      await stage.time.advance(2 * MINUTE)
      // The worker has renewed it meanwhile; from here on neither place takes anything.
      node.fault('commitGrant', 'refused', { times: 1_000 })
      await stage.time.advance(MINUTE)
      const { generation } = (await stage.row(connection)).credential
      const served = await Promise.race([
        node.read(connection).then(
          (answer) => answer.generation,
          () => null,
        ),
        stage.time.advance(10 * SECOND).then(() => null),
      ])
      assert.ok(served === null || served <= generation, `generation ${served} was served while the database had ${generation}`)
    },
  },
  {
    id: 'until-used-waits-for-the-database',
    name: 'where the use of a new token ends the old one, several nodes hand it out only after the database has it',
    async run() {
      const stage = await Stage.open({ reuse: 'P2', lifetimeSeconds: 600 })
      const connection = await stage.connect()
      const node = await stage.node()
      await stage.time.advance(601 * SECOND)
      const { generation } = (await stage.row(connection)).credential
      node.fault('commitGrant', 'refused', { times: 1_000 })
      // Renewed meanwhile, and read while both tokens live: one that is over is handed out by nobody.
      await stage.time.advance(5 * MINUTE)
      const served = await Promise.race([
        node.read(connection).then(
          (answer) => answer.generation,
          () => null,
        ),
        stage.time.advance(10 * SECOND).then(() => null),
      ])
      const stored = (await stage.row(connection)).credential.generation
      assert.ok(generation >= 1)
      assert.ok(node.engine.stats().flights > 0, 'nothing was renewed while the database refused it')
      assert.ok(served === null || served <= stored, `generation ${served} was served while the database had ${stored}`)
    },
  },
  {
    id: 'reconnect-wins',
    name: 'the late answer of an old grant does not overwrite the grant that its owner gave meanwhile',
    stores: BOTH_STORES,
    async run(store) {
      const stage = await Stage.open({ reuse: 'P4', store })
      const connection = await stage.connect()
      const node = await stage.node()
      stage.provider.steps.push({ kind: 'answers_after', ms: 20 * SECOND })
      node.engine.refresh(stage.organization, connection.id).catch(() => {})
      await stage.time.advance(5 * SECOND)
      const again = await stage.reconnect(connection)
      await stage.time.advance(MINUTE)
      const row = await stage.row(connection)
      assert.equal(stage.refreshTokenOf(row), `rt-${again.family}-1`)
      assert.equal((await node.read(connection)).accessToken, accessTokenOf(again.family, 1))
    },
  },
  {
    id: 'disconnect-wins',
    name: 'a late answer of a disconnected grant is never readable and is revoked at the provider',
    stores: BOTH_STORES,
    async run(store) {
      const stage = await Stage.open({ reuse: 'P4', store })
      const connection = await stage.connect()
      const node = await stage.node()
      stage.provider.steps.push({ kind: 'answers_after', ms: 20 * SECOND })
      node.engine.refresh(stage.organization, connection.id).catch(() => {})
      await stage.time.advance(5 * SECOND)
      const at = stage.time.clock.wall()
      await stage.store.connections.disconnect({
        organization: stage.organization,
        connection: connection.id,
        at,
        event: stage.event('connection.disconnected', connection.id),
        revocation: { id: `rev_${stage.entropy.uuid()}`, perToken: false },
      })
      await stage.time.advance(MINUTE)
      await assert.rejects(node.read(connection))
      const due = await stage.store.connections.takeDueRevocations(10, MINUTE)
      assert.deepEqual(due.map((revocation) => revocation.generation).sort(), [1, null])
      assert.equal((await stage.row(connection)).credential.generation, 1)
    },
  },
  {
    id: 'lifetimes-from-the-sending',
    name: 'the lifetime of a token counts from the moment its request was sent',
    async run() {
      const stage = await Stage.open({ reuse: 'P4', lifetimeSeconds: 600 })
      const connection = await stage.connect()
      const node = await stage.node()
      stage.provider.steps.push({ kind: 'answers_after', ms: 60 * SECOND })
      const sent = stage.time.clock.wall()
      node.engine.refresh(stage.organization, connection.id).catch(() => {})
      await stage.time.advance(2 * MINUTE)
      const { generation, obtainedAt, accessExpiresAt } = (await stage.row(connection)).credential
      assert.equal(generation, 2)
      assert.ok(obtainedAt - sent < SECOND, `counted from ${obtainedAt - sent} ms after the sending`)
      assert.ok((accessExpiresAt ?? 0) - sent <= 600 * SECOND)
    },
  },
]
