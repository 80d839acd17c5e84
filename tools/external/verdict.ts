import { spawn } from 'node:child_process'
import type { Stage } from './stage.ts'

export type Verdict =
  | { readonly kind: 'passed'; readonly found: string }
  | { readonly kind: 'failed'; readonly found: string }
  /** With the reason. */
  | { readonly kind: 'not run'; readonly found: string }

export interface Check {
  readonly name: string
  readonly what: string
  /** The stage is started for the checks that ask for it. */
  run(stage: () => Promise<Stage>): Promise<Verdict>
}

export const passed = (found: string): Verdict => ({ kind: 'passed', found })
export const failed = (found: string): Verdict => ({ kind: 'failed', found })
export const notRun = (found: string): Verdict => ({ kind: 'not run', found })
/** Failed when there are complaints; the first of them are shown. */
export const verdictOf = (complaints: readonly string[], found: string): Verdict =>
  complaints.length === 0 ? passed(found) : failed(`${found}; ${complaints.length} complaints:\n    ${complaints.slice(0, 12).join('\n    ')}`)

interface Finished {
  /** Null when it was stopped because its time was over, or when the program is not there. */
  readonly status: number | null
  readonly out: string
  readonly err: string
  readonly there: boolean
}

interface RunOptions {
  readonly cwd?: string
  readonly input?: string
  readonly seconds?: number
  readonly env?: Readonly<Record<string, string>>
}

const KILLED_AFTER_MS = 2_000

/** Runs a program to its end, or until its time is over. */
export function run(command: string, args: readonly string[], { cwd, input = '', seconds = 120, env = {} }: RunOptions = {}): Promise<Finished> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] })
    let [out, err] = ['', '']
    const over = setTimeout(() => {
      child.kill('SIGTERM')
      setTimeout(() => child.kill('SIGKILL'), KILLED_AFTER_MS).unref()
    }, seconds * 1_000)
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      out += chunk
    })
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      err += chunk
    })
    child.stdin.on('error', () => {}).end(input)
    child.on('error', () => {
      clearTimeout(over)
      resolve({ status: null, out, err, there: false })
    })
    child.on('close', (status) => {
      clearTimeout(over)
      resolve({ status, out, err, there: true })
    })
  })
}

/** True when the program is on the path. */
export async function isThere(program: string): Promise<boolean> {
  return (await run('sh', ['-c', `command -v ${program}`])).status === 0
}
