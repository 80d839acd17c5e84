import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { SeedOptions, SeedReport } from '../simulation/seed-report.ts'

/** What crosses to another process: everything of a seed but functions. */
export type PlainSeed = Omit<SeedOptions, 'build' | 'trace' | 'store'>

export type WorkerJob =
  | { readonly kind: 'seed'; readonly options: PlainSeed }
  | { readonly kind: 'canary'; readonly name: string; readonly seed: number }
  | { readonly kind: 'scenario'; readonly id: string }

export type WorkerAnswer =
  | { readonly kind: 'seed'; readonly report: SeedReport }
  /** One of each store; null: the fact holds there. */
  | { readonly kind: 'scenario'; readonly failures: readonly (string | null)[] }
  | { readonly kind: 'error'; readonly text: string }

const WORKER = fileURLToPath(new URL('./seed-worker.ts', import.meta.url))
/** A seed takes about a second; one that takes this long has hung. */
const LONGEST_JOB_MS = 120_000

class SeedWorker {
  readonly #mutant: string | undefined
  #process: ChildProcess | null = null

  constructor(mutant: string | undefined) {
    this.#mutant = mutant
  }

  do(job: WorkerJob): Promise<WorkerAnswer> {
    this.#process ??= fork(WORKER, this.#mutant === undefined ? [] : [this.#mutant], { execArgv: [], serialization: 'advanced' })
    const child = this.#process
    return new Promise((resolve) => {
      const end = (answer: WorkerAnswer) => {
        clearTimeout(timer)
        child.removeAllListeners('message').removeAllListeners('exit')
        resolve(answer)
      }
      const fail = (text: string) => {
        this.close()
        end({ kind: 'error', text })
      }
      const timer = setTimeout(() => fail(`no end after ${LONGEST_JOB_MS} ms`), LONGEST_JOB_MS)
      child.once('message', (answer: WorkerAnswer) => end(answer))
      child.once('exit', (code, signal) => fail(`the process ended (${signal ?? code})`))
      child.send(job)
    })
  }

  close(): void {
    this.#process?.removeAllListeners('exit')
    this.#process?.kill('SIGKILL')
    this.#process = null
  }
}

/** Processes that live seeds side by side; each one job at a time. */
export class SeedPool {
  readonly size: number
  readonly #idle: SeedWorker[]
  readonly #all: readonly SeedWorker[]
  readonly #waiting: ((worker: SeedWorker) => void)[] = []

  constructor(size: number, mutant?: string) {
    this.size = size
    this.#all = Array.from({ length: size }, () => new SeedWorker(mutant))
    this.#idle = [...this.#all]
  }

  async do(job: WorkerJob): Promise<WorkerAnswer> {
    const worker = this.#idle.pop() ?? (await new Promise<SeedWorker>((resolve) => this.#waiting.push(resolve)))
    try {
      return await worker.do(job)
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#idle.push(worker)
      else next(worker)
    }
  }

  /** Rejects when the seed could not be lived to its end: that is a failure of its own. */
  async seed(options: PlainSeed): Promise<SeedReport> {
    const answer = await this.do({ kind: 'seed', options })
    if (answer.kind === 'seed') return answer.report
    throw new Error(`seed ${options.seed}: ${answer.kind === 'error' ? answer.text : 'no report'}`)
  }

  close(): void {
    for (const worker of this.#all) worker.close()
  }
}
