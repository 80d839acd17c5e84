import type { SealedCursor, SealedSlice } from '../../core/operate/operations.ts'
import { sealedBy } from '../../core/operate/operations.ts'
import type { SealedValue } from '../../core/operate/reseals.ts'
import { boundTo, SEALED_PLACES, type SealedPlace } from '../../core/seal/sealed-places.ts'
import { type Program, row, rows, type SqlValue } from './program.ts'
import { bytesOrNull, text } from './rows.ts'

/** Rows that one look passes over: some milliseconds for either database. */
const SLICE = 2_000
/** Rows that are sealed anew in one transaction: it is over before anybody notices that it waited. */
const BATCH = 100
/** Format, length and the longest id of a key. */
const HEADER = 34

const named = (place: SealedPlace, alias = 't'): string => place.key.map((column) => `${alias}.${column}`).join(', ')
const marks = (place: SealedPlace): string => place.key.map(() => '?').join(', ')

/** Rows behind a key, in its order. A row value is compared column by column, as the index is ordered. */
function behind(place: SealedPlace): string {
  const only = place.only === undefined ? '' : ` and t.${place.only.column} in (${place.only.values.map((value) => `'${value}'`).join(', ')})`
  return `(${named(place)}) > (${marks(place)})${only}`
}

const ORGANIZATION: Readonly<Record<SealedPlace['organization'], string>> = {
  own: 't.organization_id',
  connection: '(select o.organization_id from connection o where o.id = t.connection_id)',
  integration: '(select o.organization_id from integration o where o.id = t.integration_id)',
  none: `''`,
}

function begin(cursor: SealedCursor | null): { readonly source: number; readonly place: SealedPlace | undefined; readonly after: readonly string[] } {
  const source = cursor?.source ?? 0
  const place = SEALED_PLACES[source]
  return { source, place, after: cursor === null || cursor.after.length === 0 ? (place?.key.map(() => '') ?? []) : cursor.after }
}

const nextPlace = (source: number): SealedCursor | null => (source + 1 < SEALED_PLACES.length ? { source: source + 1, after: [] } : null)

export function* sealedSlice(cursor: SealedCursor | null): Program<SealedSlice> {
  const { source, place, after } = begin(cursor)
  if (place === undefined) return { table: '', counts: new Map(), next: null }
  const headers = place.columns.map(({ column }, index) => `substr(t.${column}, 1, ${HEADER}) as h${index}`)
  const found = yield* rows(
    `select ${named(place)}, ${headers.join(', ')} from ${place.table} t where ${behind(place)} order by ${named(place)} limit ${SLICE}`,
    ...after,
  )
  const counts = new Map<string, number>()
  for (const value of found) {
    for (const index of place.columns.keys()) {
      const header = bytesOrNull(value, `h${index}`)
      const key = header === null ? null : sealedBy(header)
      if (key !== null) counts.set(key, (counts.get(key) ?? 0) + 1)
    }
  }
  const last = found.at(-1)
  const more = found.length === SLICE && last !== undefined
  return { table: place.table, counts, next: more ? { source, after: place.key.map((column) => text(last, column)) } : nextPlace(source) }
}

/** Format, length of the id and the id: what stands before everything that this key sealed. */
function headerOf(key: string): Uint8Array {
  return Uint8Array.of(1, key.length, ...[...key].map((letter) => letter.charCodeAt(0)))
}

/** Looks at a slice of rows at most, so that a table in which nothing is left to do costs as little at a time as any other. */
export function* sealedByOthers(
  cursor: SealedCursor | null,
  key: string,
): Program<{ readonly values: readonly SealedValue[]; readonly next: SealedCursor | null }> {
  const { source, place, after } = begin(cursor)
  if (place === undefined) return { values: [], next: null }
  const end = yield* row(`select ${named(place)} from ${place.table} t where ${behind(place)} order by ${named(place)} limit 1 offset ${SLICE - 1}`, ...after)
  const until = end === undefined ? null : place.key.map((column) => text(end, column))
  const header = headerOf(key)
  const others = place.columns.map(({ column }) => `(t.${column} is not null and substr(t.${column}, 1, ${header.length}) <> ?)`).join(' or ')
  const read = [
    named(place),
    ...place.beside.map((column) => `cast(t.${column} as text) as ${column}`),
    `${ORGANIZATION[place.organization]} as bound_organization`,
    ...place.columns.map(({ column }) => `t.${column} as ${column}`),
  ]
  const params: SqlValue[] = [...after, ...(until ?? []), ...place.columns.map(() => header)]
  const found = yield* rows(
    `select ${read.join(', ')} from ${place.table} t where ${behind(place)}${until === null ? '' : ` and (${named(place)}) <= (${marks(place)})`}
     and (${others}) order by ${named(place)} limit ${BATCH}`,
    ...params,
  )
  const values = found.flatMap((one) => valuesOf(source, place, one, key))
  const last = found.at(-1)
  if (found.length === BATCH && last !== undefined) return { values, next: { source, after: place.key.map((column) => text(last, column)) } }
  return { values, next: until === null ? nextPlace(source) : { source, after: until } }
}

function valuesOf(source: number, place: SealedPlace, found: Readonly<Record<string, unknown>>, key: string): readonly SealedValue[] {
  const named = Object.fromEntries([...place.key, ...place.beside].map((column) => [column, String(found[column] ?? '')]))
  const organization = text(found, 'bound_organization') ?? ''
  return place.columns.flatMap((column) => {
    const sealed = bytesOrNull(found, column.column)
    const by = sealed === null ? null : sealedBy(sealed)
    if (sealed === null || by === null || by === key) return []
    return [
      {
        source,
        column: column.column,
        key: place.key.map((name) => text(found, name)),
        sealed,
        context: boundTo(column, organization, named),
      },
    ]
  })
}
