// npm run soak -- --minutes 30 [--store sqlite|postgres] [--seed 1] [--short]
// Both stores, one after the other, when none is named; --short: two minutes in all. The last line of each is one JSON object.
import { parseArgs } from 'node:util'
import { PostgresProcess } from '../postgres-process.ts'
import { soak } from './soak.ts'

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '30' }, store: { type: 'string' }, seed: { type: 'string' }, short: { type: 'boolean', default: false } },
})

const minutes = values.short ? 1 : Number(values.minutes)
const seed = values.seed === undefined ? Math.floor(Math.random() * 1_000_000_000) : Number(values.seed)
const say = (line: string): void => console.log(line)
say(`seed ${seed}`)
for (const store of values.store === undefined ? ['sqlite', 'postgres'] : [values.store]) {
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
