import { Readable } from 'node:stream'
import type { Parser } from 'csv-parse'
import { ByteSource } from './byte-source.ts'
import { LINE_MAX, type Source, type SourceRow } from './source.ts'

/** RFC 4180 with a header; `delimiter` is one character. */
export function csvSource(path: string, delimiter: string): Source {
  const bytes = new ByteSource(path)
  return {
    unit: 'line',
    repeatable: bytes.repeatable,
    sameColumns: true,
    extent: () => bytes.extent(),
    rows: () => rowsOf(bytes, delimiter),
  }
}

interface Parsed {
  readonly record: readonly string[]
  readonly raw: string
  readonly info: { readonly lines: number }
}

async function* rowsOf(bytes: ByteSource, delimiter: string): AsyncIterable<SourceRow> {
  const { CsvError, parse } = await import('csv-parse')
  const wellFormed = wellFormedRecord(delimiter)
  const parser = parse({
    bom: true,
    delimiter,
    info: true,
    skip_empty_lines: true,
    relax_column_count: true,
    // Otherwise one stray quote would take every line to the next quote with it; what is wrong is found in the raw record instead.
    relax_quotes: true,
    raw: true,
  })
  const input = Readable.from(closedQuotes(bytes, parser), { objectMode: false })
  input.on('error', (error) => parser.destroy(error))
  input.pipe(parser)
  let header: readonly string[] | null = null
  try {
    for await (const { record, raw, info } of parser as AsyncIterable<Parsed>) {
      const line = info.lines - record.reduce((sum, field) => sum + (field.split('\n').length - 1), 0)
      if (header === null) header = record.map((name) => name.trim())
      else if (raw.includes('"') && !wellFormed.test(raw.replace(/^[\r\n]+/, ''))) yield { line, unreadable: STRAY_QUOTE }
      else yield rowOf(header, record, line)
    }
  } catch (error) {
    if (!(error instanceof UnclosedQuote) && !(error instanceof CsvError)) throw error
    // The parser's own message may quote the line, and with it a token.
    yield { line: lineOf(error), unreadable: UNCLOSED_QUOTE }
  }
}

/** A quote that is never closed makes one record of the rest of the file: it must not be collected in memory. */
async function* closedQuotes(bytes: ByteSource, parser: Parser): AsyncIterable<Buffer> {
  for await (const chunk of bytes.chunks()) {
    if (parser.info.bytes - parser.info.bytes_records > 4 * LINE_MAX) throw new UnclosedQuote(parser.info.lines)
    yield chunk
  }
}

class UnclosedQuote extends Error {
  readonly lines: number
  constructor(lines: number) {
    super('a quote is never closed')
    this.lines = lines
  }
}

function rowOf(header: readonly string[], record: readonly string[], line: number): SourceRow {
  if (record.length !== header.length)
    return { line, unreadable: `The line has ${record.length} fields and the header ${header.length}. Quote fields that hold the delimiter.` }
  // An empty field is no value: CSV has no null.
  const values = Object.fromEntries(header.map((name, index) => [name, record[index] === '' ? null : (record[index] ?? null)]))
  return { line, values }
}

function lineOf(error: unknown): number {
  return typeof error === 'object' && error !== null && 'lines' in error && typeof error.lines === 'number' ? error.lines : 0
}

const UNCLOSED_QUOTE = 'A quote is opened here or before and never closed; nothing after it could be read.'
const STRAY_QUOTE = 'A quote stands where none may: put the whole field in quotes, and write a quote inside it twice.'

/**
 * RFC 4180 section 2: a field is quoted as a whole, its quotes written twice, or has no quote at all. No sign can be taken by two
 * parts of the expression, so that a long line that does not fit is no long search.
 */
function wellFormedRecord(delimiter: string): RegExp {
  const between = delimiter.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
  const field = `(?:"[^"]*(?:""[^"]*)*"|[^"${between}\\r\\n]*)`
  return new RegExp(`^${field}(?:${between}${field})*[\\r\\n]*$`)
}
