import type { Clock } from '../time.ts'
import { type Seal, SealError } from './seal.ts'

/** A seal that remembers which values it could not open for want of their key. */
interface WatchedSeal {
  readonly seal: Seal
  /** How many values did not open within the last `ms`, because their key is not in the keyring. */
  missing(ms: number): number
}

const REMEMBERED = 1_000

export function watchSeal(seal: Seal, clock: Pick<Clock, 'mono'>): WatchedSeal {
  const failed = new Map<string, number>()
  const watched =
    <Value>(read: (sealed: Uint8Array, context: Parameters<Seal['open']>[1]) => Value) =>
    (sealed: Uint8Array, context: Parameters<Seal['open']>[1]): Value => {
      try {
        return read(sealed, context)
      } catch (error) {
        if (error instanceof SealError && error.code === 'seal_key_missing' && failed.size < REMEMBERED)
          failed.set(`${context.table} ${context.row} ${context.column}`, clock.mono())
        throw error
      }
    }
  return {
    seal: {
      seal: (plaintext, context) => seal.seal(plaintext, context),
      open: watched((sealed, context) => seal.open(sealed, context)),
      openText: watched((sealed, context) => seal.openText(sealed, context)),
      fingerprint: (secret) => seal.fingerprint(secret),
      mac: (purpose, data) => seal.mac(purpose, data),
      digest: (value) => seal.digest(value),
    },
    missing: (ms) => {
      for (const [where, at] of failed) if (clock.mono() - at > ms) failed.delete(where)
      return failed.size
    },
  }
}
