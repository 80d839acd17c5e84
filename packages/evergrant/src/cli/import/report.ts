import { closeSync, openSync, writeSync } from 'node:fs'
import type { Clock } from '../../core/time.ts'
import { CommandFailure, EXIT } from '../exit-code.ts'
import { Output } from '../output.ts'
import type { LineProblem } from './problem.ts'
import type { Extent, Source } from './source.ts'

/** Lines of one run, by what became of them. */
interface Tally {
  read: number
  imported: number
  replaced: number
  already: number
  skipped: number
  refused: number
}

/** Problems told on the screen when they are also in a file. */
const ON_SCREEN = 20
const WITHOUT_TERMINAL_EVERY = 10_000
const BAR = 24

/** Tells a person how an import goes: problems by line, and how far it is. */
export class Report {
  readonly tally: Tally = { read: 0, imported: 0, replaced: 0, already: 0, skipped: 0, refused: 0 }
  readonly #output: Output
  readonly #source: Source
  readonly #clock: Clock
  readonly #started: number
  readonly #errors: number | null
  #told = 0
  #saidAt = 0

  /** `errors`: a file for every problem, one JSON object a line, readable by its owner alone. @throws CommandFailure when it cannot be written */
  constructor(output: Output, source: Source, clock: Clock, errors: string | undefined) {
    this.#output = output
    this.#source = source
    this.#clock = clock
    this.#started = clock.mono()
    this.#errors = errors === undefined ? null : opened(errors)
  }

  get seconds(): number {
    return Math.round((this.#clock.mono() - this.#started) / 10) / 100
  }

  problem(line: number, { field, column, code, detail }: LineProblem, stage: 'import' | 'verify' = 'import'): void {
    if (this.#errors !== null) writeSync(this.#errors, `${JSON.stringify({ line, stage, field, column, code, detail })}\n`)
    this.#told += 1
    if (this.#errors !== null && this.#told > ON_SCREEN) {
      if (this.#told === ON_SCREEN + 1) this.#output.note('More problems are in the file of --errors.')
      return
    }
    const where = [field, column === null || column === field ? null : `column ${column}`].filter((part) => part !== null).join(', ')
    this.#output.note(`${this.#output.interactive ? '\r\u001b[K' : ''}${this.#source.unit} ${line}${where === '' ? '' : `, ${where}`}: ${detail}`)
  }

  /** Called after every batch: a bar on a terminal, a line now and then elsewhere. */
  progress(last = false): void {
    const { read, refused } = this.tally
    const due = this.#output.interactive || last || read - this.#saidAt >= WITHOUT_TERMINAL_EVERY
    if (!due) return
    this.#saidAt = read
    const rate = Math.round(read / Math.max(0.001, this.seconds))
    const words = `${read.toLocaleString('en-US')} ${this.#source.unit}s, ${rate.toLocaleString('en-US')} a second, ${refused.toLocaleString('en-US')} refused`
    this.#output.progressLine(`${last || !this.#output.interactive ? '' : bar(this.#source.extent())}${words}`, last)
  }

  /** Tells nobody: for a second reading of lines whose problems are known. */
  get silent(): Output {
    return new Output({ out: () => {}, err: () => {}, interactive: false }, true)
  }

  close(): void {
    if (this.#errors !== null) closeSync(this.#errors)
  }
}

/** Nothing where the end is not known. */
export function bar({ done, total }: Extent): string {
  if (total === null || total === 0) return ''
  const part = Math.min(1, done / total)
  const full = Math.round(part * BAR)
  return `[${'='.repeat(full)}${' '.repeat(BAR - full)}] ${Math.floor(part * 100)} %  `
}

function opened(path: string): number {
  try {
    return openSync(path, 'w', 0o600)
  } catch {
    throw new CommandFailure(EXIT.usage, `--errors: ${path} cannot be written`)
  }
}
