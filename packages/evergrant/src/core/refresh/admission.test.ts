import { expect, test } from 'vitest'
import { createManualTime } from '../../testing/manual-time.ts'
import { Admission } from './admission.ts'

const time = createManualTime()
const PATIENCE_MS = 5_000

test('no more go in than there are places, and a place that is given back admits the next', async () => {
  const admission = new Admission(time.timers)
  const order: string[] = []
  const first = await admission.enter('int', 1, false, PATIENCE_MS)
  const second = admission.enter('int', 1, false, PATIENCE_MS).then((leave) => {
    order.push('second')
    return leave
  })
  expect(order).toEqual([])
  first?.()
  ;(await second)?.()
  expect(order).toEqual(['second'])
})

test('somebody who waits goes before the background', async () => {
  const admission = new Admission(time.timers)
  const order: string[] = []
  const leave = await admission.enter('int', 1, false, PATIENCE_MS)
  const patient = admission.enter('int', 1, false, PATIENCE_MS).then((go) => {
    order.push('patient')
    go?.()
  })
  const urgent = admission.enter('int', 1, true, PATIENCE_MS).then((go) => {
    order.push('urgent')
    go?.()
  })
  leave?.()
  await Promise.all([patient, urgent])
  expect(order).toEqual(['urgent', 'patient'])
})

test('giving a place back twice admits one, not two', async () => {
  const admission = new Admission(time.timers)
  const leave = await admission.enter('int', 1, false, PATIENCE_MS)
  leave?.()
  leave?.()
  await admission.enter('int', 1, false, PATIENCE_MS)
  let admitted = false
  void admission.enter('int', 1, false, PATIENCE_MS).then(() => {
    admitted = true
  })
  await Promise.resolve()
  expect(admitted).toBe(false)
})

test('integrations do not wait for each other', async () => {
  const admission = new Admission(time.timers)
  await admission.enter('one', 1, false, PATIENCE_MS)
  await expect(admission.enter('two', 1, false, PATIENCE_MS)).resolves.toBeTypeOf('function')
})

test('whoever waits too long goes without, and leaves no place behind that nobody gives back', async () => {
  const admission = new Admission(time.timers)
  const leave = await admission.enter('int', 1, false, PATIENCE_MS)
  const patient = admission.enter('int', 1, false, PATIENCE_MS)
  expect(admission.room('int', 1)).toBe(0)
  await time.advance(PATIENCE_MS)
  expect(await patient).toBeNull()
  leave?.()
  expect(admission.room('int', 1)).toBe(1)
  expect(await admission.enter('int', 1, false, PATIENCE_MS)).not.toBeNull()
})

test('whoever hurries in the line of the patient goes before them, and does not go without any more', async () => {
  const admission = new Admission(time.timers)
  const order: string[] = []
  const leave = await admission.enter('int', 1, false, PATIENCE_MS)
  const wait = (name: string, hurries: (hurry: () => void) => void = () => {}) =>
    admission
      .enter('int', 1, false, PATIENCE_MS, () => true, hurries)
      .then((go) => {
        order.push(go === null ? `${name} went without` : name)
        go?.()
      })
  let hurry = () => {}
  const all = [wait('first'), wait('second'), wait('third', (given) => (hurry = given))]
  hurry()
  hurry()
  await time.advance(PATIENCE_MS)
  expect([order, admission.load('int')]).toEqual([['first went without', 'second went without'], 2])
  leave?.()
  await Promise.all(all)
  hurry()
  expect([order.at(-1), admission.load('int')]).toEqual(['third', 0])
})
