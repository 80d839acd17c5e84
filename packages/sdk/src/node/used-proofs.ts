/** More proofs than this within two minutes: the oldest are forgotten first. */
const KEPT_MAX = 100_000

/** Which proofs this process has seen. Another process of the application does not know them: a proof is bound to one address and two minutes. */
export class UsedProofs {
  readonly #until = new Map<string, number>()

  /** False when the proof was used before. `now` and `until` in milliseconds. */
  first(id: string, until: number, now: number): boolean {
    if ((this.#until.get(id) ?? 0) > now) return false
    this.#dropOld(now)
    this.#until.delete(id)
    this.#until.set(id, until)
    return true
  }

  /** In order of arrival, which is nearly the order of their ends. */
  #dropOld(now: number): void {
    for (const [id, until] of this.#until) {
      if (until > now && this.#until.size < KEPT_MAX) return
      this.#until.delete(id)
    }
  }
}
