import type { IntegrationId } from '../ids.ts'
import { MINUTE } from '../time.ts'
import { DEATH_WINDOW_MS } from './death-watch.ts'

const BUCKET_MS = MINUTE
const BUCKETS = DEATH_WINDOW_MS / BUCKET_MS

/** How many refreshes of each integration this node saw answered in the window. Never more than there were. */
export class AnsweredRefreshes {
  readonly #buckets = new Map<IntegrationId, Map<number, number>>()
  readonly #deathsInARow = new Map<IntegrationId, number>()

  note(integration: IntegrationId, dead: boolean, monoMs: number): void {
    this.#deathsInARow.set(integration, dead ? this.deathsInARow(integration) + 1 : 0)
    const buckets = this.#buckets.get(integration) ?? new Map<number, number>()
    this.#buckets.set(integration, buckets)
    const bucket = Math.floor(monoMs / BUCKET_MS)
    buckets.set(bucket, (buckets.get(bucket) ?? 0) + 1)
    for (const old of buckets.keys()) if (old <= bucket - BUCKETS) buckets.delete(old)
  }

  /** Since the last grant. */
  deathsInARow(integration: IntegrationId): number {
    return this.#deathsInARow.get(integration) ?? 0
  }

  count(integration: IntegrationId, monoMs: number): number {
    const oldest = Math.floor(monoMs / BUCKET_MS) - BUCKETS
    let sum = 0
    for (const [bucket, count] of this.#buckets.get(integration) ?? []) if (bucket > oldest) sum += count
    return sum
  }
}
