// npm run load -- 1000 [--minutes 10] [--store sqlite|postgres] [--think 5]
// npm run load -- limits [--store sqlite|postgres] [--users 200]
// The last line is one JSON object.
import { parseArgs } from 'node:util'
import { duration, oneOf, readCommandLine, UsageError, wholeNumber } from '../command-line.ts'
import { PostgresProcess } from '../postgres-process.ts'
import { LIMITS, runLimits } from './limits.ts'
import { runLoad } from './run.ts'

const STORES = ['sqlite', 'postgres'] as const
const HELP = `npm run load -- USERS [--minutes 10] [--store sqlite|postgres] [--nodes N] [--think 5] [--seed S]
npm run load -- limits [--users 200] [--only NAME]

  USERS         people at work at the same time, each over a connection of their own: 200, 1000, 5000
  --minutes N   how long (10)
  --store S     sqlite: one server; postgres: two servers on one database (sqlite)
  --nodes N     servers on PostgreSQL (2)
  --think N     mean seconds between two requests of a person, drawn between 0 and twice that (5)
  --seed S      the same choices again; without it a seed is drawn and printed
  --only NAME   one limit: ${LIMITS.join(', ')}

The last line is one JSON object. Exit code 1: too many errors, memory that grows, or a limit that did not heal; 2: the command line is wrong.`

const options = readCommandLine(HELP, (args) => {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      minutes: { type: 'string', default: '10' },
      store: { type: 'string', default: 'sqlite' },
      nodes: { type: 'string', default: '2' },
      think: { type: 'string', default: '5' },
      seed: { type: 'string' },
      users: { type: 'string', default: '200' },
      only: { type: 'string' },
    },
  })
  const [what = '', ...more] = positionals
  if (what === '' || more.length > 0) throw new UsageError('say how many users, or limits')
  return {
    users: what === 'limits' ? null : wholeNumber('users', what),
    limitUsers: wholeNumber('users', values.users),
    only: values.only === undefined ? LIMITS : [oneOf('only', values.only, LIMITS)],
    seconds: duration('minutes', values.minutes) * 60,
    store: oneOf('store', values.store, STORES),
    nodes: wholeNumber('nodes', values.nodes),
    thinkMs: duration('think', values.think) * 1_000,
    seed: values.seed === undefined ? Math.floor(Math.random() * 1_000_000_000) + 1 : wholeNumber('seed', values.seed),
  }
})
const say = (line: string): void => console.log(line)
const { users, seconds, nodes, thinkMs, seed } = options
say(`seed ${seed}`)
if (users === null) {
  const report = await runLimits({ users: options.limitUsers, only: options.only, seed, say })
  say(JSON.stringify(report))
  process.exitCode = report.violations.length === 0 ? 0 : 1
} else {
  const postgres = options.store === 'postgres' ? await PostgresProcess.start() : null
  try {
    const report = await runLoad({ users, seconds, nodes, thinkMs, seed, postgres, say })
    for (const violation of report.violations) say(`VIOLATION ${violation}`)
    say(JSON.stringify(report))
    process.exitCode = report.violations.length === 0 ? 0 : 1
  } finally {
    await postgres?.stop()
  }
}
