import { Fault } from '../core/fault/fault.ts'
import { type Seal, type SealContext, SealError } from '../core/seal/seal.ts'
import { Secret } from '../core/seal/secret.ts'
import type { Entropy } from '../core/time.ts'
import { createAesSeal, sealedWith } from './aes-seal.ts'
import type { Keyring } from './keyring.ts'

/** The part of the store's `Meta` that is needed here. */
export interface SealMeta {
  get(name: string): Promise<Uint8Array | undefined>
  putIfAbsent(name: string, value: Uint8Array): Promise<Uint8Array>
}

/** The id of the key that seals the root: every node that ever started had it. Undefined: nothing was sealed yet. */
export async function rootKeyId(meta: Pick<SealMeta, 'get'>): Promise<string | undefined> {
  const stored = await meta.get(SEAL_ROOT)
  return stored === undefined ? undefined : sealedWith(stored)
}

/** Name of the sealed root among the facts of the database. */
export const SEAL_ROOT = 'seal_root'
const ROOT_CONTEXT: SealContext = { organization: '', table: 'meta', row: SEAL_ROOT, column: 'value' }

/**
 * Opens the seal of a database. The 32 random bytes sealed there at set-up serve twice: as the known value that proves
 * the keyring, and as the root of the keys for fingerprints and MACs, which a change of master keys must not change.
 * @throws Fault `seal_key_missing` or `seal_broken` when the keyring is not this database's: the start must stop, nothing was changed.
 */
export async function openSeal(meta: SealMeta, keyring: Keyring, entropy: Entropy): Promise<Seal> {
  const sealer = createAesSeal({ keyring, root: new Secret(new Uint8Array(0)), entropy })
  const stored = (await meta.get(SEAL_ROOT)) ?? (await meta.putIfAbsent(SEAL_ROOT, sealer.seal(entropy.bytes(32), ROOT_CONTEXT)))
  return createAesSeal({ keyring, root: new Secret(openRoot(sealer, stored, keyring)), entropy })
}

function openRoot(sealer: Seal, stored: Uint8Array, keyring: Keyring): Uint8Array {
  try {
    return sealer.open(stored, ROOT_CONTEXT)
  } catch (error) {
    if (!(error instanceof SealError)) throw error
    throw new Fault(error.code, { detail: remedy(error, keyring), field: 'EVERGRANT_MASTER_KEYS', cause: error })
  }
}

function remedy(error: SealError, keyring: Keyring): string {
  const have = `The keyring has ${keyring.ids().join(', ')}.`
  const where = 'EVERGRANT_MASTER_KEYS, or data/keys.json where that is not set'
  const same = 'Nothing was changed; no connection is lost.'
  return error.code === 'seal_key_missing'
    ? `This database is sealed with master key ${error.keyId}, which is not in the keyring. ${have} Put that key back (${where}) and start again. ${same}`
    : `Master key ${error.keyId} does not open this database: it is another key under the same id, or the database was altered. ${have} Restore the original key (${where}) and start again. ${same}`
}
