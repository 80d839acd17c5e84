import { createHash } from 'node:crypto'
import type { Entropy } from '../core/time.ts'
import { uuidSource } from '../system.ts'

/** Randomness that is the same in every run: SHA-256 of the seed and a counter. `at` is the time that ids carry. */
export function seededEntropy(seed: string, at: number): Entropy {
  let counter = 0
  const bytes = (length: number): Uint8Array => {
    const blocks = Array.from({ length: Math.ceil(length / 32) }, () => createHash('sha256').update(`${seed} ${counter++}`).digest())
    return new Uint8Array(Buffer.concat(blocks).subarray(0, length))
  }
  return { bytes, uniform: () => Buffer.from(bytes(4)).readUInt32BE() / 2 ** 32, uuid: uuidSource(() => at, bytes) }
}
