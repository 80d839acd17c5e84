import type { LimitFacts } from '../provider/record-around.ts'
import { SECOND } from '../time.ts'

type Limit = NonNullable<LimitFacts['token']>

const MANY = 20_000

/**
 * Requests to token endpoints that providers count (Zoho: ten per refresh token in ten minutes). One more would be refused,
 * or cost an older token its life; so it is not sent, and its connection is charged nothing. Counted by each node for
 * itself, and anew after a restart: a lease lets one node at a time renew a connection. Times are monotonic.
 */
export class TokenBudgets {
  /** When requests went out, oldest first. */
  readonly #sent = new Map<string, number[]>()

  /** Null when one more may go; else when the oldest of those in the window leaves it. */
  closedUntil(key: string, limit: Limit, monoMs: number): number | null {
    const sent = this.#within(key, limit, monoMs)
    const blocking = sent[sent.length - limit.requests]
    return blocking === undefined ? null : blocking + limit.seconds * SECOND
  }

  /** Returns the way to take it back: the request never left. */
  note(key: string, limit: Limit, monoMs: number): () => void {
    if (this.#sent.size >= MANY && !this.#sent.has(key)) this.#sent.clear()
    const sent = this.#within(key, limit, monoMs)
    sent.push(monoMs)
    this.#sent.set(key, sent)
    return () => {
      const at = sent.lastIndexOf(monoMs)
      if (at >= 0) sent.splice(at, 1)
    }
  }

  #within(key: string, limit: Limit, monoMs: number): number[] {
    const sent = this.#sent.get(key) ?? []
    const first = sent.findIndex((at) => at > monoMs - limit.seconds * SECOND)
    sent.splice(0, first === -1 ? sent.length : first)
    return sent
  }
}
