import type { SeedReport } from '../simulation/seed-report.ts'

export function playCanary(name: string, seed: number): Promise<SeedReport> {
  return Promise.reject(new Error(`there is no canary ${name} (seed ${seed})`))
}
