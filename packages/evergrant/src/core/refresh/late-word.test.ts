import { expect, test } from 'vitest'
import { createEngineLab } from '../../testing/engine-lab.ts'
import { NO_JOURNAL } from './journal.ts'

test('a commit whose acknowledgement comes after a newer token elsewhere brings no older token back into memory', async () => {
  let acknowledge = (): void => {}
  const late = new Promise<void>((resolve) => {
    acknowledge = resolve
  })
  const lab = await createEngineLab({
    reuse: 'P4',
    ports: (ports) => ({
      credentials: new Proxy(ports.credentials, {
        get: (target, key) => {
          if (key !== 'commitGrant') return Reflect.get(target, key)
          return async (commit: Parameters<typeof target.commitGrant>[0]) => {
            const outcome = await target.commitGrant(commit)
            if (commit.presentedGeneration === 1) await late
            return outcome
          }
        },
      }),
      journal: NO_JOURNAL,
    }),
  })
  const first = lab.engine.refresh(lab.organization, lab.connection)
  await expect.poll(async () => (await lab.row()).credential.generation).toBe(2)
  const other = lab.another({ node: { id: 'node-2', incarnation: 'first' } })
  expect(await other.refresh(lab.organization, lab.connection)).toMatchObject({ generation: 3 })
  acknowledge()
  expect(await first).toMatchObject({ generation: 2 })
  expect(await lab.read()).toMatchObject({ generation: 3, accessToken: 'at-3' })
})
