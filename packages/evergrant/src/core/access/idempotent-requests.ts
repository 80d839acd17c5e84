import { Fault } from '../fault/fault.ts'
import type { OrganizationId } from '../ids.ts'
import type { Seal } from '../seal/seal.ts'
import type { Clock } from '../time.ts'
import type { Idempotency } from './idempotency.ts'

interface IdempotencyPorts {
  readonly store: Idempotency
  readonly seal: Pick<Seal, 'seal' | 'openText' | 'digest'>
  readonly clock: Clock
}

/** An answer as it left: the same bytes are given again. */
interface KeptAnswer {
  readonly status: number
  readonly body: string
}

/** Statuses that say nothing was done: the same key may try again. A 500 is kept, because nobody knows how far it came. */
const saysNothingWasDone = (status: number): boolean => (status >= 400 && status < 500) || status > 500

/** Runs a POST once per Idempotency-Key: {@link begin} before the work, {@link end} with what left. */
export class IdempotentRequests {
  readonly #ports: IdempotencyPorts

  constructor(ports: IdempotencyPorts) {
    this.#ports = ports
  }

  /**
   * The first answer to this key, or undefined: then do the work and call {@link end}. `request` is everything that makes
   * two requests the same. @throws Fault `idempotency_mismatch`, `idempotency_in_progress`
   */
  async begin(organization: OrganizationId, key: string, request: string): Promise<KeptAnswer | undefined> {
    const { store, seal, clock } = this.#ports
    const outcome = await store.begin(organization, key, seal.digest(request), clock.wall())
    switch (outcome.kind) {
      case 'first':
        return undefined
      case 'replay':
        return { status: outcome.status, body: seal.openText(outcome.body, place(organization, key)) }
      case 'mismatch':
        throw new Fault('idempotency_mismatch', {
          field: 'Idempotency-Key',
          detail: 'This Idempotency-Key was used for another request. Make a new key for a new request.',
        })
      case 'running':
        throw new Fault('idempotency_in_progress', {
          field: 'Idempotency-Key',
          detail: 'The first request with this Idempotency-Key is still running. Try again in a moment.',
          retryAt: clock.wall() + 1_000,
        })
    }
  }

  /** Keeps the answer, or forgets the key when nothing was done. */
  async end(organization: OrganizationId, key: string, answer: KeptAnswer): Promise<void> {
    const { store, seal } = this.#ports
    if (saysNothingWasDone(answer.status)) await store.forget(organization, key)
    else await store.finish(organization, key, answer.status, seal.seal(answer.body, place(organization, key)))
  }
}

function place(organization: OrganizationId, key: string) {
  return { organization, table: 'idempotency', row: key, column: 'body' }
}
