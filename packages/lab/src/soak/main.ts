// npm run soak -- --minutes 30 [--store sqlite|postgres] [--seed 1] [--short]
// Both stores, one after the other, when none is named; --short: two minutes in all. The last line of each is one JSON object.
import { parseArgs } from 'node:util'
import { duration, oneOf, readCommandLine, wholeNumber } from '../command-line.ts'
import { PostgresProcess } from '../postgres-process.ts'
import { soak } from './soak.ts'

const STORES = ['sqlite', 'postgres'] as const
const HELP = `npm run soak -- [--minutes 30] [--store sqlite|postgres] [--seed S] [--short]

  --minutes N   minutes on each store (30)
  --store S     sqlite or postgres; both, one after the other, when none is named
  --seed S      the same load again; without it a seed is drawn and printed
  --short       one minute on each store

The last line of each store is one JSON object. Exit code 1: something grows, or a wrong token was served; 2: the command line is wrong.`

const { minutes, stores, seed } = readCommandLine(HELP, (args) => {
  const { values } = parseArgs({
    args,
    options: { minutes: { type: 'string', default: '30' }, store: { type: 'string' }, seed: { type: 'string' }, short: { type: 'boolean', default: false } },
  })
  return {
    minutes: values.short ? 1 : duration('minutes', values.minutes),
    stores: values.store === undefined ? STORES : [oneOf('store', values.store, STORES)],
    seed: values.seed === undefined ? Math.floor(Math.random() * 1_000_000_000) + 1 : wholeNumber('seed', values.seed),
  }
})
const say = (line: string): void => console.log(line)
say(`seed ${seed}`)
for (const store of stores) {
  const postgres = store === 'postgres' ? await PostgresProcess.start() : null
  try {
    const report = await soak({ postgres, minutes, seed, say })
    for (const violation of report.violations) say(`VIOLATION ${violation}`)
    say(JSON.stringify(report))
    if (report.violations.length > 0) process.exitCode = 1
  } finally {
    await postgres?.stop()
  }
}
