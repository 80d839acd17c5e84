import { join } from 'node:path'
import { isRecord } from '../../proof/jws.ts'
import { storeError } from './client-errors.ts'
import type { KeyReference } from './credential-file.ts'
import { type KeyCustody, type KeyProvider, type MachineKey, machineKeyOf, newPrivateJwk, readPrivateKey, softwareKey } from './key-provider.ts'
import { type Keychain, systemKeychain } from './keychain.ts'
import type { Platform } from './platform.ts'
import { openFolder, readPrivate, removeFile, writePrivate } from './safe-files.ts'

const FOLDER = 'keys'

interface KeyStoreOptions {
  readonly platform: Platform
  /** A key of the application's own: a TPM, an enclave. Nothing is stored here then. */
  readonly provider?: KeyProvider | undefined
  readonly keychain?: () => Promise<Keychain | null>
}

/** Where the private keys of this machine are: each in one place, and never in the credential file. */
export class KeyStore {
  readonly #options: KeyStoreOptions
  #keychain: Promise<Keychain | null> | null = null

  constructor(options: KeyStoreOptions) {
    this.#options = options
  }

  /** The key for a new enrolment: the application's, the environment's, or a new one. */
  async make(): Promise<MachineKey> {
    const { platform, provider } = this.#options
    if (provider !== undefined) return machineKeyOf(provider)
    const given = platform.env['EVERGRANT_PRIVATE_KEY']
    if (given) return machineKeyOf(await softwareKey(await readPrivateKey(given), 'environment'))
    return this.#makeStored()
  }

  /** A key to replace one of ours with. @throws CredentialStoreError where the key is not ours to replace */
  async makeNext(current: KeyReference): Promise<MachineKey> {
    if (current.custody === 'keychain' || current.custody === 'file' || current.custody === 'workload') return this.#makeStored()
    throw storeError(
      'credential_key_missing',
      current.custody === 'environment'
        ? 'The key of this machine is EVERGRANT_PRIVATE_KEY, which this client cannot replace. Change it there, and enrol again with a new code.'
        : 'The key of this machine is not kept by this client. Replace it where it is kept, and enrol again with a new code.',
    )
  }

  async #makeStored(): Promise<MachineKey> {
    const jwk = await newPrivateJwk()
    const keychain = await this.#openKeychain()
    const key = await machineKeyOf(await softwareKey(jwk, keychain === null ? 'file' : 'keychain'))
    const text = JSON.stringify(jwk)
    if (keychain !== null) {
      await keychain.set(key.thumbprint, text).catch((cause: unknown) => {
        const detail = 'The keychain did not take the key of this machine. Unlock it, or set EVERGRANT_KEYCHAIN=0: then the key is in a file of mode 0600.'
        throw storeError('credential_store_unwritable', detail, cause)
      })
      return key
    }
    const folder = join(this.#options.platform.home, FOLDER)
    await openFolder(this.#options.platform.home)
    await openFolder(folder)
    await writePrivate(this.#path(key.thumbprint), text)
    return key
  }

  /** @throws CredentialStoreError `credential_key_missing` */
  async open({ thumbprint, custody }: KeyReference): Promise<MachineKey> {
    const { platform, provider } = this.#options
    if (provider !== undefined) {
      const key = await machineKeyOf(provider)
      if (key.thumbprint === thumbprint) return key
      if (custody === provider.custody) throw missing('The key that was handed over is not the one that this machine was enrolled with. Hand that one over.')
    }
    if (custody === 'environment') {
      const given = platform.env['EVERGRANT_PRIVATE_KEY']
      if (!given) throw missing('This machine was enrolled with EVERGRANT_PRIVATE_KEY, which is not set now. Set it to the same key.')
      const key = await machineKeyOf(await softwareKey(await readPrivateKey(given), custody))
      if (key.thumbprint === thumbprint) return key
      throw missing('EVERGRANT_PRIVATE_KEY is another key than the one that this machine was enrolled with. Set it to that one.')
    }
    const text = custody === 'keychain' ? await this.#fromKeychain(thumbprint) : await readPrivate(this.#path(thumbprint))
    const place = custody === 'keychain' ? 'in the keychain' : `in ${this.#path(thumbprint)}`
    if (text === null) throw missing(`The key of this machine (${thumbprint}) is not ${place}. If it was moved, put it back.`)
    // Without a cause: that of a text that is no JSON shows some of it.
    const key = await keyOf(text, custody).catch(() => null)
    if (key?.thumbprint !== thumbprint)
      throw missing(`What is ${place} is not the key of this machine (${thumbprint}), or is damaged. If you have a copy of it, put that back.`)
    return key
  }

  /** After another key has taken its place, or the installation is over. Keys that are not ours stay. */
  async remove({ thumbprint, custody }: KeyReference): Promise<void> {
    if (custody === 'file') await removeFile(this.#path(thumbprint))
    if (custody === 'keychain') await (await this.#openKeychain())?.remove(thumbprint)
  }

  async #fromKeychain(thumbprint: string): Promise<string | null> {
    const keychain = await this.#openKeychain()
    if (keychain === null)
      throw missing('The key of this machine is in the keychain, which cannot be used now: unlock it, and see that @napi-rs/keyring is installed.')
    return keychain.get(thumbprint).catch((cause: unknown) => {
      throw storeError('credential_key_missing', 'The keychain did not give the key of this machine. Unlock it, and try again.', cause)
    })
  }

  async #openKeychain(): Promise<Keychain | null> {
    this.#keychain ??= (this.#options.keychain ?? (() => systemKeychain(this.#options.platform)))()
    const keychain = await this.#keychain
    // One that is locked now may be open later.
    if (keychain === null) this.#keychain = null
    return keychain
  }

  #path(thumbprint: string): string {
    return join(this.#options.platform.home, FOLDER, `${thumbprint}.json`)
  }
}

async function keyOf(text: string, custody: KeyCustody): Promise<MachineKey | null> {
  const jwk: unknown = JSON.parse(text)
  return isRecord(jwk) ? machineKeyOf(await softwareKey(jwk, custody)) : null
}

function missing(detail: string): Error {
  return storeError('credential_key_missing', `${detail} Else enrol again: npx @evergrant/sdk enroll <code>.`)
}
