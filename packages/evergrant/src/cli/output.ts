import type { JsonObject, JsonValue } from '../core/json.ts'

export interface Streams {
  out(text: string): void
  err(text: string): void
  /** True when standard error is a terminal: progress may rewrite its line. */
  readonly interactive: boolean
}

/** Where a command says what it did: for people, or as one JSON value. */
export class Output {
  readonly json: boolean
  readonly #streams: Streams

  constructor(streams: Streams, json: boolean) {
    this.#streams = streams
    this.json = json
  }

  /** The result. Called once. */
  result(value: JsonValue, human: () => string): void {
    this.#streams.out(`${this.json ? JSON.stringify(value) : human()}\n`)
  }

  /** Something on the way; never part of the result. */
  note(text: string): void {
    if (!this.json) this.#streams.err(`${text}\n`)
  }

  progress(done: number, total: number, what: string): void {
    if (this.json) return
    const line = `${done}/${total} ${what}`
    if (this.#streams.interactive) this.#streams.err(`\r${line}${done === total ? '\n' : ''}`)
    else if (done === total || done % 100 === 0) this.#streams.err(`${line}\n`)
  }

  /** A line of progress in words: rewritten on a terminal until `last`, elsewhere written as it is. */
  progressLine(text: string, last: boolean): void {
    if (this.json) return
    if (this.#streams.interactive) this.#streams.err(`\r\u001b[K${text}${last ? '\n' : ''}`)
    else this.#streams.err(`${text}\n`)
  }

  get interactive(): boolean {
    return this.#streams.interactive
  }

  failure(message: string, facts: Readonly<Record<string, unknown>>): void {
    this.#streams.err(this.json ? `${JSON.stringify({ error: { message, ...facts } })}\n` : `${message.split('\n').map(plain).join('\n')}\n`)
  }
}

/** Columns as wide as their widest cell; the last one is not padded. */
export function formatTable(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = columns.map((column, index) => Math.max(column.length, ...rows.map((row) => row[index]?.length ?? 0)))
  const line = (cells: readonly string[]) => cells.map((cell, index) => (index === cells.length - 1 ? cell : cell.padEnd(widths[index] ?? 0))).join('  ')
  return [line(columns), ...rows.map(line)].join('\n')
}

/** One thing, a field a line; nested values as JSON. */
export function formatFacts(value: JsonObject): string {
  const names = Object.keys(value)
  const width = Math.max(0, ...names.map((name) => name.length))
  return names.map((name) => `${name.padEnd(width)}  ${cell(value[name])}`).join('\n')
}

/** A value in one cell: `-` for nothing, so that columns stay countable. */
export function cell(value: JsonValue | undefined): string {
  if (value === undefined || value === null || value === '') return '-'
  if (typeof value === 'string') return plain(value)
  if (Array.isArray(value)) return value.length === 0 ? '-' : value.map((item) => cell(item)).join(' ')
  return plain(JSON.stringify(value))
}

/** Names and texts of providers and end users must not steer the terminal: controls and turns of direction become U+FFFD. */
function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '\uFFFD')
}
