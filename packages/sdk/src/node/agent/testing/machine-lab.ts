import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FakeEvergrant } from '../../../testing/index.ts'
import type { CredentialEvent } from '../credential-events.ts'
import { Evergrant, type EvergrantOptions } from '../evergrant.ts'
import type { Platform } from '../platform.ts'

export interface MachineLab {
  readonly server: FakeEvergrant
  readonly home: string
  readonly events: CredentialEvent[]
  readonly lines: string[]
  readonly env: Record<string, string | undefined>
  readonly platform: Platform
  /** Time passes; no timer runs. */
  pass(ms: number): void
  /** A program of this machine: another process, as far as its memory goes. */
  program(options?: EvergrantOptions): Evergrant
  remove(): void
}

/** One machine and one server. Whoever waits lets time pass; timers run never, so that each test renews when it says so. */
export function createMachineLab(policy: Partial<FakeEvergrant['policy']> = {}): MachineLab {
  const home = join(mkdtempSync(join(tmpdir(), 'evergrant-machine-')), 'home')
  let offset = 0
  const now = (): number => Date.now() + offset
  const server = new FakeEvergrant({ now })
  Object.assign(server.policy, policy)
  const [events, lines, env]: [CredentialEvent[], string[], Record<string, string>] = [[], [], { EVERGRANT_MACHINE_ID: 'one', EVERGRANT_KEYCHAIN: '0' }]
  const platform: Platform = {
    fetch: server.fetch,
    now,
    after: () => () => {},
    wait: (ms, signal) => {
      signal?.throwIfAborted()
      offset += ms
      return new Promise((resolve) => setImmediate(resolve))
    },
    random: () => 0.5,
    env,
    home,
    cwd: home,
    system: 'linux',
  }
  return {
    server,
    home,
    events,
    lines,
    env,
    platform,
    pass: (ms) => {
      offset += ms
    },
    program: (options = {}) =>
      new Evergrant({
        log: (line) => lines.push(line),
        onCredentialEvent: (event) => events.push(event),
        ...options,
        platform: { ...platform, ...options.platform },
      }),
    remove: () => rmSync(join(home, '..'), { recursive: true, force: true }),
  }
}

export const MINUTE = 60_000
export const DAY = 86_400_000

/** The code of the error that work ends with. */
export function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'done',
    (error: unknown) => (error instanceof Error ? ((error as { code?: string }).code ?? error.message) : String(error)),
  )
}
