// The model of lease and rotation, explored to the end. `--large` asks the long questions, `--traces` shows the shortest counterexamples.
import { parseArgs } from 'node:util'
import { readCommandLine } from '../command-line.ts'
import { ask, LARGE, VARIANTS } from './variants.ts'

const HELP = `npm run model -- [--large] [--traces]

  --large    the long questions, too
  --traces   the shortest way to break each rule that a variant breaks

The last line is one JSON object. Exit code 1: an answer is not as it must be; 2: the command line is wrong.`

const asked = readCommandLine(HELP, (args) => {
  const options = { large: { type: 'boolean', default: false }, traces: { type: 'boolean', default: false } } as const
  return parseArgs({ args, options }).values
})
let wrong = 0
for (const variant of asked.large ? [...VARIANTS, ...LARGE] : VARIANTS) {
  const started = performance.now()
  const { exploration, complaints } = ask(variant)
  const { nodes, rotations, losses, crashes, reconnects } = variant.budgets
  const seconds = ((performance.now() - started) / 1_000).toFixed(1)
  const world = `${nodes} nodes, ${rotations} rotations, ${losses} losses, ${crashes} crashes, ${reconnects} reconnects`
  console.log(`${variant.name} (${world}): ${exploration.states} states, ${exploration.transitions} steps, depth ${exploration.depth}, ${seconds} s`)
  for (const [name, way] of exploration.broken) {
    console.log(`  breaks ${name}, after ${way.length} steps`)
    if (asked.traces) console.log(way.map((step) => `    ${step}`).join('\n'))
  }
  if (complaints.length > 0) wrong += 1
  for (const complaint of complaints) console.log(`  WRONG: ${complaint}`)
  if (asked.traces && exploration.stuckTrace !== null) console.log(exploration.stuckTrace.map((step) => `    ${step}`).join('\n'))
}
console.log(JSON.stringify({ wrong }))
process.exitCode = wrong === 0 ? 0 : 1
