import { randomBytes } from 'node:crypto'
import { at, type JsonClient } from '../packages/lab/src/http.ts'
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
  /** The largest number of exchanges that one round caused. */
  readonly exchanges: number
  /** The smallest number of readers who got the one new token. */
  readonly answered: number
  /** From the first request to the last answer, in milliseconds; the provider's own 1,500 among them. Median of the rounds. */
  readonly lastAnswerMs: number
}

/** A thousand readers of one expired connection at a provider that punishes reuse, over four processes on one PostgreSQL. */
export async function benchExpiredRead({ short }: { readonly short: boolean }): Promise<ExpiredRead> {
  return await withPostgres(async (databaseUrl) => {
    const env = { EVERGRANT_MASTER_KEYS: `k1:${randomBytes(32).toString('base64')}` }
    const bench = await Workbench.start({ timeScale: 1, profiles: { p4: 'P4' }, databaseUrl, env })
    try {
      const nodes = [bench.api]
      for (let node = 1; node < NODES; node += 1) nodes.push((await bench.addNode()).api)
      await bench.fault('p4', { kind: 'delay', ms: PROVIDER_MS, times: null })
      const rounds: Omit<ExpiredRead, 'reads' | 'nodes'>[] = []
      for (let round = 0; round < (short ? 2 : 5); round += 1) rounds.push(await oneRound(bench, nodes))
      return {
        reads: READS,
        nodes: NODES,
        exchanges: Math.max(...rounds.map((round) => round.exchanges)),
        answered: Math.min(...rounds.map((round) => round.answered)),
        lastAnswerMs: median(rounds.map((round) => round.lastAnswerMs)),
      }
    } finally {
      await bench.dispose()
    }
  })
}

async function oneRound(bench: Workbench, nodes: readonly JsonClient[]): Promise<Omit<ExpiredRead, 'reads' | 'nodes'>> {
  const held = await bench.hold('p4', 0)
  const before = (await bench.counts('p4')).refresh
  const started = performance.now()
  const replies = await Promise.all(Array.from({ length: READS }, (_, read) => nodes[read % nodes.length]?.get(`/connections/${held.connection}/token`)))
  const lastAnswerMs = performance.now() - started
  const token = at((await bench.token(held)).body, 'access_token')
  const answered = replies.filter((reply) => reply?.status === 200 && at(reply.body, 'access_token') === token && at(reply.body, 'generation') === 2).length
  return { exchanges: (await bench.counts('p4')).refresh - before, answered, lastAnswerMs }
}
