import process from 'node:process'
import { parseArgs } from 'node:util'
import { race } from './race.ts'

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '100' }, processes: { type: 'string', default: '50' } } })
const started = performance.now()
const report = await race({ rounds: Number(values.rounds), processes: Number(values.processes), say: console.log })
const seconds = Math.round((performance.now() - started) / 1_000)
const others = report.rotations.filter((count) => count !== 1).length
console.log(
  `${report.rounds} rounds of ${values.processes} processes in ${seconds} s: ${report.killed} killed, ${report.failures.length} failures of survivors, ` +
    `${report.doubleHolders} double holders, ${report.falseLocks} false locks, ${others} rounds without exactly one rotation`,
)
for (const failure of report.failures) console.error(failure)
process.exitCode = report.failures.length + report.doubleHolders + report.falseLocks + others === 0 ? 0 : 1
