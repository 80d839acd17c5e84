import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const PATIENCE_MS = 60_000

interface ProgramOptions {
  readonly args?: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Every line that it prints, as it prints it. */
  readonly onLine?: (line: string) => void
}

/** The agent as its own process, known by its lines alone. */
export class Program {
  readonly lines: string[] = []
  readonly exited: Promise<number | null>
  readonly #child: ChildProcess
  #heard: () => void = () => {}
  #ended = false

  constructor({ args = [], env, onLine }: ProgramOptions) {
    this.#child = spawn(process.execPath, ['--import', here('../from-sources.mjs'), here('../agent.ts'), ...args], {
      env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'], ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [this.#child.stdout, this.#child.stderr])
      lines(stream, (line) => {
        this.lines.push(line)
        onLine?.(line)
        this.#heard()
      })
    this.exited = once(this.#child, 'close').then(([code]) => {
      this.#ended = true
      this.#heard()
      return code as number | null
    })
  }

  /** The first line after `since` lines that has this text. @throws Error when the program ends, or a minute passes, without it */
  async line(text: string, since = 0): Promise<string> {
    const late = AbortSignal.timeout(PATIENCE_MS)
    for (;;) {
      const found = this.lines.slice(since).find((line) => line.includes(text))
      if (found !== undefined) return found
      if (this.#ended || late.aborted) throw new Error(`waited in vain for "${text}"; the agent said:\n${this.lines.join('\n')}`)
      await new Promise<void>((resolve) => {
        this.#heard = resolve
        late.addEventListener('abort', () => resolve(), { once: true })
      })
    }
  }

  async stop(): Promise<number | null> {
    this.#child.kill('SIGTERM')
    return this.exited
  }
}

function lines(stream: NodeJS.ReadableStream | null, each: (line: string) => void): void {
  let rest = ''
  stream?.setEncoding('utf8').on('data', (text: string) => {
    const parts = `${rest}${text}`.split('\n')
    rest = parts.pop() ?? ''
    for (const part of parts) each(part)
  })
}
