import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Evergrant } from '../../packages/sdk/src/node/agent/evergrant.ts'
import { FakeEvergrant } from '../../packages/sdk/src/testing/index.ts'
import { median } from '../figures.ts'

const CONNECTIONS = 100

export interface WarmRead {
  readonly connections: number
  /** Awaited one after the other. */
  readonly oneByOnePerSecond: number
  /** A hundred awaited together, one of each connection. */
  readonly togetherPerSecond: number
}

/** Reads of tokens that are fresh, each awaited. The server is a fake in this process, and is asked once for each connection. */
export async function benchWarmRead({ short }: { readonly short: boolean }): Promise<WarmRead> {
  const home = mkdtempSync(join(tmpdir(), 'evergrant-bench-sdk-'))
  const server = new FakeEvergrant()
  const ids = Array.from({ length: CONNECTIONS }, (_, index) => `con_${index}`)
  const expiresAt = new Date(Date.now() + 3_600_000).toISOString()
  for (const id of ids) server.connections.set(id, { id, generation: 1, expiresAt })
  const platform = { fetch: server.fetch, home, env: { EVERGRANT_KEYCHAIN: '0' } }
  const client = await Evergrant.connect({ server: server.url, enrolmentCode: server.code(), log: false, platform })
  try {
    const { token } = { token: (id: string) => client.connections.token(id) }
    await Promise.all(ids.map(token))
    const seconds = short ? 0.5 : 2
    const [one, together]: [number[], number[]] = [[], []]
    // The first round only warms up.
    for (let round = 0; round <= (short ? 2 : 5); round += 1) {
      const rates = [await rate(seconds, () => oneByOne(ids, token), ids.length), await rate(seconds, () => Promise.all(ids.map(token)), ids.length)] as const
      if (round === 0) continue
      one.push(rates[0])
      together.push(rates[1])
    }
    return { connections: CONNECTIONS, oneByOnePerSecond: median(one), togetherPerSecond: median(together) }
  } finally {
    await client.close()
    rmSync(home, { recursive: true, force: true })
  }
}

async function oneByOne(ids: readonly string[], token: (id: string) => Promise<unknown>): Promise<void> {
  for (const id of ids) await token(id)
}

async function rate(seconds: number, work: () => Promise<unknown>, each: number): Promise<number> {
  const started = performance.now()
  const end = started + seconds * 1_000
  let done = 0
  while (performance.now() < end) {
    await work()
    done += each
  }
  return (done * 1_000) / (performance.now() - started)
}
