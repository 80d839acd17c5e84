import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'

const FOLDER = fileURLToPath(new URL('./results/', import.meta.url))

/** One run of one command, with what a reader needs to judge it. */
export interface Result<Figures> {
  readonly name: string
  readonly short: boolean
  /** Commit of the code; `+` when the working tree differed from it. */
  readonly commit: string
  /** ISO 8601, to the minute. */
  readonly at: string
  readonly machine: string
  readonly node: string
  readonly figures: Figures
}

/** Writes `results/<name>.json`, or `<name>-short.json`, and returns what was written. */
export function writeResult<Figures>(name: string, short: boolean, figures: Figures): Result<Figures> {
  const result: Result<Figures> = {
    name,
    short,
    commit: commit(),
    at: new Date().toISOString().slice(0, 16),
    machine: machine(),
    node: process.version,
    figures,
  }
  mkdirSync(FOLDER, { recursive: true })
  writeFileSync(fileOf(name, short), `${JSON.stringify(rounded(result), null, 1)}\n`)
  return result
}

/** The full run when there is one, else, where asked for, the short one, else null. */
export function readResult<Figures>(name: string, orShort = false): Result<Figures> | null {
  const path = [fileOf(name, false), ...(orShort ? [fileOf(name, true)] : [])].find((candidate) => existsSync(candidate))
  return path === undefined ? null : (JSON.parse(readFileSync(path, 'utf8')) as Result<Figures>)
}

function fileOf(name: string, short: boolean): string {
  return `${FOLDER}${name}${short ? '-short' : ''}.json`
}

/** Four digits say all that a shared machine can tell. */
function rounded(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_, part: unknown) => (typeof part === 'number' && !Number.isInteger(part) ? Number(part.toPrecision(4)) : part)))
}

function commit(): string {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: FOLDER, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  try {
    const dirty = git('status', '--porcelain', '--untracked-files=no', ':/packages') !== ''
    return `${git('rev-parse', '--short', 'HEAD')}${dirty ? '+' : ''}`
  } catch {
    return 'unknown'
  }
}

export function machine(): string {
  return `${cpus().length} x ${cpus()[0]?.model.trim() ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}`
}
