import { closeSync, fsyncSync, openSync, realpathSync, writeSync } from 'node:fs'
import { dirname, sep } from 'node:path'
import type { Command } from 'commander'
import { BackupError, reasonOf } from '../../backup/backup-error.ts'
import { newIdentity } from '../../backup/envelope.ts'
import { loadConfig } from '../../config.ts'
import { type KeyFinding, type OpenerOptions, openerOf, type ReaderOptions, readersOf, usage } from '../backup/key-files.ts'
import { type MadeBackup, makeBackup } from '../backup/make-backup.ts'
import { type CheckedBackup, checkBackup } from '../backup/read-file.ts'
import { EXIT } from '../exit-code.ts'
import type { Shell } from '../shell.ts'

interface MakeOptions extends ReaderOptions {
  readonly to: string
  readonly keep?: string
}

const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value]

/** `evergrant backup`: the database as one encrypted file, beside the server that goes on. */
export function backupCommands(program: Command, shell: Shell): void {
  const group = program.command('backup').description('the database as one encrypted file, tried before it is kept')
  group
    .command('make', { isDefault: true })
    .description('makes one, while servers go on')
    .requiredOption('--to <place>', 'a new file, or a folder in which it is named by the time')
    .option('--recipient <age1...>', 'public key that may read it; as often as needed', collect, [])
    .option('--recipient-file <path>', 'the same, a line each')
    .option('--passphrase-file <path>', 'encrypts with a passphrase instead: then whoever has this file reads every backup')
    .option('--keep <number>', 'afterwards removes all but the newest of the folder')
    .action(async (options: MakeOptions) => {
      const request = { to: options.to, readers: readersOf(options), keep: keepOf(options.keep) }
      const made = await makeBackup(loadConfig({ development: false }), request)
      if (made.keys.opens === false) shell.finish(EXIT.problem)
      shell.output.result(madeFacts(made), () => madeText(made))
    })
  group
    .command('verify <file>')
    .description('restores it into a throw-away database and checks everything; needs what opens it')
    .option('--identity-file <path>', 'the secret half of its recipient')
    .option('--passphrase-file <path>', 'its passphrase')
    .action(async (file: string, options: OpenerOptions) => {
      const checked = await checkBackup(loadConfig({ development: false }), file, openerOf(options))
      if (checked.keys.opens === false) shell.finish(EXIT.problem)
      shell.output.result(contentFacts(checked), () => [`${file} can be restored.`, ...contentText(checked)].join('\n'))
    })
  group
    .command('keygen')
    .description('makes a pair: run it where backups are restored, not on the server')
    .requiredOption('--to <file>', 'a new file for the identity, which reads every backup')
    .action(async ({ to }: { readonly to: string }) => {
      const { identity, recipient } = await newIdentity()
      writeIdentity(to, `# recipient: ${recipient}\n${identity}\n`)
      shell.output.result(
        { identity_file: to, recipient },
        () => `${recipient}\nThe identity is in ${to}. Keep it away from the server; without it no backup can be read.`,
      )
    })
}

function keepOf(text: string | undefined): number | null {
  if (text === undefined) return null
  if (!/^[1-9]\d{0,5}$/.test(text)) throw usage('--keep is a whole number from 1 on.')
  return Number(text)
}

function writeIdentity(path: string, text: string): void {
  const { dataDir } = loadConfig({ development: false })
  if (within(dirname(path), dataDir))
    throw new BackupError(`${path} is in the data folder of a server, which must not be able to read its own backups: name another place.`)
  let file: number
  try {
    file = openSync(path, 'wx', 0o600)
  } catch (error) {
    throw new BackupError(`${path} cannot be made (${reasonOf(error)}): name a file that is not there yet.`, { cause: error })
  }
  try {
    writeSync(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

function within(folder: string, parent: string): boolean {
  try {
    return `${realpathSync(folder)}${sep}`.startsWith(`${realpathSync(parent)}${sep}`)
  } catch {
    return false
  }
}

function madeFacts(made: MadeBackup) {
  const { destination, written, removed } = made
  return { file: destination.path, bytes: written.bytes, sha256: written.sha256, ...contentFacts(made), removed }
}

export function contentFacts({ restored, keys }: CheckedBackup) {
  const { header, end, rows } = restored
  const { program, store, madeAt, schema, lineage } = header
  const facts = { program, store, made_at: new Date(madeAt).toISOString(), schema: Math.max(...schema), instance: lineage?.instance ?? null }
  return { ...facts, tables: end.tables, rows: end.rows, rows_of: rows, keys_needed: keys.needed, keys_missing: keys.missing, seal_opens: keys.opens }
}

function madeText(made: MadeBackup): string {
  const { destination, written, removed } = made
  return [
    `${destination.path}: ${written.bytes} bytes, sha256 ${written.sha256}`,
    'Restored into a throw-away database before it was encrypted, and read again from the disk.',
    ...contentText(made),
    ...(removed.length === 0 ? [] : [`Removed: ${removed.join(', ')}.`]),
  ].join('\n')
}

export function contentText({ restored, keys }: CheckedBackup): readonly string[] {
  const { header, end } = restored
  return [
    `${end.rows} rows in ${end.tables} tables of ${header.store}, schema ${Math.max(...header.schema)}, at ${new Date(header.madeAt).toISOString()}: checksums, counts and foreign keys are right.`,
    keyText(keys),
  ]
}

function keyText({ needed, missing, opens }: KeyFinding): string {
  const list = needed.length === 0 ? 'no master key' : `master key${needed.length === 1 ? '' : 's'} ${needed.join(', ')}`
  const needs = `It needs ${list}, never part of a backup.`
  if (opens === null) return `${needs} None is here, so nothing sealed was opened: put the keys back before a server starts.`
  const rest = missing.length === 0 ? '' : ` Missing here: ${missing.join(', ')}; what is sealed with it opens when it is back.`
  return opens ? `${needs} The keys here open its seal.${rest}` : `${needs} THE KEYS HERE DO NOT OPEN ITS SEAL: a server would not start with them.${rest}`
}
