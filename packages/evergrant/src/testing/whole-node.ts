import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Environment, readConfig } from '../config.ts'
import type { App } from '../http/schema.ts'
import { createEvergrant, type Evergrant, type ExtensionParts } from '../index.ts'
import type { Store } from '../store/index.ts'
import type { PeoplePlace } from './people.ts'

/** A node as it is served, on a database of its own; asked with `app.inject`. */
export interface WholeNode extends PeoplePlace {
  readonly evergrant: Evergrant
  /** Its data folder. */
  readonly folder: string
  readonly app: App
  readonly parts: ExtensionParts
  readonly services: ExtensionParts['services']
  readonly store: Store
  ask(method: string, url: string, credential: string | null, body?: unknown): Promise<NodeAnswer>
  close(): Promise<void>
}

export interface NodeAnswer {
  readonly status: number
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: tests read answers of many shapes
  readonly json: any
}

export interface WholeNodeOptions {
  readonly env?: Environment
  /** Beside those of the product. */
  readonly routes?: readonly ((app: App) => void)[]
}

export async function openWholeNode({ env = {}, routes = [] }: WholeNodeOptions = {}): Promise<WholeNode> {
  const folder = mkdtempSync(join(tmpdir(), 'evergrant-node-'))
  const limits = { EVERGRANT_RATE_LIMIT_PER_KEY: '1000000', EVERGRANT_RATE_LIMIT_PER_ADDRESS: '1000000' }
  const settings: Environment = { EVERGRANT_DATA_DIR: folder, EVERGRANT_LOG_LEVEL: 'silent', ...limits, ...env }
  let parts: ExtensionParts | undefined
  const evergrant = await createEvergrant(readConfig(settings, { development: false, readSecretFile: () => '' }), {
    records: [],
    routes: () => routes,
    ready: async (given) => {
      parts = given
    },
  })
  await evergrant.app.ready()
  if (parts === undefined) throw new Error('the node did not come up')
  const { app } = evergrant
  return {
    evergrant,
    folder,
    app,
    parts,
    store: parts.store,
    services: parts.services,
    ask: (method, url, credential, body) => ask(app, method, url, credential, body),
    close: async () => {
      await evergrant.close()
      rmSync(folder, { recursive: true })
    },
  }
}

async function ask(app: App, method: string, url: string, credential: string | null, body: unknown): Promise<NodeAnswer> {
  const answer = await app.inject({
    method: method as 'GET',
    url,
    headers: {
      ...(credential === null ? {} : { authorization: `Bearer ${credential}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
  })
  const isJson = /[/+]json(?:;|$)/.test(String(answer.headers['content-type'] ?? ''))
  return { status: answer.statusCode, text: answer.body, json: isJson && answer.body !== '' ? JSON.parse(answer.body) : null }
}
