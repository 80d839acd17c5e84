import { fileURLToPath } from 'node:url'
import { ServerProcess } from '../../packages/lab/src/server-process.ts'
import { cpuMicrosOf, memoryOf } from '../process-cost.ts'
import type { StrictProvider } from './provider.ts'

/** As it is installed: compiled, which `npm run scale` does first. The sources would bring the compiler of Node with them, 35 MB of it. */
const BUILT = fileURLToPath(new URL('../../packages/evergrant/dist/cli/main.js', import.meta.url))
const SAMPLE_MS = 250

/** What a stretch of work cost one or more server processes. Bytes and microseconds. */
export interface RunCost {
  readonly seconds: number
  readonly exchanges: number
  readonly reused: number
  readonly cpuMicros: number
  /** Of the largest process: the highest reading of this run. */
  readonly peakBytes: number
  readonly residentBytes: number
}

/** Starts a server and tells how long it took from the spawn to the first ready answer. */
export async function startServer(
  env: Readonly<Record<string, string>>,
  dataDir?: string,
): Promise<{ readonly server: ServerProcess; readonly readyMs: number }> {
  const started = performance.now()
  const server = await ServerProcess.start({ main: BUILT, env, readyMs: 120_000, ...(dataDir === undefined ? {} : { dataDir }) })
  return { server, readyMs: performance.now() - started }
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** Watches servers renewing until the provider has seen `exchanges` more, or `seconds` have passed since the first one. */
export async function watch(
  servers: readonly ServerProcess[],
  provider: StrictProvider,
  until: { readonly exchanges: number; readonly seconds: number },
): Promise<RunCost> {
  const before = await provider.seen()
  const cpu = () => servers.reduce((sum, server) => sum + cpuMicrosOf(server.pid), 0)
  const cpuBefore = cpu()
  let peak = 0
  let resident = 0
  let started: number | null = null
  const patience = performance.now() + 30_000
  for (;;) {
    await sleep(SAMPLE_MS)
    const seen = await provider.seen()
    resident = Math.max(...servers.map((server) => memoryOf(server.pid).resident))
    peak = Math.max(peak, resident)
    const done = seen.exchanges - before.exchanges
    const now = performance.now()
    if (done > 0) started ??= now
    if (started === null && now > patience) throw new Error(`nothing was renewed:\n${servers[0]?.output()}`)
    if (done < until.exchanges && (started === null || now - started < until.seconds * 1_000)) continue
    // The rate is the provider's own: from its first exchange to its last, within the watch.
    const first = before.exchanges === 0 ? seen.firstAt : null
    const span = first === null || seen.lastAt === null ? now - (started ?? now) : seen.lastAt - first
    return {
      seconds: span / 1_000,
      exchanges: done,
      reused: seen.reused,
      cpuMicros: cpu() - cpuBefore,
      peakBytes: peak,
      residentBytes: resident,
    }
  }
}
