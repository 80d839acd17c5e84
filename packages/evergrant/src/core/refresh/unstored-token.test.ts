import { expect, test } from 'vitest'
import { createEngineLab, type EngineLab } from '../../testing/engine-lab.ts'
import { settle } from '../../testing/settle.ts'
import { Fault } from '../fault/fault.ts'

const HOUR = 3_600_000

/** A database that answers every read and, from the moment that `full` says so, takes no grant: its disk is full. */
async function labOnFullDisk(): Promise<{ readonly lab: EngineLab; readonly disk: { full: boolean } }> {
  const disk = { full: false }
  const lab = await createEngineLab({
    ports: ({ credentials }) => ({
      credentials: {
        ...credentials,
        commitGrant: (commit) => (disk.full ? Promise.reject(new Fault('store_unavailable', { detail: 'no space left' })) : credentials.commitGrant(commit)),
      },
    }),
  })
  return { lab, disk }
}

/** Renewed, and in the journal alone. */
async function renewedOnFullDisk(): Promise<{ readonly lab: EngineLab; readonly disk: { full: boolean } }> {
  const { lab, disk } = await labOnFullDisk()
  await lab.time.advance(HOUR)
  disk.full = true
  const reading = lab.read()
  await lab.time.advance(1_000)
  expect(await settle(lab, reading)).toMatchObject({ accessToken: 'at-2', generation: 2 })
  return { lab, disk }
}

test('a token that only the journal has is served while it lives, and not a moment longer', async () => {
  const { lab, disk } = await renewedOnFullDisk()
  await lab.time.advance(HOUR - 2_000)
  expect(await settle(lab, lab.read())).toMatchObject({ accessToken: 'at-2' })
  await lab.time.advance(2_000)
  await expect(settle(lab, lab.read())).rejects.toMatchObject({ code: 'refresh_in_progress', details: { retryAt: lab.time.clock.wall() + 1_000 } })
  expect(lab.provider.presented).toEqual(['rt-1'])
  disk.full = false
  await lab.time.advance(10_000)
  expect(await settle(lab, lab.read())).toMatchObject({ accessToken: 'at-3', generation: 3 })
  expect(lab.provider.presented).toEqual(['rt-1', 'rt-2'])
})

test('a token that only the journal has, and that an API refused, is not handed out for an answer to that refusal', async () => {
  const { lab } = await renewedOnFullDisk()
  await expect(settle(lab, lab.read(0, 2))).rejects.toMatchObject({ code: 'refresh_in_progress', details: { retryAt: lab.time.clock.wall() + 1_000 } })
  expect(await settle(lab, lab.read(0, 1))).toMatchObject({ accessToken: 'at-2' })
  expect(lab.provider.presented).toEqual(['rt-1'])
})

test('a refresh on purpose does not report a token that only the journal has as new when it is over', async () => {
  const { lab } = await renewedOnFullDisk()
  await lab.time.advance(HOUR)
  await expect(settle(lab, lab.engine.refresh(lab.organization, lab.connection))).rejects.toMatchObject({
    code: 'refresh_in_progress',
    details: { retryAt: lab.time.clock.wall() + 1_000 },
  })
  expect(lab.provider.presented).toEqual(['rt-1'])
})
