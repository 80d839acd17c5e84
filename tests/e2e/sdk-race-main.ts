// npm run sdk-race -- [--rounds 100] [--processes 50] [--store fake|sqlite|postgres]
// Many processes of one machine, one credential file, a SIGKILL to the one that renews in each round. The last line is one JSON object.
import { parseArgs } from 'node:util'
import { oneOf, readCommandLine, wholeNumber } from '../../packages/lab/src/command-line.ts'
import { PostgresProcess } from '../../packages/lab/src/postgres-process.ts'
import { type RaceOptions, race } from '../../packages/sdk/src/node/agent/testing/race.ts'
import { realServer } from './sdk-race-server.ts'

const HELP = 'npm run sdk-race -- [--rounds 100] [--processes 50] [--store fake|sqlite|postgres]'
const { rounds, processes, store } = readCommandLine(HELP, (args) => {
  const { values } = parseArgs({ args, options: { rounds: { type: 'string' }, processes: { type: 'string' }, store: { type: 'string' } } })
  return {
    rounds: wholeNumber('rounds', values.rounds ?? '100'),
    processes: wholeNumber('processes', values.processes ?? '50'),
    store: oneOf('store', values.store ?? 'postgres', ['fake', 'sqlite', 'postgres'] as const),
  }
})

async function run(serve?: RaceOptions['serve']): Promise<void> {
  const started = performance.now()
  const report = await race({ rounds, processes, say: console.log, ...(serve === undefined ? {} : { serve }) })
  for (const failure of report.failures) console.error(failure)
  const otherRounds = report.rotations.filter((count) => count !== 1).length
  const ok = report.failures.length + report.doubleHolders + report.falseLocks + otherRounds === 0
  const seconds = Math.round((performance.now() - started) / 1_000)
  const counts = { killed: report.killed, failures: report.failures.length, double_holders: report.doubleHolders, false_locks: report.falseLocks }
  console.log(JSON.stringify({ race: 'sdk', store, rounds, processes, seconds, ...counts, rounds_without_exactly_one_rotation: otherRounds, ok }))
  process.exitCode = ok ? 0 : 1
}

if (store === 'postgres') {
  const postgres = await PostgresProcess.start()
  try {
    await postgres.create('race')
    await run(realServer(postgres.url('race')))
  } finally {
    await postgres.stop()
  }
} else await run(store === 'sqlite' ? realServer(null) : undefined)
