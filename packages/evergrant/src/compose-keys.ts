import type { Config } from './config.ts'
import { Fault } from './core/fault/fault.ts'
import type { KeysPorts } from './core/operate/keys-service.ts'
import { keyFile, openKeyEntries, readKeyEntries, replaceKeyFile } from './seal/key-file.ts'
import { type KeyProvider, unwrapEntries } from './seal/key-provider.ts'
import type { KeyEntry, MasterKey } from './seal/keyring.ts'
import { LiveKeyring } from './seal/live-keyring.ts'
import { vaultTransit } from './seal/vault-transit.ts'
import { systemEntropy, systemTimers } from './system.ts'

type KeyConfig = Pick<Config, 'masterKeys' | 'dataDir' | 'vault'>

/** The key service that wraps the master keys; null: they stand in clear. */
export function keyProviderOf({ vault }: Pick<Config, 'vault'>): KeyProvider | null {
  return vault === null ? null : vaultTransit({ ...vault, timers: systemTimers })
}

/** As they are written down. A key file is made where there is none. @throws Fault */
export function keyEntriesOf(config: Pick<Config, 'masterKeys' | 'dataDir'>): readonly KeyEntry[] {
  return config.masterKeys ?? openKeyEntries(keyFile(config.dataDir), systemEntropy)
}

/** The keyring of this configuration, unwrapped. `seals`: the key that seals at first, where it is in the ring. @throws Fault */
export async function openKeyring(config: KeyConfig, seals?: string): Promise<LiveKeyring> {
  return new LiveKeyring(await unwrapped(keyEntriesOf(config), config), seals)
}

function unwrapped(entries: readonly KeyEntry[], config: KeyConfig): Promise<readonly MasterKey[]> {
  return unwrapEntries(entries, keyProviderOf(config))
}

/** The key file of a running node; null where its keys come from the environment. */
export function keyFileDoor(config: KeyConfig, ring: LiveKeyring): KeysPorts['file'] {
  if (config.masterKeys !== null) return null
  const path = keyFile(config.dataDir)
  return {
    reload: async () => ring.replace(await unwrapped(readKeyEntries(path), config)),
    remove: async (id) => {
      const before = readKeyEntries(path)
      const left = before.filter((entry) => entry.id !== id)
      const keys = await unwrapped(left, config)
      // A key that was added while ours were unwrapped must not be written away, and two who remove one remove it once.
      const same = idsOf(readKeyEntries(path)) === idsOf(before)
      if (!same || left.length === before.length || left[0]?.id !== ring.ids()[0])
        throw new Fault('conflict', { detail: `${path} was changed meanwhile: look at it (evergrant keys status) and try again.` })
      // First out of the ring: were the file to fail, the key is still written down, and the next start has it again.
      ring.replace(keys)
      replaceKeyFile(path, left, systemEntropy)
    },
  }
}

const idsOf = (entries: readonly KeyEntry[]): string => entries.map(({ id }) => id).join(' ')
