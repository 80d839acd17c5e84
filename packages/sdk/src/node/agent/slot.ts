import type { KeyReference, Profile } from './credential-file.ts'
import type { CredentialStore, ProfileName } from './credential-store.ts'
import type { HeldLock } from './file-lock.ts'
import { type KeyCustody, type KeyProvider, type MachineKey, machineKeyOf, newPrivateJwk, softwareKey } from './key-provider.ts'

/** Where one profile is kept. */
export interface CredentialSlot {
  /** Exclusive over all who share the slot. */
  lock(): Promise<HeldLock>
  read(): Promise<Profile | undefined>
  /** Durable when it resolves. */
  save(profile: Profile): Promise<void>
  remove(): Promise<void>
}

/** Where keys are kept. */
export interface Keys {
  make(): Promise<MachineKey>
  makeNext(current: KeyReference): Promise<MachineKey>
  open(reference: KeyReference): Promise<MachineKey>
  remove(reference: KeyReference): Promise<void>
}

export function fileSlot(store: CredentialStore, name: ProfileName): CredentialSlot {
  return {
    lock: () => store.lock(name),
    read: () => store.find(name),
    save: (profile) => store.save(profile),
    remove: () => store.remove(name),
  }
}

/** For a workload: it lives as long as the process, and nobody else has it. */
export function memorySlot(): CredentialSlot {
  let kept: Profile | undefined
  let tail: Promise<void> = Promise.resolve()
  return {
    lock: async () => {
      const before = tail
      let free = (): void => {}
      tail = new Promise((resolve) => {
        free = resolve
      })
      await before
      return { release: () => Promise.resolve(free()) }
    },
    read: () => Promise.resolve(kept),
    save: (profile) => {
      kept = profile
      return Promise.resolve()
    },
    remove: () => {
      kept = undefined
      return Promise.resolve()
    },
  }
}

/** Keys of this process alone. */
export function memoryKeys(given?: KeyProvider): Keys {
  const keys = new Map<string, MachineKey>()
  const make = async (): Promise<MachineKey> => {
    const key = await machineKeyOf(given ?? (await softwareKey(await newPrivateJwk(), 'workload' satisfies KeyCustody)))
    keys.set(key.thumbprint, key)
    return key
  }
  return {
    make,
    makeNext: make,
    open: ({ thumbprint }) => {
      const key = keys.get(thumbprint)
      return key === undefined ? Promise.reject(new TypeError('a key of another process')) : Promise.resolve(key)
    },
    remove: ({ thumbprint }) => {
      keys.delete(thumbprint)
      return Promise.resolve()
    },
  }
}
