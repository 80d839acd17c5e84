import { ReadableStream as NodeStream } from 'node:stream/web'
import { Decrypter, Encrypter, generateIdentity, identityToRecipient } from 'age-encryption'
import { BackupError, reasonOf } from './backup-error.ts'

/** Who can read a backup: holders of these public keys, or whoever knows the passphrase. */
export type Readers =
  | { readonly kind: 'recipients'; readonly recipients: readonly string[] }
  /** `work`: binary logarithm of what each try of a passphrase costs; 18 by default, 256 MB and about a second. */
  | { readonly kind: 'passphrase'; readonly passphrase: string; readonly work?: number }

/** What opens one. */
export type Opener = { readonly kind: 'identities'; readonly identities: readonly string[] } | { readonly kind: 'passphrase'; readonly passphrase: string }

/** Whoever has the file can try passphrases for years. */
const PASSPHRASE_MIN = 16
/** More than any recipient list needs; a longer head is read by nobody. */
const HEAD_MAX = 64 * 1024

/** A fresh pair: the identity (secret, goes away from the server) and its recipient (public). */
export async function newIdentity(): Promise<{ readonly identity: string; readonly recipient: string }> {
  const identity = await generateIdentity()
  return { identity, recipient: await identityToRecipient(identity) }
}

/** The lines of a file of recipients or identities; `#` begins a comment, as in the files of `age-keygen`. */
export function entriesOf(text: string): readonly string[] {
  return text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
}

/** @throws BackupError when one of them is no recipient, or is the secret half */
export function readRecipients(entries: readonly string[]): Readers {
  if (entries.length === 0) throw new BackupError('There is no recipient: name at least one (age1...).')
  for (const entry of entries) {
    if (/^AGE-SECRET-KEY-/i.test(entry)) {
      throw new BackupError(
        'That is an identity, the secret half of a pair. It does not belong on the server: name its recipient (age1...), and keep the identity elsewhere.',
      )
    }
    try {
      new Encrypter().addRecipient(entry)
    } catch {
      throw new BackupError(
        `${entry.slice(0, 12)}... is no recipient: it begins with age1 and is the public line that \`evergrant backup keygen\` or age-keygen prints.`,
      )
    }
  }
  return { kind: 'recipients', recipients: entries }
}

/** @throws BackupError when it is none */
export function readIdentities(entries: readonly string[]): Opener {
  if (entries.length === 0) throw new BackupError('The identity file has no identity: expected a line AGE-SECRET-KEY-1...')
  for (const entry of entries) {
    try {
      new Decrypter().addIdentity(entry)
    } catch {
      throw new BackupError('A line of the identity file is no identity: expected AGE-SECRET-KEY-1...')
    }
  }
  return { kind: 'identities', identities: entries }
}

/** The first line, without its end. @throws BackupError when it is short */
export function readPassphrase(text: string): { readonly kind: 'passphrase'; readonly passphrase: string } {
  const passphrase = (text.split(/\r?\n/)[0] ?? '').trim()
  if (passphrase.length < PASSPHRASE_MIN) {
    throw new BackupError(`The passphrase has fewer than ${PASSPHRASE_MIN} characters: make one with \`openssl rand -base64 24\`, or use a recipient.`)
  }
  return { kind: 'passphrase', passphrase }
}

/** One class, which the types of Node and those of browsers describe differently. */
function streamOf(bytes: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  return NodeStream.from(bytes) as unknown as ReadableStream<Uint8Array>
}

function portionsOf(stream: ReadableStream<Uint8Array>): AsyncIterable<Uint8Array> {
  return stream as unknown as NodeStream<Uint8Array>
}

/** Encrypts a stream. With recipients nobody on this machine can read the result. */
export async function encrypted(bytes: AsyncIterable<Uint8Array>, readers: Readers): Promise<AsyncIterable<Uint8Array>> {
  const encrypter = new Encrypter()
  if (readers.kind === 'passphrase') {
    encrypter.setPassphrase(readers.passphrase)
    if (readers.work !== undefined) encrypter.setScryptWorkFactor(readers.work)
  } else for (const recipient of readers.recipients) encrypter.addRecipient(recipient)
  return portionsOf(await encrypter.encrypt(streamOf(bytes)))
}

/**
 * Decrypts a stream whose `head` was read before, and is part of it. Every portion is authenticated before it is handed out, and so is
 * the end.
 * @throws BackupError when it is no such file, nothing given opens it, or it was altered or cut off
 */
export async function* decrypted(bytes: AsyncIterable<Uint8Array>, head: Uint8Array, opener: Opener): AsyncGenerator<Uint8Array> {
  mustBeEnvelope(head)
  const decrypter = new Decrypter()
  if (opener.kind === 'passphrase') decrypter.addPassphrase(opener.passphrase)
  else for (const identity of opener.identities) decrypter.addIdentity(identity)
  let opened: AsyncIterable<Uint8Array>
  try {
    opened = portionsOf(await decrypter.decrypt(streamOf(bytes)))
  } catch (error) {
    throw new BackupError(unopened(reasonOf(error), opener), { cause: error })
  }
  const portions = opened[Symbol.asyncIterator]()
  try {
    for (;;) {
      const next = await portions.next().catch((error: unknown) => {
        throw new BackupError('The file was altered or cut off: a part of it does not decrypt. Use another one.', { cause: error })
      })
      if (next.done === true) return
      yield next.value
    }
  } finally {
    // A reader that stops early lets go of the file.
    await portions.return?.().catch(() => {})
  }
}

/** How much of a file {@link decrypted} wants to see first. */
export const HEAD_BYTES = HEAD_MAX

function mustBeEnvelope(head: Uint8Array): void {
  const text = Buffer.from(head.buffer, head.byteOffset, Math.min(head.byteLength, HEAD_MAX)).toString('latin1')
  if (text.startsWith('-----BEGIN AGE ENCRYPTED FILE-----'))
    throw new BackupError('This file is armored. Take the armor off first: age-armor, or `age -d` and a new backup.')
  if (!text.startsWith('age-encryption.org/v1\n')) throw new BackupError('This is no encrypted backup: it does not begin as files of age do.')
  if (!/\n--- [^\n]+\n/.test(text)) throw new BackupError('The head of this file is damaged or cut off: use another one.')
}

function unopened(reason: string, opener: Opener): string {
  if (!/no identity matched/.test(reason)) return `The head of this file is damaged (${reason}): use another one.`
  return opener.kind === 'passphrase'
    ? 'The passphrase does not open this file: it is another one, or the backup was made for a recipient (--identity-file).'
    : 'None of the identities opens this file: it was made for another recipient, or with a passphrase (--passphrase-file).'
}
