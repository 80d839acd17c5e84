import { afterEach, describe, expect, test } from 'vitest'
import { createRestoreLab, type RestoreLab } from '../../testing/restore-lab.ts'
import { refreshTokenOf } from '../../testing/scripted-provider.ts'
import { HOUR } from '../time.ts'
import type { Engine } from './engine.ts'

const labs: RestoreLab[] = []
afterEach(async () => {
  for (const lab of labs.splice(0)) await lab.close()
})

async function labOf(...args: Parameters<typeof createRestoreLab>): Promise<RestoreLab> {
  const lab = await createRestoreLab(...args)
  labs.push(lab)
  return lab
}

/** Renews once more, an hour later. */
async function renew(it: RestoreLab, engine: Engine = it.engine()) {
  await it.lab.time.advance(HOUR)
  return engine.refresh(it.lab.organization, it.lab.connection)
}

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'none',
    (error: { code?: string }) => error.code ?? String(error),
  )

describe('a database restored between two starts', () => {
  test('whose journal has the answers is rolled forward through several generations, and still waits for an operator (I20)', async () => {
    const it = await labOf({ reuse: 'P4' })
    await it.backup()
    for (let round = 0; round < 3; round += 1) await renew(it)
    const presented = it.lab.provider.presented.length
    const engine = await it.restart('copy')
    expect((await it.lab.row()).credential.generation).toBe(4)
    expect(await it.lineages().reported(10)).toEqual([])
    expect(it.trust().known()).toMatchObject({ trusted: 'restored' })
    expect(await codeOf(renew(it, engine))).toBe('database_untrusted')
    expect(it.lab.provider.presented).toHaveLength(presented)
    expect(it.lab.provider.familyAlive).toBe(true)
  })

  test('whose journal is gone is listed, and presents nothing stale at P1, P3 and P4 (I20)', async () => {
    for (const reuse of ['P1', 'P3', 'P4'] as const) {
      const it = await labOf({ reuse })
      await it.backup()
      await renew(it)
      await renew(it)
      it.lab.journal.records.splice(0)
      const engine = await it.restart('copy')
      expect(await codeOf(renew(it, engine)), reuse).toBe('database_untrusted')
      expect(it.lab.provider.presented, reuse).toEqual([refreshTokenOf(1), refreshTokenOf(2)])
      expect(await it.lineages().reported(10)).toMatchObject([{ connection: it.lab.connection, marked: 3, stored: 1, mended: false }])
    }
  })
})
