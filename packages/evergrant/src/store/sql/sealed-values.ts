import { type SealedCursor, type SealedSlice, sealedBy } from '../../core/operate/operations.ts'
import { type Program, rows } from './program.ts'
import { bytesOrNull, text } from './rows.ts'

/** Where sealed values lie: table, its key, columns. */
export const SEALED_COLUMNS: readonly { readonly table: string; readonly key: string; readonly columns: readonly string[] }[] = [
  { table: 'meta', key: 'name', columns: ['value'] },
  { table: 'integration', key: 'id', columns: ['client_secret'] },
  { table: 'credential', key: 'connection_id', columns: ['access_token', 'refresh_token'] },
  { table: 'answer', key: 'intent_id', columns: ['body'] },
  { table: 'revocation', key: 'id', columns: ['staged_access_token', 'staged_refresh_token'] },
  { table: 'connect_session', key: 'id', columns: ['flow_secret', 'staged'] },
  { table: 'push_secret', key: 'integration_id', columns: ['secret', 'secret_before'] },
  { table: 'push_notice', key: 'id', columns: ['code'] },
  { table: 'signing_key', key: 'id', columns: ['private_key'] },
  { table: 'factor', key: 'id', columns: ['secret'] },
  { table: 'webhook', key: 'id', columns: ['secret', 'previous_secret'] },
  { table: 'channel', key: 'id', columns: ['sealed'] },
]
/** Some milliseconds for either database. */
const SLICE = 2_000
/** Format, length and the longest id of a key. */
const HEADER = 34

export function* sealedSlice(cursor: SealedCursor | null): Program<SealedSlice> {
  const { source, after } = cursor ?? { source: 0, after: '' }
  const place = SEALED_COLUMNS[source]
  if (place === undefined) return { counts: new Map(), next: null }
  const headers = place.columns.map((column, index) => `substr(${column}, 1, ${HEADER}) as h${index}`)
  const found = yield* rows(
    `select ${place.key} as row_key, ${headers.join(', ')} from ${place.table} where ${place.key} > ? order by ${place.key} limit ${SLICE}`,
    after,
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
  if (found.length === SLICE && last !== undefined) return { counts, next: { source, after: text(last, 'row_key') } }
  return { counts, next: source + 1 < SEALED_COLUMNS.length ? { source: source + 1, after: '' } : null }
}
