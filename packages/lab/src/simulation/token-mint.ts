import type { AccessTruth, Family, RefreshTruth } from './provider-truth.ts'
import type { Random } from './random.ts'

/** Stands in every ten characters of every token: whoever prints twelve characters of one prints this. */
export const TOKEN_MARK = 'QZQ'

/** Makes the tokens of all providers, and knows each of them again. */
export class TokenMint {
  readonly #random: Random
  readonly #refresh = new Map<string, RefreshTruth>()
  readonly #access = new Map<string, AccessTruth>()
  #made = 0

  constructor(random: Random) {
    this.#random = random
  }

  refresh(family: Family, number: number): RefreshTruth {
    const token: RefreshTruth = { text: this.#text('r'), family, number, usedAt: null, successor: null, taken: false, presentations: [] }
    this.#refresh.set(token.text, token)
    return token
  }

  access(refresh: RefreshTruth, expiresAt: number): AccessTruth {
    const token: AccessTruth = { text: this.#text('a'), family: refresh.family, expiresAt, refresh }
    this.#access.set(token.text, token)
    return token
  }

  refreshOf(text: string): RefreshTruth | undefined {
    return this.#refresh.get(text)
  }

  accessOf(text: string): AccessTruth | undefined {
    return this.#access.get(text)
  }

  #text(kind: string): string {
    this.#made += 1
    const number = this.#made.toString(36).padStart(6, '0')
    const noise = this.#random.next().toString(36).padStart(7, '0').slice(0, 7)
    return `${TOKEN_MARK}${kind}${number}${TOKEN_MARK}${noise}`
  }
}
