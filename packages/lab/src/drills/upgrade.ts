import { parseArgs } from 'node:util'
import { Arena } from '../chaos/arena.ts'
import type { ChaosNode } from '../chaos/node.ts'
import { wholeNumber } from '../command-line.ts'
import { PostgresProcess } from '../postgres-process.ts'
import { rest } from '../until.ts'
import { Balancer } from './balancer.ts'
import type { Drill } from './drill.ts'
import { defaultRef, type EarlierCode, earlierCode } from './earlier-code.ts'
import { ARENA, figuresOf, judged, PUBLIC_URL, trafficOn } from './rolling.ts'

interface UpgradeOptions {
  readonly ref: string
  readonly callers: number
  /** Between two requests of one caller, about; default 40. */
  readonly restMs?: number
  readonly say: (line: string) => void
}

/** The last line. From `failed_restarts` on everything must be 0. */
interface UpgradeReport {
  readonly drill: 'upgrade'
  readonly from: string
  /** Last migration before and after. */
  readonly schema: readonly [number, number]
  readonly nodes: number
  readonly requests: Readonly<Record<string, number>>
  readonly turned_to_another_node: number
  readonly slowest_ms: Readonly<Record<string, number>>
  /** How long nodes of both versions served the migrated database side by side. */
  readonly both_serve_ms: number
  /** `code`: the earlier code was started again on the new schema, under load; `schema`: the schema was taken back first, with every node stopped. */
  readonly rolled_back: 'code' | 'schema'
  /** Steps of the schema that were taken back for it. */
  readonly steps_back: number
  readonly seconds: number
  readonly failed_restarts: number
  readonly failed_requests: number
  readonly grants_lost: number
  readonly wrong_tokens_served: number
}

const SERVE_MS = 2_000

/** Nodes of an earlier commit serve; the database is migrated under them; they are replaced one after the other; then all of it goes back. */
export async function upgradeNodes(postgres: PostgresProcess, earlier: EarlierCode, { callers, restMs, say }: UpgradeOptions): Promise<UpgradeReport> {
  const started = performance.now()
  const arena = await Arena.open({ ...ARENA, postgres, main: earlier.main, env: () => ({ EVERGRANT_PUBLIC_URL: PUBLIC_URL }) })
  const balancer = new Balancer(arena.nodes.map((node) => node.server.url))
  try {
    const traffic = await trafficOn(arena, balancer, callers, restMs)
    const rolls = new Rolls(say)
    traffic.start()
    await rest(SERVE_MS)
    // By hand, as a careful operator does it: nodes of the earlier version go on serving what they do not know.
    const versions = await migrate(arena.first)
    say(`the schema went from ${earlier.migrations.at(-1)} to ${versions.at(-1)}; ${traffic.sent} requests, ${traffic.failed.length} failed`)
    const both = performance.now()
    await rest(SERVE_MS)
    for (const node of arena.nodes) await rolls.to(node, undefined)
    const bothServeMs = performance.now() - both
    say(`every node is new; ${traffic.sent} requests, ${traffic.failed.length} failed`)
    await rest(SERVE_MS)
    const back = versions.filter((version) => !earlier.migrations.includes(version))
    const bears = await rolls.tryOut(arena.first, earlier.main)
    if (bears) for (const node of arena.nodes.slice(1)) await rolls.to(node, earlier.main)
    else {
      await traffic.stop()
      await takeBack(arena, earlier, back.length, rolls)
    }
    await rest(SERVE_MS)
    await traffic.stop()
    const { lost, wrong } = await judged(arena, say)
    for (const line of traffic.failed.slice(0, 20)) say(line)
    return {
      drill: 'upgrade',
      from: earlier.commit,
      schema: [earlier.migrations.at(-1) ?? 0, versions.at(-1) ?? 0],
      nodes: arena.nodes.length,
      ...figuresOf(traffic),
      turned_to_another_node: balancer.refused,
      both_serve_ms: Math.round(bothServeMs),
      rolled_back: bears ? 'code' : 'schema',
      steps_back: bears ? 0 : back.length,
      seconds: Math.round((performance.now() - started) / 1_000),
      failed_restarts: rolls.failed,
      failed_requests: traffic.failed.length,
      grants_lost: lost,
      wrong_tokens_served: wrong,
    }
  } finally {
    balancer.close()
    await arena.close()
  }
}

class Rolls {
  failed = 0
  readonly #say: (line: string) => void

  constructor(say: (line: string) => void) {
    this.#say = say
  }

  /** Stops a node as a deployment does and starts it with other code. */
  async to({ server, name }: ChaosNode, main: string | undefined): Promise<void> {
    const { code } = await server.stop(120_000)
    if (code !== 0) {
      this.failed += 1
      this.#say(`${name} ended with ${code}:\n${server.output().slice(-2_000)}`)
    }
    server.useVersion(main)
    await server.start()
  }

  /** The same with code that may refuse the schema: then the node runs what it ran before. False in that case. */
  async tryOut(node: ChaosNode, main: string): Promise<boolean> {
    try {
      await this.to(node, main)
      return true
    } catch (error) {
      if (!String(error).includes('migrated by a newer version')) throw error
      node.server.useVersion()
      await node.server.start()
      return false
    }
  }
}

/** `evergrant migrate up` of this tree, beside the nodes. Resolves with the versions that are applied then. */
async function migrate({ server }: ChaosNode): Promise<readonly number[]> {
  server.useVersion()
  const up = await server.cli(['migrate', 'up', '--json'])
  if (up.code !== 0) throw new Error(`migrating ended with ${up.code}:\n${up.output}`)
  const { output } = await server.cli(['migrate', 'status', '--json'])
  return [...output.matchAll(/"version":\s*(\d+)/g)].map(([, version]) => Number(version))
}

/** Every node stops, the newer code takes its steps back, the earlier one starts again. */
async function takeBack(arena: Arena, earlier: EarlierCode, steps: number, rolls: Rolls): Promise<void> {
  for (const { server } of arena.nodes) await server.stop(120_000)
  for (let step = 0; step < steps; step += 1) {
    const { code, output } = await arena.first.server.cli(['migrate', 'rollback', '--yes', '--json'])
    if (code !== 0) throw new Error(`taking a step back ended with ${code}:\n${output}`)
  }
  for (const node of arena.nodes) await rolls.to(node, earlier.main)
}

export const drill: Drill = {
  help: `[--from REF] [--callers 4]\n\n  --from REF    the earlier commit (the newest tag, or 30 commits back)\n  --callers N   callers of each of five kinds (4)`,
  run: async (args, say) => {
    const { values } = parseArgs({ args, options: { from: { type: 'string' }, callers: { type: 'string', default: '4' } } })
    const options = { ref: values.from ?? defaultRef(), callers: wholeNumber('callers', values.callers), say }
    const earlier = earlierCode(options.ref)
    say(`from ${options.ref} (${earlier.commit}), schema ${earlier.migrations.at(-1)}`)
    const postgres = await PostgresProcess.start()
    try {
      const report = await upgradeNodes(postgres, earlier, options)
      say(JSON.stringify(report))
      return report.failed_restarts + report.failed_requests + report.grants_lost + report.wrong_tokens_served === 0
    } finally {
      await postgres.stop()
      earlier.remove()
    }
  },
}
