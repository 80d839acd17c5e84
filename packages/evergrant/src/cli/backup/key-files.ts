import { existsSync, readFileSync } from 'node:fs'
import { reasonOf } from '../../backup/backup-error.ts'
import { entriesOf, type Opener, type Readers, readIdentities, readPassphrase, readRecipients } from '../../backup/envelope.ts'
import { openKeyring } from '../../compose-keys.ts'
import type { Config } from '../../config.ts'
import { SealError } from '../../core/seal/seal.ts'
import { sealedWith } from '../../seal/aes-seal.ts'
import { keyFile, refuseWideMode } from '../../seal/key-file.ts'
import type { Keyring } from '../../seal/keyring.ts'
import { openSeal, SEAL_ROOT } from '../../seal/open-seal.ts'
import { systemEntropy } from '../../system.ts'
import { CommandFailure, EXIT } from '../exit-code.ts'

export interface ReaderOptions {
  readonly recipient: readonly string[]
  readonly recipientFile?: string
  readonly passphraseFile?: string
}

export interface OpenerOptions {
  readonly identityFile?: string
  readonly passphraseFile?: string
}

const HOW =
  'Make a pair on another machine with `evergrant backup keygen --to identity.txt` (or age-keygen), keep the file there, and name its recipient here: --recipient age1...'

/** @throws CommandFailure, BackupError, Fault */
export function readersOf({ recipient, recipientFile, passphraseFile }: ReaderOptions): Readers {
  const recipients = [...recipient, ...(recipientFile === undefined ? [] : entriesOf(contentOf(recipientFile)))]
  if (passphraseFile !== undefined) {
    if (recipients.length > 0) throw usage('Say --recipient or --passphrase-file, not both: a file has one kind of lock.')
    refuseWideMode(passphraseFile)
    return readPassphrase(contentOf(passphraseFile))
  }
  if (recipients.length === 0) throw usage(`A backup is always encrypted. ${HOW}`)
  return readRecipients(recipients)
}

/** @throws CommandFailure, BackupError, Fault */
export function openerOf({ identityFile, passphraseFile }: OpenerOptions): Opener {
  if (identityFile !== undefined && passphraseFile !== undefined) throw usage('Say --identity-file or --passphrase-file, not both.')
  const path = identityFile ?? passphraseFile
  if (path === undefined) throw usage('The backup is encrypted: name the file with its identity (--identity-file), or with its passphrase (--passphrase-file).')
  const content = contentOf(path)
  refuseWideMode(path)
  return identityFile === undefined ? readPassphrase(content) : readIdentities(entriesOf(content))
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw usage(`${path} cannot be read (${reasonOf(error)}).`)
  }
}

export function usage(message: string): CommandFailure {
  return new CommandFailure(EXIT.usage, message, { code: 'usage' })
}

/** The id of the master key in the head of a sealed value; null: it is not sealed. */
export function keyIdOf(value: Uint8Array): string | null {
  try {
    return sealedWith(value)
  } catch (error) {
    if (error instanceof SealError) return null
    throw error
  }
}

/** The master keys of this configuration; null where there are none, which a machine that only checks backups need not have. @throws Fault */
export async function keysAtHand(config: Config): Promise<Keyring | null> {
  return config.masterKeys !== null || existsSync(keyFile(config.dataDir)) ? openKeyring(config) : null
}

export interface KeyFinding {
  /** Ids of the master keys that sealed values name. */
  readonly needed: readonly string[]
  /** Those of them that are not at hand. */
  readonly missing: readonly string[]
  /** Whether the seal of the database opens with the keys at hand; null: there are none to try. */
  readonly opens: boolean | null
}

/** Tries the keys at hand on a copy. Nothing is written. */
export async function tryKeys(
  copy: { meta(name: string): Promise<Uint8Array | undefined> },
  needed: readonly string[],
  ring: Keyring | null,
): Promise<KeyFinding> {
  const missing = needed.filter((id) => ring?.find(id) === undefined)
  const root = await copy.meta(SEAL_ROOT)
  if (ring === null || root === undefined) return { needed, missing, opens: null }
  try {
    await openSeal({ get: async () => root, putIfAbsent: async () => root }, ring, systemEntropy)
    return { needed, missing, opens: true }
  } catch {
    return { needed, missing, opens: false }
  }
}
