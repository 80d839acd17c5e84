import { Fault } from '../core/fault/fault.ts'
import { type KeyEntry, type MasterKey, masterKey, plainKey } from './keyring.ts'

/**
 * A key service that keeps a key of its own and lends its use: master keys are written down wrapped by it, and are unwrapped once at
 * the start. What it wraps it must be able to unwrap later, whatever versions its own key had meanwhile.
 */
export interface KeyProvider {
  /** For messages, without a secret: `Vault at https://...`. */
  readonly name: string
  /** Text without white space or commas. @throws Fault `invalid_request` or `store_unavailable` with a remedy */
  wrap(key: Uint8Array): Promise<string>
  /** @throws Fault as {@link wrap} */
  unwrap(wrapped: string): Promise<Uint8Array>
}

/** Opens the wrapped ones; plain ones stand beside them. @throws Fault `invalid_request` when a wrapped one has no service, or the service refuses */
export async function unwrapEntries(entries: readonly KeyEntry[], provider: KeyProvider | null): Promise<readonly MasterKey[]> {
  if (provider === null) return entries.map(plainKey)
  return Promise.all(entries.map(async (entry) => ('wrapped' in entry ? opened(entry.id, await provider.unwrap(entry.wrapped), provider) : entry)))
}

function opened(id: string, bytes: Uint8Array, { name }: KeyProvider): MasterKey {
  try {
    return masterKey(id, bytes)
  } catch (cause) {
    throw new Fault('invalid_request', {
      field: 'EVERGRANT_MASTER_KEYS',
      detail: `${name} unwrapped master key ${id}, but what came out is no key of 32 random bytes: wrap the right key (evergrant keys wrap).`,
      cause,
    })
  }
}

/** The plain ones wrapped, so that none stands in clear. Those that are wrapped already are wrapped anew with the newest version. */
export async function wrapEntries(entries: readonly KeyEntry[], provider: KeyProvider): Promise<readonly KeyEntry[]> {
  const keys = await unwrapEntries(entries, provider)
  return Promise.all(
    keys.map(async ({ id, key }) => {
      const wrapped = await provider.wrap(key.reveal())
      // Before anything relies on it: a key that does not come back is every token lost.
      if (Buffer.compare(await provider.unwrap(wrapped), key.reveal()) !== 0 || /[\s,]/.test(wrapped))
        throw new Fault('internal', { detail: `${provider.name} did not give master key ${id} back as it was: nothing was changed.` })
      return { id, wrapped }
    }),
  )
}
