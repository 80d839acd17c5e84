import type { SealedCursor, SealedSlice } from '../../core/operate/operations.ts'
import { sealedBy } from '../../core/operate/operations.ts'
import type { Reseal, Reseals, SealedValue, Swap } from '../../core/operate/reseals.ts'
import { boundTo, SEALED_PLACES } from '../../core/seal/sealed-places.ts'
import type { Tables } from './tables.ts'

const BATCH = 100

/** One sealed value where it lies: how to read it, and how to put another in its place. */
interface Held {
  readonly source: number
  readonly column: string
  readonly key: string
  readonly sealed: Uint8Array
  readonly organization: string
  readonly beside: Readonly<Record<string, string>>
  put(sealed: Uint8Array): void
}

const sourceOf = (table: string): number => SEALED_PLACES.findIndex((place) => place.table === table)

/** Of the tables that simulations fill: credentials, integrations, signing keys, and what the database knows of itself. */
function* held(tables: Tables): Generator<Held> {
  for (const [id, { integration, removed }] of tables.integrations) {
    const { clientSecret: sealed, organization } = integration
    const put = (clientSecret: Uint8Array) => void tables.integrations.set(id, { integration: { ...integration, clientSecret }, removed })
    if (sealed !== null) yield { source: sourceOf('integration'), column: 'client_secret', key: id, sealed, organization, beside: {}, put }
  }
  for (const row of tables.connections.all()) {
    const { connection, credential } = row.grant
    const own = {
      source: sourceOf('credential'),
      key: connection.id,
      organization: connection.organization,
      beside: { generation: String(credential.generation) },
    }
    const { accessToken, refreshToken } = credential
    const change = (changed: { readonly accessToken?: Uint8Array; readonly refreshToken?: Uint8Array }) => {
      const now = tables.connections.get(connection.id)
      if (now !== undefined) tables.connections.change(now, { credential: changed })
    }
    if (accessToken !== null) yield { ...own, column: 'access_token', sealed: accessToken, put: (sealed) => change({ accessToken: sealed }) }
    if (refreshToken !== null) yield { ...own, column: 'refresh_token', sealed: refreshToken, put: (sealed) => change({ refreshToken: sealed }) }
  }
  for (const key of tables.signingKeys.values()) {
    const put = (privateKey: Uint8Array) => void tables.signingKeys.set(key.id, { ...key, privateKey })
    if (key.privateKey !== null)
      yield { source: sourceOf('signing_key'), column: 'private_key', key: key.id, sealed: key.privateKey, organization: '', beside: {}, put }
  }
  for (const [name, sealed] of tables.meta) {
    yield { source: sourceOf('meta'), column: 'value', key: name, sealed, organization: '', beside: {}, put: (value) => void tables.meta.set(name, value) }
  }
}

export function sealedValues(tables: Tables, cursor: SealedCursor | null): SealedSlice {
  const source = cursor?.source ?? 0
  const counts = new Map<string, number>()
  for (const one of held(tables)) {
    const key = one.source === source ? sealedBy(one.sealed) : null
    if (key !== null) counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  const next = source + 1 < SEALED_PLACES.length ? { source: source + 1, after: [] } : null
  return { table: SEALED_PLACES[source]?.table ?? '', counts, next }
}

function byOthers(tables: Tables, cursor: SealedCursor | null, key: string): Awaited<ReturnType<Reseals['sealedByOthers']>> {
  const [source, after] = [cursor?.source ?? 0, cursor?.after[0] ?? '']
  const place = SEALED_PLACES[source]
  if (place === undefined) return { values: [], next: null }
  const behind = [...held(tables)].filter((one) => one.source === source && one.key > after).sort((left, right) => (left.key < right.key ? -1 : 1))
  const others = behind.filter(({ sealed }) => ![null, key].includes(sealedBy(sealed)))
  const last = others[BATCH - 1]?.key
  const values = others
    .filter((one) => last === undefined || one.key <= last)
    .flatMap((one): readonly SealedValue[] => {
      const column = place.columns.find(({ column }) => column === one.column)
      const named = { ...one.beside, [place.key[0] ?? '']: one.key }
      return column === undefined ? [] : [{ source, column: one.column, key: [one.key], sealed: one.sealed, context: boundTo(column, one.organization, named) }]
    })
  if (last !== undefined) return { values, next: { source, after: [last] } }
  return { values, next: source + 1 < SEALED_PLACES.length ? { source: source + 1, after: [] } : null }
}

function swap(tables: Tables, { source, column, key, was, is }: Swap): number {
  for (const one of held(tables)) {
    if (one.source !== source || one.column !== column || one.key !== key[0] || one.sealed !== was) continue
    one.put(is)
    return 1
  }
  return 0
}

const FRESH = { total: null, done: 0, unopened: 0, touched: 0, cursor: null, holder: null, heldUntil: 0, finishedAt: null } as const

export function resealsPart(tables: Tables): Reseals {
  const jobs = tables.reseals
  const open = (key: string): Reseal | undefined => {
    const job = jobs.get(key)
    return job?.finishedAt === null ? job : undefined
  }
  const write = (job: Reseal): Reseal => {
    jobs.set(job.key, job)
    return job
  }
  return {
    start: async (wanted, event) => {
      const going = open(wanted.key)
      if (going !== undefined) return going
      for (const job of jobs.values()) if (job.finishedAt === null) write({ ...job, finishedAt: wanted.startedAt })
      tables.append(event)
      return write({ ...wanted, ...FRESH })
    },
    latest: async () => [...jobs.values()].sort((left, right) => right.startedAt - left.startedAt)[0],
    claim: async (key, holder, now, until) => {
      const job = open(key)
      return job === undefined || (job.holder !== null && job.holder !== holder && job.heldUntil > now)
        ? undefined
        : write({ ...job, holder, heldUntil: until })
    },
    count: async (key, total) => {
      const job = jobs.get(key)
      if (job !== undefined && job.total === null) write({ ...job, total })
    },
    sealedByOthers: async (cursor, key) => byOthers(tables, cursor, key),
    advance: async ({ key, holder, heldUntil, swaps, unopened, next }) => {
      const done = swaps.reduce((sum, one) => sum + swap(tables, one), 0)
      const job = open(key)
      if (job === undefined || job.holder !== holder) return undefined
      const before = job.cursor === null ? { unopened: 0, touched: 0 } : job
      return write({ ...job, done: job.done + done, unopened: before.unopened + unopened, touched: before.touched + swaps.length, cursor: next, heldUntil })
    },
    finish: async (key, at, event) => {
      const job = open(key)
      if (job === undefined || job.touched > 0 || job.cursor !== null) return false
      write({ ...job, finishedAt: at, holder: null })
      tables.append(event)
      return true
    },
    record: async (event) => tables.append(event),
  }
}
