import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ServerProcess } from '../../packages/lab/src/server-process.ts'
import type { BenchPostgres } from '../postgres.ts'
import { type Loaded, load } from './load.ts'
import { type StrictProvider, startStrictProvider } from './provider.ts'
import { scaleProviderFile } from './provider-record.ts'
import { startServer } from './server-run.ts'
import { openSide, type SideDatabase } from './side-database.ts'

export interface Shape {
  readonly connections: number
  /** How many are made due for the claims, for the full-speed run, and how long that and the steady run may last. */
  readonly claimDue: number
  readonly fullSpeedDue: number
  readonly fullSpeedSeconds: number
  readonly steadySeconds: number
  readonly coldReads: number
}

/** One database full of connections, the environment of its servers, and the provider they renew at. */
export interface World {
  readonly loaded: Loaded
  readonly shape: Shape
  readonly env: Readonly<Record<string, string>>
  readonly dataDir: string
  readonly databaseUrl: string | null
  readonly where: { readonly file: string } | { readonly url: string }
  /** First process of the database server; null where there is none. */
  readonly databasePid: number | null
}

/** Loads a database for the length of `work`. */
export async function withWorld<Result>(shape: Shape, server: BenchPostgres | null, work: (world: World) => Promise<Result>): Promise<Result> {
  const databaseUrl = server?.url ?? null
  const root = mkdtempSync(join(tmpdir(), 'evergrant-scale-'))
  const dataDir = join(root, 'data')
  const masterKeys = `k1:${randomBytes(32).toString('base64')}`
  mkdirSync(join(root, 'providers'))
  writeProvider(join(root, 'providers'), 'http://127.0.0.1:9')
  const env = {
    EVERGRANT_DATA_DIR: dataDir,
    EVERGRANT_NODE_ID: 'scale-1',
    EVERGRANT_MASTER_KEYS: masterKeys,
    EVERGRANT_PROVIDERS_DIR: join(root, 'providers'),
    EVERGRANT_RATE_LIMIT_PER_KEY: '10000000',
    EVERGRANT_LOG_LEVEL: 'info',
    ...(databaseUrl === null ? {} : { EVERGRANT_DATABASE_URL: databaseUrl }),
  }
  const where = databaseUrl === null ? { file: join(dataDir, 'evergrant.db') } : { url: databaseUrl }
  try {
    const loaded = await load({ env, masterKeys, count: shape.connections, open: () => openSide(where) })
    return await work({ loaded, shape, env, dataDir, databaseUrl, where, databasePid: server?.pid ?? null })
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

export async function withSide<Result>(world: World, work: (side: SideDatabase) => Promise<Result>): Promise<Result> {
  const side = await openSide(world.where)
  try {
    return await work(side)
  } finally {
    await side.close()
  }
}

/** A provider that knows this run alone: its counts start at nothing. */
export async function withProvider<Result>(world: World, work: (provider: StrictProvider) => Promise<Result>): Promise<Result> {
  const provider = await startStrictProvider()
  writeProvider(world.env.EVERGRANT_PROVIDERS_DIR ?? '', provider.url)
  try {
    return await work(provider)
  } finally {
    await provider.stop()
  }
}

function writeProvider(folder: string, url: string): void {
  writeFileSync(join(folder, 'bench.json'), JSON.stringify(scaleProviderFile(url)))
}

/** `env`: other configuration than the world's own. */
export async function withServer<Result>(
  world: World,
  work: (server: ServerProcess, readyMs: number) => Promise<Result>,
  env: Readonly<Record<string, string>> = {},
): Promise<Result> {
  const { server, readyMs } = await startServer({ ...world.env, ...env }, world.dataDir)
  try {
    return await work(server, readyMs)
  } finally {
    await server.stop()
    await server.dispose()
  }
}
