import { sameSecret } from '../connect/random-token.ts'
import type { Seal } from '../seal/seal.ts'
import { type Clock, type Instant, MINUTE } from '../time.ts'

const PURPOSE = 'dpop nonce'
/** A nonce says no closer than this when it was given out. */
export const NONCE_SLOT_MS = 2 * MINUTE
/** Nodes do not agree on the time to the millisecond. */
const SLOTS_AHEAD = 1
const SLOTS_BACK = 2
const SHAPE = /^([0-9a-z]{1,10})\.([A-Za-z0-9_-]{43})$/

/** Nonces that every node can check and none remembers: the number of a slot of time with a MAC (RFC 9449 section 8). */
export class DpopNonces {
  readonly #seal: Pick<Seal, 'mac'>
  readonly #clock: Pick<Clock, 'wall'>

  constructor(seal: Pick<Seal, 'mac'>, clock: Pick<Clock, 'wall'>) {
    this.#seal = seal
    this.#clock = clock
  }

  /** For the header `DPoP-Nonce`. Good for at least four minutes. */
  current(): string {
    return this.#nonceOf(this.#slot())
  }

  /** When a nonce of ours stops being accepted; null when it is none, or is over. */
  ends(nonce: string): Instant | null {
    const parts = SHAPE.exec(nonce)
    if (parts === null) return null
    const slot = Number.parseInt(parts[1] ?? '', 36)
    const age = this.#slot() - slot
    if (age > SLOTS_BACK || age < -SLOTS_AHEAD || !sameSecret(this.#nonceOf(slot), nonce)) return null
    return (slot + SLOTS_BACK + 1) * NONCE_SLOT_MS
  }

  /** Nobody had a nonce of ours before this. Only for one whose freshness has not ended. */
  begins(nonce: string): Instant {
    return Number.parseInt(SHAPE.exec(nonce)?.[1] ?? '0', 36) * NONCE_SLOT_MS
  }

  #slot(): number {
    return Math.floor(this.#clock.wall() / NONCE_SLOT_MS)
  }

  #nonceOf(slot: number): string {
    const number = slot.toString(36)
    return `${number}.${this.#seal.mac(PURPOSE, number)}`
  }
}
