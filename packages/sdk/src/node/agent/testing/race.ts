import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { Evergrant } from '../evergrant.ts'
import type { WorkerAnswer } from './race-worker.ts'
import { serveFake, type Wire } from './serve-fake.ts'

export interface RaceOptions {
  readonly processes: number
  readonly rounds: number
  readonly say?: (line: string) => void
  /** The fake one by default. Every request goes through `wire`; `now` is the time of the race. */
  readonly serve?: (wire: Wire, now: () => number) => Promise<RaceServer>
}

/** What the race asks of a server: the facts are those of its own record. */
interface RaceServer {
  readonly url: string
  code(): Promise<string>
  /** New credentials of the one installation so far. */
  rotations(): Promise<number>
  generation(): Promise<number>
  /** Installations that are not active. */
  locked(): Promise<number>
  close(): Promise<void>
}

interface RaceReport {
  readonly rounds: number
  readonly killed: number
  /** Answers of survivors that were no success. */
  readonly failures: readonly string[]
  /** Two living processes that had a refresh under way at once. */
  readonly doubleHolders: number
  /** Installations that were locked, although there is one machine. */
  readonly falseLocks: number
  /** New generations in each round. */
  readonly rotations: readonly number[]
}

/** When the process that refreshes is killed. */
const MOMENTS = ['after the commit', 'before the commit', 'after the commit', 'as the answer arrives'] as const
type Moment = (typeof MOMENTS)[number]

const WORKER = fileURLToPath(new URL('race-worker.ts', import.meta.url))
/** A little more than an access token lives. */
const ROUND_MS = 11 * 60_000

interface World {
  readonly home: string
  readonly workers: Map<number, ChildProcess>
  readonly failures: string[]
  moment: Moment | null
  killed: number
  doubleHolders: number
  /** Processes whose refresh is under way. */
  readonly refreshing: Set<number>
}

/** Many processes, one credential file, a moment when the token is due, and a SIGKILL to the process that renews it, in each round. */
export async function race({ processes, rounds, say = () => {}, serve = fakeServer }: RaceOptions): Promise<RaceReport> {
  const home = join(mkdtempSync(join(tmpdir(), 'evergrant-race-')), 'home')
  const world: World = { home, workers: new Map(), failures: [], moment: null, killed: 0, doubleHolders: 0, refreshing: new Set() }
  let passed = 0
  const served = await serve(
    (request, commit) => underWay(world, request, commit),
    () => Date.now() + passed,
  )
  const rotations: number[] = []
  let falseLocks = 0
  try {
    const first = await Evergrant.connect({ server: served.url, enrolmentCode: await served.code(), log: false, platform: { home, after: () => () => {} } })
    await first.close()
    for (let round = 1; round <= rounds; round += 1) {
      while (world.workers.size < processes) await startWorker(world)
      passed += ROUND_MS
      const before = await served.rotations()
      world.moment = MOMENTS[round % MOMENTS.length] ?? null
      const answers = await playRound(world, round, passed)
      rotations.push((await served.rotations()) - before)
      const generation = await served.generation()
      for (const { error, generation: had } of answers) {
        if (error !== null) world.failures.push(`round ${round}: ${error}`)
        else if (had !== generation) world.failures.push(`round ${round}: a process has generation ${had} of ${generation}`)
      }
      say(`round ${round}: ${answers.length} answered, ${rotations.at(-1)} rotation, ${world.killed} killed so far`)
    }
    falseLocks = await served.locked()
  } finally {
    for (const worker of world.workers.values()) worker.kill('SIGKILL')
    await served.close()
    rmSync(join(home, '..'), { recursive: true, force: true })
  }
  return { rounds, killed: world.killed, failures: world.failures, doubleHolders: world.doubleHolders, falseLocks, rotations }
}

async function fakeServer(wire: Wire, now: () => number): Promise<RaceServer> {
  const { fake, url, close } = await serveFake({ now }, wire)
  return {
    url,
    close,
    code: async () => fake.code(),
    rotations: async () => fake.counts.rotations,
    generation: async () => fake.installations[0]?.head.generation ?? 0,
    locked: async () => fake.installations.filter(({ status }) => status !== 'active').length,
  }
}

async function startWorker({ home, workers }: World): Promise<void> {
  const worker = fork(WORKER, {
    env: { PATH: process.env['PATH'], EVERGRANT_HOME: home, EVERGRANT_KEYCHAIN: '0', NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] },
    execArgv: ['--disable-warning=ExperimentalWarning'],
  })
  await once(worker, 'message')
  workers.set(worker.pid ?? 0, worker)
}

/** Tells everybody that time has passed, and hears from all who live. */
async function playRound({ workers }: World, round: number, passed: number): Promise<readonly WorkerAnswer[]> {
  const heard = [...workers].map(async ([pid, worker]): Promise<WorkerAnswer | null> => {
    const over = new AbortController()
    const ended = once(worker, 'exit', { signal: over.signal }).then(() => null)
    const answered = once(worker, 'message', { signal: over.signal }).then(([answer]: WorkerAnswer[]) => answer ?? null)
    worker.send({ round, passed })
    const answer = await Promise.race([answered, ended])
    over.abort()
    await Promise.allSettled([answered, ended])
    if (answer === null) workers.delete(pid)
    return answer
  })
  return (await Promise.all(heard)).filter((answer) => answer !== null)
}

/** The server's side of one request: counts who is under way at once, and kills when it is time. */
async function underWay(world: World, request: IncomingMessage, commit: () => Promise<Response>): Promise<Response | null> {
  const pid = Number(request.headers['race-pid'])
  if (!request.url?.endsWith('/auth/sdk/refresh') || Number.isNaN(pid)) return commit()
  if ([...world.refreshing].some((other) => other !== pid && world.workers.has(other))) world.doubleHolders += 1
  world.refreshing.add(pid)
  const kill = async (): Promise<void> => {
    world.moment = null
    world.killed += 1
    const worker = world.workers.get(pid)
    const ended = worker === undefined ? Promise.resolve() : once(worker, 'exit')
    worker?.kill('SIGKILL')
    // Dead from here on, and others may see it before this process hears of it.
    world.refreshing.delete(pid)
    await ended
  }
  try {
    // The first try is told to bring a nonce; it is the second one that counts.
    if (world.moment === 'before the commit') {
      await kill()
      return null
    }
    const answer = await commit()
    if (answer.status !== 200 || world.moment === null) return answer
    if (world.moment === 'after the commit') {
      await kill()
      return null
    }
    // It has the answer, or half of it, or has stored it: whatever it came to.
    setImmediate(() => void kill())
    return answer
  } finally {
    world.refreshing.delete(pid)
  }
}
