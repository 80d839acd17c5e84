import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readConfig } from '../../packages/evergrant/src/config.ts'
import { createEvergrant } from '../../packages/evergrant/src/index.ts'
import { withPostgres } from '../postgres.ts'
import { openSide } from '../scale/side-database.ts'
import { fill } from './fill.ts'
import { QUESTIONS, type Question } from './questions.ts'

interface ConsoleRow {
  readonly question: string
  readonly kind: Question['kind']
  readonly times: number
  readonly p50Ms: number
  readonly p95Ms: number
}

export interface ConsoleFigures {
  readonly store: 'sqlite' | 'postgres'
  readonly connections: number
  readonly events: number
  readonly fillSeconds: number
  readonly rows: readonly ConsoleRow[]
}

const TIMES = 25

/** Every question several times, one after the other, of a whole node over HTTP. The first answer of each warms up and is not counted. */
export async function benchConsole({
  short,
  stores,
}: {
  readonly short: boolean
  readonly stores: readonly ('sqlite' | 'postgres')[]
}): Promise<readonly ConsoleFigures[]> {
  const figures: ConsoleFigures[] = []
  for (const store of stores) {
    const size = { connections: short ? 10_000 : 100_000, events: short ? 100_000 : 1_000_000 }
    figures.push(store === 'sqlite' ? await measured(store, null, size) : await withPostgres((url) => measured(store, url, size)))
  }
  return figures
}

async function measured(
  store: ConsoleFigures['store'],
  databaseUrl: string | null,
  size: { readonly connections: number; readonly events: number },
): Promise<ConsoleFigures> {
  const folder = mkdtempSync(join(tmpdir(), 'evergrant-bench-console-'))
  try {
    const env = {
      EVERGRANT_DATA_DIR: folder,
      EVERGRANT_MASTER_KEYS: `k1:${randomBytes(32).toString('base64')}`,
      EVERGRANT_PORT: '0',
      EVERGRANT_LOG_LEVEL: 'error',
      ...(databaseUrl === null ? {} : { EVERGRANT_DATABASE_URL: databaseUrl }),
    }
    const started = performance.now()
    const where = databaseUrl === null ? { file: join(folder, 'evergrant.db') } : { url: databaseUrl }
    const organization = await fill({ env, ...size, open: () => openSide(where) })
    const fillSeconds = (performance.now() - started) / 1_000
    const node = await createEvergrant(readConfig(env, { development: true }))
    try {
      const url = await node.listen()
      const key = await node.services.apiKeys.create(organization, { name: 'bench', scopes: ['admin'], expiresAt: null }, { kind: 'cli', id: null })
      const ask = asker(url, key.text)
      const rows: ConsoleRow[] = []
      for (const question of QUESTIONS) rows.push(await timed(question, ask))
      return { store, ...size, fillSeconds, rows }
    } finally {
      await node.drain()
      await node.close()
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

type Ask = (
  path: string,
) => Promise<{ readonly ms: number; readonly body: { readonly cursor?: string | null; readonly items?: readonly { readonly id: string }[] } }>

function asker(url: string, key: string): Ask {
  return async (path) => {
    const started = performance.now()
    const answer = await fetch(`${url}/api/v1/${path}`, { headers: { authorization: `Bearer ${key}` } })
    const text = await answer.text()
    const ms = performance.now() - started
    if (answer.status !== 200) throw new Error(`${path} was answered ${answer.status}: ${text.slice(0, 300)}`)
    return { ms, body: JSON.parse(text) }
  }
}

/** Where a question has pages, each answer asks for the next one, so that places deep in the list are asked for, too. */
async function timed({ name, kind, path, pages, pauseMs = 0 }: Question, ask: Ask): Promise<ConsoleRow> {
  const first = await ask('connections?limit=1')
  const filled = path.replace(':id', first.body.items?.[0]?.id ?? '')
  const times: number[] = []
  let cursor: string | null = null
  for (let index = 0; index <= TIMES; index += 1) {
    const { ms, body } = await ask(`${filled}${cursor === null ? '' : `${filled.includes('?') ? '&' : '?'}cursor=${cursor}`}`)
    if (index > 0) times.push(ms)
    if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs))
    cursor = pages ? (body.cursor ?? null) : null
  }
  const sorted = times.sort((left, right) => left - right)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN
  const row = { question: name, kind, times: TIMES, p50Ms: at(0.5), p95Ms: at(0.95) }
  console.log(`${name.padEnd(60)} p50 ${row.p50Ms.toFixed(1)} ms, p95 ${row.p95Ms.toFixed(1)} ms`)
  return row
}
