// `npm run sdk-race` in short: many processes of one machine, one credential file, the real server, a SIGKILL in each round.
import { afterAll, expect, test } from 'vitest'
import { race } from '../../packages/sdk/src/node/agent/testing/race.ts'
import { freshDatabase } from '../fresh-database.ts'
import { realServer } from './sdk-race-server.ts'

const { database, skip } = await freshDatabase()
afterAll(() => database?.drop())

// One more than the moments at which a process is killed, so that the first comes again.
const ROUNDS = 5

const cases: readonly [string, () => string | null, boolean][] = [
  [' on the embedded database', () => null, false],
  [` on PostgreSQL over two nodes${skip ?? ''}`, () => database?.url ?? null, database === null],
]

for (const [where, url, skipped] of cases) {
  const title = 'processes that share one file against the real server%s: the one that renews is killed in each round, and there is one rotation in each'
  test.skipIf(skipped)(title.replace('%s', where), { timeout: 180_000 }, async () => {
    const report = await race({ processes: 10, rounds: ROUNDS, serve: realServer(url()) })
    expect(report).toEqual({ rounds: ROUNDS, killed: ROUNDS, failures: [], doubleHolders: 0, falseLocks: 0, rotations: Array(ROUNDS).fill(1) })
  })
}
