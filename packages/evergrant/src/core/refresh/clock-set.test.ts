import { expect, test } from 'vitest'
import { createEngineLab } from '../../testing/engine-lab.ts'
import { settle } from '../../testing/settle.ts'

const DAY = 24 * 3_600_000
const HOUR = 3_600_000
const MINUTE = 60_000

test('a clock that is set back does not stretch the minute in which a renewed token that is refused again is not renewed', async () => {
  const lab = await createEngineLab()
  expect(await settle(lab, lab.read(0, 1))).toMatchObject({ generation: 2 })
  await expect(settle(lab, lab.read(0, 2))).rejects.toMatchObject({ code: 'upstream_token_refused' })
  lab.time.setWall(lab.time.clock.wall() - DAY)
  await expect(settle(lab, lab.read(0, 2))).rejects.toMatchObject({
    code: 'upstream_token_refused',
    details: { retryAt: lab.time.clock.wall() + MINUTE },
  })
  await lab.time.advance(MINUTE)
  expect(await settle(lab, lab.read(0, 2))).toMatchObject({ generation: 3 })
})

test('a clock that is set back does not keep a token that is read from being renewed in the background', async () => {
  const lab = await createEngineLab()
  const right = lab.time.clock.wall()
  lab.journal.healthy = () => false
  // For a moment the clock is ahead, and nothing can be sent.
  lab.time.setWall(right + 0.8 * HOUR)
  expect(await settle(lab, lab.read())).toMatchObject({ generation: 1 })
  await settle(lab, Promise.resolve())
  expect(lab.provider.opened).toBe(0)
  lab.journal.healthy = () => true
  lab.time.setWall(right + 0.7 * HOUR)
  await lab.time.advance(5 * MINUTE)
  expect(await settle(lab, lab.read())).toMatchObject({ generation: 1 })
  await settle(lab, Promise.resolve())
  expect((await lab.row()).credential.generation).toBe(2)
})
