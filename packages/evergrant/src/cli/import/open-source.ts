import { takeSecret } from '../../config.ts'
import { CommandFailure, EXIT } from '../exit-code.ts'
import { csvSource } from './csv-source.ts'
import { jsonlSource } from './jsonl-source.ts'
import type { Source } from './source.ts'
import { postgresSource, sqliteSource } from './table-source.ts'

export interface SourceOptions {
  readonly format?: string
  readonly delimiter?: string
  readonly table?: string
}

const POSTGRES = /^postgres(ql)?:\/\//
const SQLITE = /^sqlite:(?:\/\/)?/

/** A file, `-`, `postgres://...`, `sqlite:PATH`, or `env:NAME` for any of them. @throws CommandFailure */
export function openSource(where: string, { format, delimiter, table }: SourceOptions): Source {
  if (where.startsWith('env:')) {
    const name = where.slice('env:'.length)
    const secret = takeSecret(name)
    if (secret === undefined) throw usage(`env:${name}: the environment has no ${name}`)
    return sourceAt(secret.reveal(), { format, delimiter, table })
  }
  // What stands in the list of processes can be read by everybody on the machine.
  if (POSTGRES.test(where) && mayHoldPassword(where))
    throw usage('A password does not belong on the command line: put the URL into an environment variable, and say env:NAME here.')
  return sourceAt(where, { format, delimiter, table })
}

/** One that cannot be read may hold a password all the same. */
function mayHoldPassword(url: string): boolean {
  const parsed = URL.parse(url)
  return parsed === null ? /@|password/i.test(url) : parsed.password !== '' || parsed.searchParams.has('password')
}

type Given = { readonly [Name in keyof SourceOptions]: SourceOptions[Name] | undefined }

function sourceAt(where: string, { format, delimiter, table }: Given): Source {
  if (POSTGRES.test(where)) return postgresSource(where, tableOf(table))
  if (SQLITE.test(where)) return sqliteSource(where.replace(SQLITE, ''), tableOf(table))
  if (table !== undefined) throw usage('--table is for postgres://... and sqlite:PATH; a file has no tables')
  switch (format ?? (/\.(csv|tsv)$/i.test(where) ? 'csv' : 'jsonl')) {
    case 'csv':
      return csvSource(where, delimiterOf(delimiter, where))
    case 'jsonl':
      return jsonlSource(where)
    default:
      throw usage('--format is jsonl or csv')
  }
}

function tableOf(table: string | undefined): string {
  if (table === undefined || table === '') throw usage('Say which table: --table account')
  return table
}

function delimiterOf(delimiter: string | undefined, where: string): string {
  const said = delimiter === 'tab' || delimiter === '\\t' ? '\t' : delimiter
  if (said === undefined) return /\.tsv$/i.test(where) ? '\t' : ','
  if ([...said].length !== 1) throw usage('--delimiter is one character, or the word tab')
  return said
}

function usage(message: string): CommandFailure {
  return new CommandFailure(EXIT.usage, message)
}
