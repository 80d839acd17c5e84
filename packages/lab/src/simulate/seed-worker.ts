/**
 * A process that lives seeds and plays scenarios for the one that started it, on the real protocol or on the mutant that
 * its first argument names. What it runs is loaded only after the mutant is.
 */
import { loadMutant } from './mutant-loader.ts'
import { mutants } from './mutants.ts'
import type { WorkerAnswer, WorkerJob } from './seed-pool.ts'

const [name] = process.argv.slice(2)
if (name !== undefined) {
  const mutant = mutants.find((candidate) => candidate.name === name)
  if (mutant === undefined) throw new Error(`there is no mutant ${name}`)
  loadMutant(mutant)
}
const { runSeed } = await import('../simulation/run-seed.ts')
const { registerEngine } = await import('../simulation/engines.ts')
const { plainLockEngine, shortLockEngine } = await import('../simulation/plain-lock-engine.ts')
const { playScenario, scenarios } = await import('../simulation/scenarios/index.ts')
const { playCanary } = await import('./canaries.ts')

registerEngine('plain_lock', plainLockEngine)
registerEngine('short_lock', shortLockEngine)

async function done(job: WorkerJob): Promise<WorkerAnswer> {
  try {
    switch (job.kind) {
      case 'seed':
        return { kind: 'seed', report: await runSeed(job.options) }
      case 'canary':
        return { kind: 'seed', report: await playCanary(job.name, job.seed) }
      case 'scenario': {
        const scenario = scenarios.find((candidate) => candidate.id === job.id)
        if (scenario === undefined) throw new Error(`there is no scenario ${job.id}`)
        return { kind: 'scenario', failures: await playScenario(scenario) }
      }
    }
  } catch (error) {
    return { kind: 'error', text: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  }
}

/** A rejection that nobody handles is a defect of the protocol; of a mutant or a canary, it is part of what they do wrong. */
let unhandled: string | null = null
process.on('unhandledRejection', (error) => {
  unhandled = error instanceof Error ? (error.stack ?? error.message) : String(error)
})

process.on('message', (job: WorkerJob) => {
  void done(job).then((answer) => {
    const defect = name === undefined && job.kind === 'seed' ? unhandled : null
    unhandled = null
    // Whoever asked may be gone.
    process.send?.(defect === null ? answer : { kind: 'error', text: `an unhandled rejection: ${defect}` }, () => {})
  })
})
process.on('disconnect', () => process.exit(0))
