import { randomBytes } from 'node:crypto'
import { Agent, request } from 'node:http'
import { at } from '../packages/lab/src/http.ts'
import { Workbench } from '../packages/lab/src/workbench.ts'
import { median } from './figures.ts'
import { withPostgres } from './postgres.ts'

const READS = 1_000
const NODES = 4
/** The provider takes its time, so that every reader is there before the answer is. */
const PROVIDER_MS = 1_500

export interface ExpiredRead {
  readonly reads: number
  readonly nodes: number
  readonly rounds: number
  /** Exchanges of the grant in the round that was furthest from one. */
  readonly exchanges: number
  /** The smallest number of readers who got the one new token. */
  readonly answered: number
  /** What the others got, over all rounds: status and code, or the error of the socket. */
  readonly others: Readonly<Record<string, number>>
  /** From the first request to the last answer, in milliseconds; the provider's own 1,500 among them. Median of the rounds. */
  readonly lastAnswerMs: number
}

interface Round {
  readonly exchanges: number
  readonly answered: number
  readonly others: readonly string[]
  readonly lastAnswerMs: number
}

/** A thousand readers of one expired connection at a provider that punishes reuse, over four processes on one PostgreSQL. */
export async function benchExpiredRead({ short }: { readonly short: boolean }): Promise<ExpiredRead> {
  return await withPostgres(async (databaseUrl) => {
    const env = { EVERGRANT_MASTER_KEYS: `k1:${randomBytes(32).toString('base64')}` }
    const bench = await Workbench.start({ timeScale: 1, profiles: { p4: 'P4' }, databaseUrl, env })
    try {
      const nodes = [bench.server.url]
      for (let node = 1; node < NODES; node += 1) nodes.push((await bench.addNode()).server.url)
      await bench.fault('p4', { kind: 'delay', ms: PROVIDER_MS, times: null })
      const rounds: Round[] = []
      for (let round = 0; round < (short ? 2 : 5); round += 1) rounds.push(await oneRound(bench, nodes))
      return summary(rounds)
    } finally {
      await bench.dispose()
    }
  })
}

function summary(rounds: readonly Round[]): ExpiredRead {
  const worst = rounds.map((round) => round.exchanges).sort((a, b) => Math.abs(b - 1) - Math.abs(a - 1))[0] ?? 0
  const others: Record<string, number> = {}
  for (const said of rounds.flatMap((round) => round.others)) others[said] = (others[said] ?? 0) + 1
  return {
    reads: READS,
    nodes: NODES,
    rounds: rounds.length,
    exchanges: worst,
    answered: Math.min(...rounds.map((round) => round.answered)),
    others,
    lastAnswerMs: median(rounds.map((round) => round.lastAnswerMs)),
  }
}

async function oneRound(bench: Workbench, nodes: readonly string[]): Promise<Round> {
  const held = await bench.hold('p4', 0)
  const agent = new Agent({ keepAlive: false })
  const started = performance.now()
  const reads = Array.from({ length: READS }, (_, read) => {
    const node = nodes[read % nodes.length] ?? ''
    return readOnce(`${node}/api/v1/connections/${held.connection}/token`, bench.api.headers, agent)
  })
  const replies = await Promise.all(reads)
  const lastAnswerMs = performance.now() - started
  agent.destroy()
  const token = at((await bench.token(held)).body, 'access_token')
  const others = replies.filter(({ body }) => at(body, 'access_token') !== token || at(body, 'generation') !== 2).map(({ said }) => said)
  // The grant's own count: the background may have been first, which is as good.
  const exchanges = Number(at(await bench.truth(held), 'refresh_requests'))
  return { exchanges, answered: READS - others.length, others, lastAnswerMs }
}

interface Reply {
  readonly body: unknown
  /** Status and code, for those who got no token. */
  readonly said: string
}

/** Never rejects: a reader without an answer is a figure here, not the end of the run. */
function readOnce(url: string, headers: Readonly<Record<string, string>>, agent: Agent): Promise<Reply> {
  return new Promise((resolve) => {
    const failed = (error: Error) => resolve({ body: null, said: error.message })
    const sent = request(url, { agent, headers: { ...headers } }, (answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('error', failed)
      answer.on('end', () => {
        const body = parsed(Buffer.concat(chunks).toString('utf8'))
        resolve({ body, said: `${answer.statusCode} ${String(at(body, 'code') ?? '')}`.trim() })
      })
    })
    sent.on('error', failed)
    sent.end()
  })
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
