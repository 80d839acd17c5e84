import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A real process under test. Everything it printed is kept. */
export interface RunningProcess {
  readonly pid: number
  readonly exited: Promise<Exit>
  /** Standard output and standard error so far, in the order of arrival. */
  readonly output: () => string
  /** Resolves with the first line of standard output that is a JSON object; rejects when the process ends before. */
  readonly firstJsonLine: () => Promise<Readonly<Record<string, unknown>>>
  readonly signal: (signal: NodeJS.Signals) => void
  /** SIGTERM, then SIGKILL after `graceMs` (default 10 s). Resolves when it is gone. */
  readonly stop: (graceMs?: number) => Promise<Exit>
  /** SIGKILL, at once. Resolves when it is gone. */
  readonly kill: () => Promise<Exit>
}

interface ProcessOptions {
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
}

/** Handed on to every process, where this one has them. */
const INHERITED = ['PATH', 'HOME', 'TMPDIR', 'NODE_COMPILE_CACHE', 'NODE_OPTIONS'] as const

/** Flags of node for every process of a test run, apart by spaces; a measurement has none. */
const FLAGS = process.env['TEST_NODE_FLAGS']?.split(' ') ?? []

/** Starts `node <args>` with {@link INHERITED} of this process's environment, then `env`. */
export function startNode({ args, env = {}, cwd }: ProcessOptions): RunningProcess {
  const base = Object.fromEntries(INHERITED.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])))
  const child = spawn(process.execPath, [...FLAGS, ...args], {
    env: { ...base, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(cwd === undefined ? {} : { cwd }),
  })
  const out: string[] = []
  const all: string[] = []
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out.push(text)
    all.push(text)
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => void all.push(text))
  const exited = exitOf(child)
  const output = () => all.join('')
  const signal = (name: NodeJS.Signals) => void child.kill(name)
  return {
    pid: child.pid ?? 0,
    exited,
    output,
    firstJsonLine: () => firstJsonLine(child, () => out.join(''), exited, output),
    signal,
    kill: () => {
      signal('SIGKILL')
      return exited
    },
    stop: async (graceMs = 10_000) => {
      signal('SIGTERM')
      const deadline = setTimeout(() => signal('SIGKILL'), graceMs)
      const exit = await exited
      clearTimeout(deadline)
      return exit
    },
  }
}

async function exitOf(child: ChildProcess): Promise<Exit> {
  try {
    const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
    return { code, signal }
  } catch {
    return { code: null, signal: null }
  }
}

async function firstJsonLine(child: ChildProcess, text: () => string, exited: Promise<Exit>, output: () => string): Promise<Readonly<Record<string, unknown>>> {
  let ended = false
  const gone = exited.then(() => {
    ended = true
  })
  for (;;) {
    const line = text()
      .split('\n')
      .slice(0, -1)
      .find((candidate) => candidate.startsWith('{'))
    if (line !== undefined) return JSON.parse(line) as Readonly<Record<string, unknown>>
    if (ended) throw new Error(`the process ended before it said where it is:\n${output()}`)
    await Promise.race([gone, once(child.stdout ?? child, 'data').catch(() => undefined)])
  }
}
