// The model of lease and rotation, explored to the end. `--large` asks the long questions, `--traces` shows the shortest counterexamples.
import { ask, LARGE, VARIANTS } from './variants.ts'

const asked = new Set(process.argv.slice(2))
let wrong = 0
for (const variant of asked.has('--large') ? [...VARIANTS, ...LARGE] : VARIANTS) {
  const started = performance.now()
  const { exploration, complaints } = ask(variant)
  const { nodes, rotations, losses, crashes, reconnects } = variant.budgets
  const seconds = ((performance.now() - started) / 1_000).toFixed(1)
  const world = `${nodes} nodes, ${rotations} rotations, ${losses} losses, ${crashes} crashes, ${reconnects} reconnects`
  console.log(`${variant.name} (${world}): ${exploration.states} states, ${exploration.transitions} steps, depth ${exploration.depth}, ${seconds} s`)
  for (const [name, way] of exploration.broken) {
    console.log(`  breaks ${name}, after ${way.length} steps`)
    if (asked.has('--traces')) console.log(way.map((step) => `    ${step}`).join('\n'))
  }
  if (complaints.length > 0) wrong += 1
  for (const complaint of complaints) console.log(`  WRONG: ${complaint}`)
  if (asked.has('--traces') && exploration.stuckTrace !== null) console.log(exploration.stuckTrace.map((step) => `    ${step}`).join('\n'))
}
console.log(JSON.stringify({ wrong }))
process.exitCode = wrong === 0 ? 0 : 1
