import { expect, test } from 'vitest'
import { createCrowdLab } from '../../testing/crowd-lab.ts'
import { NotSent } from '../provider/wire.ts'
import { MINUTE, SECOND } from '../time.ts'

const SHORT_OF = [
  ['EADDRNOTAVAIL', 'no local port is free'],
  ['EMFILE', 'the limit of open files is reached'],
] as const

test.each(SHORT_OF)('%s opens no breaker, counts on no connection, parks nobody, and is told once a minute in words', async (code, words) => {
  const said: string[] = []
  const lab = await createCrowdLab(40, {
    ageMs: 55 * MINUTE,
    ports: ({ log }) => ({ log: { ...log, error: (_: object, message: string) => void said.push(message) } }),
  })
  const { crowd } = lab
  const { open } = crowd
  crowd.open = () => Promise.reject(new NotSent(code, 'struck'))
  await lab.live(10 * SECOND)
  for (const member of lab.members) expect((await lab.row(member)).health.failures).toBe(0)
  expect(await lab.store.credentials.parkedIntegrations()).toEqual([])
  expect(await lab.events('connection.refresh_failed')).toBe(0)
  expect(said).toEqual([expect.stringContaining(words)])
  crowd.open = open
  // Whoever waits need not stand in a line: nothing was closed.
  const [first] = lab.members
  if (first === undefined) throw new Error('the crowd is empty')
  await lab.engine.refresh(lab.lab.organization, first)
  expect((await lab.row(first)).credential.generation).toBe(2)
  await lab.live(70 * SECOND)
  for (const member of lab.members) expect((await lab.row(member)).credential.generation).toBe(2)
})
