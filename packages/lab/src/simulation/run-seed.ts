import type { SeedOptions, SeedReport } from './seed-report.ts'

/** Lives one seed from its first event to the end of its calm hours. */
export function runSeed(options: SeedOptions): Promise<SeedReport> {
  return Promise.reject(new Error(`seed ${options.seed}: the world is not there yet`))
}
