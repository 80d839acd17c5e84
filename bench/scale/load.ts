import { Worker } from 'node:worker_threads'
import { openNode } from '../../packages/evergrant/src/compose-node.ts'
import { readConfig } from '../../packages/evergrant/src/config.ts'
import type { OrganizationId } from '../../packages/evergrant/src/core/ids.ts'
import { seedConnections } from '../seed.ts'
import { scaleRecord } from './provider-record.ts'
import type { SealedBatch, SealingWork } from './sealing-worker.ts'
import type { SideDatabase } from './side-database.ts'
import type { SideRow } from './value.ts'

const BATCH = 2_000
const SEALERS = 2
const AHEAD = 3
/** So long that nothing is due before the bench makes it due. */
const LIFETIME_MS = 48 * 3_600_000
/** Token requests at once; the bench measures the server, not this brake. */
const CONCURRENCY = 1_000

interface LoadPlan {
  /** Environment of the servers that will use the database. */
  readonly env: Readonly<Record<string, string>>
  readonly masterKeys: string
  readonly count: number
  readonly open: () => Promise<SideDatabase>
}

export interface Loaded {
  readonly organization: OrganizationId
  readonly seconds: number
  readonly bytes: number
}

/** Fills a new database with `count` connections whose tokens are really sealed. Nothing is due. */
export async function load(plan: LoadPlan): Promise<Loaded> {
  const started = performance.now()
  await makeTemplate(plan)
  const side = await plan.open()
  try {
    const template = await readTemplate(side)
    const organization = template.connection.organization_id as OrganizationId
    await fill(plan, side, template, organization)
    // A database that grew to this size has told long ago how each connection was made.
    await side.query('delete from event_outbox')
    await side.settle()
    return { organization, seconds: (performance.now() - started) / 1_000, bytes: await side.bytes() }
  } finally {
    await side.close()
  }
}

/** The schema, the keys, one organization, one integration and one connection, made by the product itself. */
async function makeTemplate({ env }: LoadPlan): Promise<void> {
  const log = { info: () => {}, warn: () => {}, error: (_: unknown, message: string) => console.error(message) }
  const node = await openNode(readConfig(env, { development: true }), log)
  await seedConnections(node, scaleRecord('http://127.0.0.1'), { count: 1, concurrency: CONCURRENCY, slug: 'default' })
  await node.journal.close()
  await node.marks.close()
  await node.membership.leave()
  await node.store.close()
}

interface Template {
  readonly connection: SideRow
  readonly health: SideRow
  readonly credential: SideRow
  readonly event: SideRow
  readonly root: Uint8Array
}

/** Every other row is a copy of these, so that a new column needs nothing here. */
async function readTemplate(side: SideDatabase): Promise<Template> {
  const one = async (sql: string): Promise<SideRow> => {
    const [row] = await side.query(sql)
    if (row === undefined) throw new Error(`nothing found: ${sql}`)
    return row
  }
  const root = (await one("select value from meta where name = 'seal_root'")).value
  if (!(root instanceof Uint8Array)) throw new Error('the database has no sealed root')
  const template = {
    connection: await one('select * from connection'),
    health: await one('select * from health'),
    credential: await one('select * from credential'),
    event: await one("select * from event where type = 'connection.created'"),
    root,
  }
  await side.query('update health set due_at = null')
  return template
}

async function fill(plan: LoadPlan, side: SideDatabase, template: Template, organization: OrganizationId): Promise<void> {
  const work: SealingWork = {
    masterKeys: plan.masterKeys,
    root: new Uint8Array(template.root),
    organization,
    obtainedAt: Date.now(),
    lifetimeMs: LIFETIME_MS,
  }
  // The template is one of them.
  const count = plan.count - 1
  const batches = Math.ceil(count / BATCH)
  const sealers = Array.from({ length: Math.min(SEALERS, batches) }, () => new Worker(new URL('./sealing-worker.ts', import.meta.url), { workerData: work }))
  const tables = (['connection', 'health', 'credential', 'event'] as const).map((name) => ({ name, columns: Object.keys(template[name]) }))
  try {
    for await (const batch of sealedBatches(sealers, count)) {
      const rows = batch.connections.map((sealed, offset) => rowsOf(template, sealed, batch.first + offset))
      for (const { name, columns } of tables) {
        const values = rows.map((row) => columns.map((column) => row[name][column] ?? null))
        await side.insertMany(name, columns, values)
      }
    }
  } finally {
    await Promise.all(sealers.map((sealer) => sealer.terminate()))
  }
}

function rowsOf(
  template: Template,
  { id, event, credential }: SealedBatch['connections'][number],
  index: number,
): Record<'connection' | 'health' | 'credential' | 'event', SideRow> {
  return {
    connection: { ...template.connection, id, owner: `owner-of-connection-${index}`, account: `account-${index}` },
    health: { ...template.health, connection_id: id, due_at: credential.softAt },
    credential: {
      ...template.credential,
      connection_id: id,
      access_token: credential.accessToken,
      refresh_token: credential.refreshToken,
      fingerprint: credential.fingerprint,
      obtained_at: credential.obtainedAt,
      access_expires_at: credential.accessExpiresAt,
      soft_at: credential.softAt,
      hard_at: credential.hardAt,
    },
    event: { ...template.event, id: event, connection_id: id },
  }
}

/** Keeps every sealer a few batches ahead of the inserts; batches arrive in any order. */
async function* sealedBatches(sealers: readonly Worker[], count: number): AsyncGenerator<SealedBatch> {
  const ready: { readonly sealer: Worker; readonly batch: SealedBatch }[] = []
  let wake = () => {}
  let failure: unknown = null
  let asked = 0
  const ask = (sealer: Worker) => {
    if (asked >= count) return
    sealer.postMessage({ first: asked, count: Math.min(BATCH, count - asked) })
    asked += BATCH
  }
  for (const sealer of sealers) {
    sealer.on('message', (batch: SealedBatch) => {
      ready.push({ sealer, batch })
      wake()
    })
    sealer.on('error', (error) => {
      failure = error
      wake()
    })
    for (let ahead = 0; ahead < AHEAD; ahead += 1) ask(sealer)
  }
  for (let given = 0; given < count; ) {
    const next = ready.shift()
    if (failure !== null) throw failure
    if (next === undefined) {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
      continue
    }
    ask(next.sealer)
    given += next.batch.connections.length
    yield next.batch
  }
}
