import { Fault } from '../core/fault/fault.ts'
import { createKeyring, type Keyring, type MasterKey } from './keyring.ts'

/** The keyring of a running node: which key seals is decided while it runs, and the file it came from may be read again. */
export class LiveKeyring implements Keyring {
  #ring: Keyring
  #primary: MasterKey
  /** What was read here still sits in caches; a key that was taken away opens it until this process ends. */
  readonly #known = new Map<string, MasterKey>()

  /** `seals`: the key to begin with, where the ring has it; else the first. */
  constructor(keys: readonly MasterKey[], seals?: string) {
    this.#ring = createKeyring(keys)
    this.#remember(keys)
    this.#primary = (seals === undefined ? undefined : this.#ring.find(seals)) ?? this.#ring.primary
  }

  get primary(): MasterKey {
    return this.#primary
  }

  find(id: string): MasterKey | undefined {
    return this.#known.get(id)
  }

  ids(): readonly string[] {
    return this.#ring.ids()
  }

  seals(): string {
    return this.#primary.id
  }

  /** Seals with this one from now on; one that is not in the ring is ignored. */
  use(id: string): void {
    this.#primary = this.#ring.find(id) ?? this.#primary
  }

  /**
   * The keyring was read again. The key that seals goes on, unless it is no longer there.
   * @throws Fault `invalid_request` when an id now stands for other bytes
   */
  replace(keys: readonly MasterKey[]): void {
    const ring = createKeyring(keys)
    const same = (left: MasterKey, right: MasterKey) => Buffer.compare(left.key.reveal(), right.key.reveal()) === 0
    const changed = keys.find((key) => {
      const known = this.#known.get(key.id)
      return known !== undefined && !same(known, key)
    })
    if (changed !== undefined)
      throw new Fault('invalid_request', {
        detail: `Master key ${changed.id} now stands for other bytes than before: a new key needs an id of its own. Nothing was changed.`,
      })
    this.#ring = ring
    this.#remember(keys)
    this.#primary = ring.find(this.#primary.id) ?? ring.primary
  }

  #remember(keys: readonly MasterKey[]): void {
    for (const key of keys) this.#known.set(key.id, this.#known.get(key.id) ?? key)
  }
}
