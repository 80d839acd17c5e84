import { expect, test } from 'vitest'
import { Admission } from './admission.ts'

test('no more go in than there are places, and a place that is given back admits the next', async () => {
  const admission = new Admission()
  const order: string[] = []
  const first = await admission.enter('int', 1, false)
  const second = admission.enter('int', 1, false).then((leave) => {
    order.push('second')
    return leave
  })
  expect(order).toEqual([])
  first()
  ;(await second)()
  expect(order).toEqual(['second'])
})

test('somebody who waits goes before the background', async () => {
  const admission = new Admission()
  const order: string[] = []
  const leave = await admission.enter('int', 1, false)
  const patient = admission.enter('int', 1, false).then((go) => {
    order.push('patient')
    go()
  })
  const urgent = admission.enter('int', 1, true).then((go) => {
    order.push('urgent')
    go()
  })
  leave()
  await Promise.all([patient, urgent])
  expect(order).toEqual(['urgent', 'patient'])
})

test('giving a place back twice admits one, not two', async () => {
  const admission = new Admission()
  const leave = await admission.enter('int', 1, false)
  leave()
  leave()
  await admission.enter('int', 1, false)
  let admitted = false
  void admission.enter('int', 1, false).then(() => {
    admitted = true
  })
  await Promise.resolve()
  expect(admitted).toBe(false)
})

test('integrations do not wait for each other', async () => {
  const admission = new Admission()
  await admission.enter('one', 1, false)
  await expect(admission.enter('two', 1, false)).resolves.toBeTypeOf('function')
})
