import { Fault } from '../fault/fault.ts'
import type { OrganizationId } from '../ids.ts'
import type { Seal } from '../seal/seal.ts'
import type { Clock } from '../time.ts'
import type { Idempotency } from './idempotency.ts'

export interface IdempotencyPorts {
  readonly store: Idempotency
  readonly seal: Pick<Seal, 'seal' | 'openText' | 'digest'>
  readonly clock: Clock
}

/** An answer as it left: the same bytes are given again. */
export interface KeptAnswer {
  readonly status: number
  readonly body: string
}

/** Statuses that say nothing was done: the same key may try again. A 500 is kept, because nobody knows how far it came. */
const NOT_KEPT = (status: number): boolean => (status >= 400 && status < 500) || status > 500

/** Runs a POST once per Idempotency-Key. */
export class IdempotentRequests {
  private readonly ports: IdempotencyPorts

  constructor(ports: IdempotencyPorts) {
    this.ports = ports
  }

  /**
   * The first answer to this key, or a new one from `work`. `request` is everything that makes two requests the same.
   * @throws Fault `idempotency_mismatch` for another request under the same key, `idempotency_in_progress` while the first one runs
   */
  async run(organization: OrganizationId, key: string, request: string, work: () => Promise<KeptAnswer>): Promise<{ readonly answer: KeptAnswer; readonly replayed: boolean }> {
    const { store, clock } = this.ports
    const outcome = await store.begin(organization, key, this.ports.seal.digest(request), clock.wall())
    switch (outcome.kind) {
      case 'replay':
        return { answer: { status: outcome.status, body: this.ports.seal.openText(outcome.body, place(organization, key)) }, replayed: true }
      case 'mismatch':
        throw new Fault('idempotency_mismatch', { field: 'Idempotency-Key', detail: 'This Idempotency-Key was used for another request. Make a new key for a new request.' })
      case 'running':
        throw new Fault('idempotency_in_progress', { field: 'Idempotency-Key', detail: 'The first request with this Idempotency-Key is still running. Try again in a moment.', retryAt: clock.wall() + 1_000 })
      case 'first':
        return { answer: await this.first(organization, key, work), replayed: false }
    }
  }

  private async first(organization: OrganizationId, key: string, work: () => Promise<KeptAnswer>): Promise<KeptAnswer> {
    let answer: KeptAnswer
    try {
      answer = await work()
    } catch (error) {
      await this.ports.store.forget(organization, key)
      throw error
    }
    if (NOT_KEPT(answer.status)) await this.ports.store.forget(organization, key)
    else await this.ports.store.finish(organization, key, answer.status, this.ports.seal.seal(answer.body, place(organization, key)))
    return answer
  }
}

function place(organization: OrganizationId, key: string) {
  return { organization, table: 'idempotency', row: key, column: 'body' }
}
