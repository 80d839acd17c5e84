import { describe, expect, test } from 'vitest'
import { at, type JsonClient, textAt } from '../../packages/lab/src/http.ts'
import { Workbench } from '../../packages/lab/src/workbench.ts'
import { freshDatabase } from '../fresh-database.ts'

const READS = 1000
const { database, skip } = await freshDatabase()

/** Reads one expired connection a thousand times at once, spread over the nodes; the provider counts what it was asked. */
async function readAtOnce(bench: Workbench, nodes: readonly JsonClient[]): Promise<void> {
  // The provider takes its time, so that every reader is there before the answer is.
  await bench.fault('p4', { kind: 'delay', ms: 1500, times: null })
  const held = await bench.hold('p4', 0)
  expect(await bench.works('p4', held.accessToken)).toBe(401)
  const replies = await Promise.all(Array.from({ length: READS }, (_, read) => nodes[read % nodes.length]?.get(`/connections/${held.connection}/token`)))
  expect(replies.filter((reply) => reply?.status !== 200).map((reply) => reply?.text)).toEqual([])
  expect(new Set(replies.map((reply) => at(reply?.body, 'generation')))).toEqual(new Set([2]))
  expect(new Set(replies.map((reply) => at(reply?.body, 'access_token'))).size).toBe(1)
  expect(await bench.truth(held)).toMatchObject({ state: 'live', refresh_requests: 1, overlaps: 0, generation: 2 })
  expect(await bench.counts('p4')).toMatchObject({ refresh: 1 })
  expect(await bench.works('p4', textAt(await bench.token(held), 'access_token'))).toBe(200)
}

describe(`${READS} concurrent reads of one expired connection at a provider that punishes reuse`, () => {
  test('one process on the embedded database asks the provider once and answers everybody', { timeout: 120_000 }, async () => {
    const bench = await Workbench.start({ timeScale: 1, profiles: { p4: 'P4' } })
    try {
      await readAtOnce(bench, [bench.api])
    } finally {
      await bench.dispose()
    }
  })

  test.skipIf(database === null)(`four processes on one PostgreSQL database ask the provider once${skip ?? ''}`, { timeout: 180_000 }, async () => {
    const bench = await Workbench.start({ timeScale: 1, profiles: { p4: 'P4' }, ...(database === null ? {} : { databaseUrl: database.url }) })
    try {
      const others = await Promise.all([1, 2, 3].map(() => bench.addNode()))
      await readAtOnce(bench, [bench.api, ...others.map(({ api }) => api)])
    } finally {
      await bench.dispose()
      await database?.drop()
    }
  })
})
