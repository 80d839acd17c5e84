import { expect, test } from 'vitest'
import { createEngineLab, type EngineLab } from '../../testing/engine-lab.ts'

const told = (lab: EngineLab) => ({ at: lab.time.clock.wall(), text: 'the provider pushed that access was taken back', hash: 'digest' })

test('the word of the provider ends the grant that it was told of, with its evidence, and readers are told', async () => {
  const lab = await createEngineLab()
  await lab.read()
  expect(await lab.engine.toldEnd(await lab.row(), told(lab))).toBe('ended')
  const { connection, health } = await lab.row()
  expect(connection).toMatchObject({ state: 'needs_reauth', fault: { code: 'connection_revoked', evidence: { providerCode: 'push', answerHash: 'digest' } } })
  expect(health.dueAt).toBeNull()
  await expect(lab.read()).rejects.toMatchObject({ code: 'connection_revoked' })
  expect(lab.provider.presented).toEqual([])
})

test('a grant that was renewed meanwhile is not the one that was told of', async () => {
  const lab = await createEngineLab()
  const before = await lab.row()
  await lab.engine.refresh(lab.organization, lab.connection)
  expect(await lab.engine.toldEnd(before, told(lab))).toBe('moved')
  expect((await lab.row()).connection.state).toBe('active')
})

test('an answer that grants and comes later lifts the end again', async () => {
  const lab = await createEngineLab()
  const row = await lab.row()
  lab.provider.steps.push({ kind: 'late', ms: 1_000 })
  const refreshed = lab.engine.refresh(lab.organization, lab.connection)
  await lab.time.advance(10)
  expect(await lab.engine.toldEnd(row, told(lab))).toBe('ended')
  await lab.time.advance(1_000)
  await refreshed
  expect((await lab.row()).connection).toMatchObject({ state: 'active', fault: null })
  expect((await lab.read()).generation).toBe(2)
})

test('told twice, it ends once', async () => {
  const lab = await createEngineLab()
  const row = await lab.row()
  for (const stale of [row, row, await lab.row()]) await lab.engine.toldEnd(stale, told(lab))
  expect(await lab.engine.toldEnd(await lab.row(), told(lab))).toBe('moved')
  expect((await lab.store.events.list(lab.organization, { type: 'connection.needs_reauth' }, { limit: 10, cursor: null })).items).toHaveLength(1)
})

test('a paused connection is left as its operator wants it', async () => {
  const lab = await createEngineLab()
  const [event] = (await lab.store.events.list(lab.organization, {}, { limit: 1, cursor: null })).items
  if (event === undefined) throw new Error('the lab writes events')
  await lab.store.connections.setPaused(lab.organization, lab.connection, true, null, event)
  expect(await lab.engine.toldEnd(await lab.row(), told(lab))).toBe('moved')
  expect((await lab.row()).connection).toMatchObject({ state: 'paused', fault: null })
})
