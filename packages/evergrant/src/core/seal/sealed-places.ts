import type { SealContext } from './seal.ts'

/** One column with sealed values, and the words they are bound by. */
interface SealedColumn {
  readonly column: string
  /** As its services bind it: `{name}` stands for a column of the row. Most say the table and the column themselves. */
  readonly binds: { readonly table: string; readonly row: string; readonly column: string }
}

/** A table with sealed values, as far as finding them, opening them and putting them back needs it. */
export interface SealedPlace {
  readonly table: string
  /** The primary key, in its order. All of text. */
  readonly key: readonly string[]
  readonly columns: readonly SealedColumn[]
  /** `own`: the column `organization_id`. `connection` and `integration`: that of the row it belongs to. `none`: of the server itself. */
  readonly organization: 'own' | 'connection' | 'integration' | 'none'
  /** Columns beside the key that `binds.row` names. */
  readonly beside: readonly string[]
  /** Only these rows hold sealed values. */
  readonly only?: { readonly column: string; readonly values: readonly string[] }
}

function place(
  table: string,
  columns: readonly string[],
  { key = ['id'], row = `{${key.join('}#{')}}`, ...rest }: Partial<SealedPlace> & { readonly row?: string } = {},
): SealedPlace {
  return {
    table,
    key,
    columns: columns.map((column) => ({ column, binds: { table, row, column } })),
    organization: rest.organization ?? 'own',
    beside: rest.beside ?? [],
    ...(rest.only === undefined ? {} : { only: rest.only }),
  }
}

/** Two columns that are bound by other words than their own. */
function bound(at: SealedPlace, binds: Readonly<Record<string, Partial<SealedColumn['binds']>>>): SealedPlace {
  return { ...at, columns: at.columns.map((one) => ({ ...one, binds: { ...one.binds, ...binds[one.column] } })) }
}

const ofServer = { organization: 'none' } as const

/**
 * Every column of the schema that holds sealed values, in the order in which they are sealed anew. The root of the seal comes
 * last: as long as a key seals it, a node without that key does not start. A test compares this with the schema.
 */
export const SEALED_PLACES: readonly SealedPlace[] = [
  place('integration', ['client_secret']),
  place('credential', ['access_token', 'refresh_token'], {
    key: ['connection_id'],
    row: '{connection_id}#{generation}',
    organization: 'connection',
    beside: ['generation'],
  }),
  place('answer', ['body'], { key: ['intent_id'] }),
  bound(
    place('revocation', ['staged_access_token', 'staged_refresh_token'], {
      row: '{connection_id}#{staged_generation}',
      beside: ['connection_id', 'staged_generation'],
    }),
    {
      staged_access_token: { table: 'credential', column: 'access_token' },
      staged_refresh_token: { table: 'credential', column: 'refresh_token' },
    },
  ),
  place('connect_session', ['flow_secret', 'staged']),
  bound(place('idempotency_key', ['body'], { key: ['organization_id', 'key'], row: '{key}' }), { body: { table: 'idempotency' } }),
  bound(place('push_secret', ['secret', 'secret_before'], { key: ['integration_id'], organization: 'integration' }), { secret_before: { column: 'secret' } }),
  place('push_notice', ['code']),
  place('pushed_code', ['code'], { key: ['integration_id', 'code_key'], organization: 'integration' }),
  place('signing_key', ['private_key'], ofServer),
  place('factor', ['secret'], ofServer),
  bound(place('webhook', ['secret', 'previous_secret']), { previous_secret: { column: 'secret' } }),
  place('channel', ['sealed']),
  place('meta', ['value'], { key: ['name'], ...ofServer, only: { column: 'name', values: ['seal_root', 'vapid_keys'] } }),
]

/** What a sealed value of this row is bound to. `values`: the columns by name. */
export function boundTo(column: SealedColumn, organization: string, values: Readonly<Record<string, string>>): SealContext {
  const { table, row, column: name } = column.binds
  return { organization, table, row: row.replaceAll(/\{(\w+)\}/g, (_, key: string) => values[key] ?? ''), column: name }
}
