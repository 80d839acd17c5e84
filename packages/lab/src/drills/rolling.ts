import { parseArgs } from 'node:util'
import { Arena } from '../chaos/arena.ts'
import { newFindings, settle } from '../chaos/settle.ts'
import { wholeNumber } from '../command-line.ts'
import { at } from '../http.ts'
import type { Answered } from '../kept-request.ts'
import { PostgresProcess } from '../postgres-process.ts'
import { rest, until } from '../until.ts'
import { Balancer } from './balancer.ts'
import type { Drill } from './drill.ts'
import { Traffic } from './traffic.ts'

interface RollingOptions {
  readonly restarts: number
  readonly callers: number
  readonly say: (line: string) => void
}

/** The last line. From `failed_restarts` on everything must be 0. */
interface RollingReport {
  readonly drill: 'rolling'
  readonly nodes: number
  readonly restarts: number
  readonly requests: Readonly<Record<string, number>>
  /** Requests that found a node gone and were taken by another one. */
  readonly turned_to_another_node: number
  readonly slowest_ms: Readonly<Record<string, number>>
  readonly drain_ms_max: number
  readonly seconds: number
  readonly failed_restarts: number
  readonly failed_requests: number
  readonly grants_lost: number
  readonly wrong_tokens_served: number
}

/** What every node says its address is. */
export const PUBLIC_URL = 'http://127.0.0.1:4400'
/** Real waits, lifetimes short enough that tokens are renewed in the background meanwhile. */
export const ARENA = { timeScale: 1, accessSeconds: 60, perProfile: 4, nodes: 3, shim: false } as const
const BETWEEN_RESTARTS_MS = 500
const CALLER_RESTS_MS = 40

/** Three nodes behind a load balancer; each is stopped as a deployment stops it, and started again, under load. */
async function rollNodes(postgres: PostgresProcess, { restarts, callers, say }: RollingOptions): Promise<RollingReport> {
  const started = performance.now()
  const arena = await Arena.open({ ...ARENA, postgres, env: () => ({ EVERGRANT_PUBLIC_URL: PUBLIC_URL }) })
  const balancer = new Balancer(arena.nodes.map((node) => node.server.url))
  try {
    const traffic = await trafficOn(arena, balancer, callers)
    traffic.start()
    let failedRestarts = 0
    let drainMax = 0
    for (let turn = 0; turn < restarts; turn += 1) {
      await rest(BETWEEN_RESTARTS_MS)
      const { server, name } = arena.nodes[turn % arena.nodes.length] ?? arena.first
      const before = performance.now()
      const { code } = await server.stop(120_000)
      drainMax = Math.max(drainMax, performance.now() - before)
      if (code !== 0) {
        failedRestarts += 1
        say(`${name} ended with ${code}:\n${server.output().slice(-2_000)}`)
      }
      await server.start()
      say(`${turn + 1} restarts, ${traffic.sent} requests, ${traffic.failed.length} failed`)
    }
    await rest(BETWEEN_RESTARTS_MS)
    await traffic.stop()
    const { lost, wrong } = await judged(arena, say)
    for (const line of traffic.failed.slice(0, 20)) say(line)
    return {
      drill: 'rolling',
      nodes: arena.nodes.length,
      restarts,
      ...figuresOf(traffic),
      turned_to_another_node: balancer.refused,
      drain_ms_max: Math.round(drainMax),
      seconds: Math.round((performance.now() - started) / 1_000),
      failed_restarts: failedRestarts,
      failed_requests: traffic.failed.length,
      grants_lost: lost,
      wrong_tokens_served: wrong,
    }
  } finally {
    balancer.close()
    await arena.close()
  }
}

export async function trafficOn(arena: Arena, balancer: Balancer, callers: number, restMs: number = CALLER_RESTS_MS): Promise<Traffic> {
  const handedOut = (connection: string, answer: Answered, startedAt: number): void => {
    const node = arena.nodes.find(({ server }) => server.url === answer.node)?.name ?? ''
    const token = String(at(answer.body, 'access_token'))
    arena.ledger.handedOut({ connection, node, token, startedAt, receivedAt: performance.now(), cutOff: false })
  }
  const connections = arena.subjects.map(({ connection }) => connection)
  return Traffic.open({ balancer, publicUrl: PUBLIC_URL, key: arena.first.api.headers, connections, callers, restMs, handedOut })
}

export function figuresOf({ tally }: Traffic) {
  const of = (figure: (kind: Traffic['tally'][keyof Traffic['tally']]) => number) =>
    Object.fromEntries(Object.entries(tally).map(([kind, one]) => [kind, Math.round(figure(one))]))
  return { requests: of(({ sent }) => sent), slowest_ms: of(({ slowestMs }) => slowestMs) }
}

/** Every connection comes to rest; then what was lost, and which answers were wrong, by what the provider saw. */
export async function judged(arena: Arena, say: (line: string) => void): Promise<{ readonly lost: number; readonly wrong: number }> {
  await until('every node to be ready', async () => (await fetch(`${arena.first.server.url}/health/ready`)).ok)
  const findings = newFindings()
  say(await settle(arena, findings, { profile: 'scaled', say }))
  await arena.ledger.judge()
  for (const line of [...findings.unexplained, ...arena.ledger.wrong]) say(line)
  return { lost: findings.lost + findings.unexplained.length, wrong: arena.ledger.wrong.length }
}

export const drill: Drill = {
  help: '[--restarts 6] [--callers 4]\n\n  --restarts N  nodes that are restarted, one after the other (6: each of three twice)\n  --callers N   callers of each of five kinds (4)',
  run: async (args, say) => {
    const { values } = parseArgs({ args, options: { restarts: { type: 'string', default: '6' }, callers: { type: 'string', default: '4' } } })
    const options = { restarts: wholeNumber('restarts', values.restarts), callers: wholeNumber('callers', values.callers), say }
    const postgres = await PostgresProcess.start()
    try {
      const report = await rollNodes(postgres, options)
      say(JSON.stringify(report))
      return report.failed_restarts + report.failed_requests + report.grants_lost + report.wrong_tokens_served === 0
    } finally {
      await postgres.stop()
    }
  },
}
