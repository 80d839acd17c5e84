import type { IntegrationId } from '../ids.ts'

const BUCKETS = 10

/** How many refreshes of each integration this node saw answered in the window. Never more than there were. */
export class AnsweredRefreshes {
  readonly #buckets = new Map<IntegrationId, Map<number, number>>()
  readonly #deathsInARow = new Map<IntegrationId, number>()
  readonly #bucketMs: number

  constructor(windowMs: number) {
    this.#bucketMs = windowMs / BUCKETS
  }

  note(integration: IntegrationId, dead: boolean, monoMs: number): void {
    this.#deathsInARow.set(integration, dead ? this.deathsInARow(integration) + 1 : 0)
    const buckets = this.#buckets.get(integration) ?? new Map<number, number>()
    this.#buckets.set(integration, buckets)
    const bucket = Math.floor(monoMs / this.#bucketMs)
    buckets.set(bucket, (buckets.get(bucket) ?? 0) + 1)
    for (const old of buckets.keys()) if (old <= bucket - BUCKETS) buckets.delete(old)
  }

  /** Since the last grant. */
  deathsInARow(integration: IntegrationId): number {
    return this.#deathsInARow.get(integration) ?? 0
  }

  count(integration: IntegrationId, monoMs: number): number {
    const oldest = Math.floor(monoMs / this.#bucketMs) - BUCKETS
    let sum = 0
    for (const [bucket, count] of this.#buckets.get(integration) ?? []) if (bucket > oldest) sum += count
    return sum
  }
}
