import type { Platform } from './platform.ts'

/** Port to the key store of the operating system. */
export interface Keychain {
  get(account: string): Promise<string | null>
  set(account: string, secret: string): Promise<void>
  remove(account: string): Promise<void>
}

const SERVICE = 'evergrant'
const TIMEOUT_MS = 5_000

interface KeyringEntry {
  getPassword(signal?: AbortSignal): Promise<string | null | undefined>
  setPassword(password: string, signal?: AbortSignal): Promise<void>
  deletePassword(signal?: AbortSignal): Promise<unknown>
}

interface KeyringModule {
  readonly AsyncEntry: new (service: string, account: string) => KeyringEntry
}

/**
 * The keychain of this system, or null: `@napi-rs/keyring` is not installed, there is no keychain (most servers), it is locked, or it does not give back what
 * it was given. It is believed only after a round trip.
 */
export async function systemKeychain(platform: Pick<Platform, 'env'>, load: () => Promise<KeyringModule> = loadKeyring): Promise<Keychain | null> {
  if (platform.env['EVERGRANT_KEYCHAIN'] === '0') return null
  try {
    const { AsyncEntry } = await load()
    const entry = (account: string): KeyringEntry => new AsyncEntry(SERVICE, account)
    const soon = (): AbortSignal => AbortSignal.timeout(TIMEOUT_MS)
    const keychain: Keychain = {
      get: async (account) => (await entry(account).getPassword(soon())) ?? null,
      set: (account, secret) => entry(account).setPassword(secret, soon()),
      remove: async (account) => void (await entry(account).deletePassword(soon())),
    }
    return (await givesBack(keychain)) ? keychain : null
  } catch {
    return null
  }
}

async function givesBack(keychain: Keychain): Promise<boolean> {
  const [account, secret] = [`check-${crypto.randomUUID()}`, crypto.randomUUID()]
  await keychain.set(account, secret)
  const same = (await keychain.get(account)) === secret
  await keychain.remove(account)
  return same && (await keychain.get(account).catch(() => null)) === null
}

/** An optional peer: its types are not part of this package's. */
async function loadKeyring(): Promise<KeyringModule> {
  const loaded: { readonly AsyncEntry: unknown } = await import('@napi-rs/keyring')
  return loaded as KeyringModule
}
