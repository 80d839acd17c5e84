/** One column of a table, as the catalogue of either database tells it. */
export interface Column {
  readonly table: string
  readonly name: string
  readonly kind: 'integer' | 'text' | 'bytes'
  readonly mayBeNull: boolean
  /** By itself it tells its row from all others. */
  readonly identity: boolean
  /** The table and column that it refers to. */
  readonly refersTo: { readonly table: string; readonly column: string } | null
}

export type Value = string | number | Uint8Array | null

/** A table with rows for it, in the order of its columns. */
export interface Filling {
  readonly table: string
  readonly columns: readonly string[]
  readonly rows: readonly (readonly Value[])[]
}

/** Every column is filled in the first, those that may be empty are in the last, and in between it goes by turns. */
const ROWS = 3

/** Tables that take one row only, or that a migration itself fills. */
const ONE_ROW = new Set(['lineage', 'signing_key_ring'])
/** Written by the database itself when a row of another table is. */
const KEPT_BY_TRIGGERS = new Set(['connection_tag', 'event_outbox'])

const LISTS = new Set([
  'tags',
  'scopes',
  'require_second_factor',
  'transports',
  'recipients',
  'types',
  'previous_thumbprints',
  'recoveries',
  'reissues',
  'methods',
  'recent',
  'connections',
  'conditions',
  'choices',
])
const OBJECTS = new Set(
  'metadata variables facts settings data policy policy_record recovery asked created_by about rule shown hints lock stopped_by suspended_by accepted_by decided_by closed_by counts progress started_by result public_jwk quiet blocked'.split(
    ' ',
  ),
)
/** What the columns must be that a check or a reader looks into: a column, or a column of one table. */
const SAID: Readonly<Record<string, (turn: number) => Value>> = {
  tags: (turn) => JSON.stringify(['shop', `tag-${turn}`]),
  'connection.state': () => 'active',
  'connection.revoke_rule': () => 'none',
  'connect_session.state': () => 'open',
  'push_notice.means': () => 'changed',
  'delivery.state': () => 'waiting',
  'signing_key.state': () => 'retired',
  'factor.kind': () => 'totp',
  'death_watch.decision': () => 'confirm',
  'lineage.trusted': () => 'trusted',
  'lineage.one': () => 1,
  'integration.removed_at': () => null,
  'connection.disconnected_at': () => null,
  'connection.purged_at': () => null,
  'session.revoked_at': () => null,
  'installation.head_id': (turn) => idOf('sdk_token', turn),
  'membership.role': () => 'owner',
  'event.type': () => 'connection.created',
  'event.connection_id': (turn) => idOf('connection', turn),
  'event.organization_id': () => idOf('organization', 0),
  fault: () =>
    JSON.stringify({
      code: 'provider_unavailable',
      at: 1,
      evidence: { intent: null, httpStatus: 503, providerCode: null, providerText: null, answerHash: null },
    }),
  organization_id: () => idOf('organization', 0),
}

const KIND_OF_ID: Readonly<Record<string, string>> = {
  organization: 'org',
  integration: 'int',
  connection: 'con',
  event: 'evt',
  person: 'usr',
  session: 'ses',
  agent: 'agt',
  installation: 'ins',
  api_key: 'key',
  webhook: 'whk',
  delivery: 'dlv',
  sdk_token: 'sdk',
}

/** The id of a row that was generated: typed, the same for the same turn. */
export function idOf(table: string, turn: number): string {
  return `${KIND_OF_ID[table] ?? table}_0192f000-0000-7000-8000-00000000000${turn}`
}

/**
 * Rows for every table, from the catalogue alone: a column that a migration adds is filled without a word here, unless a check wants something of it.
 * In an order in which no row refers to one that is not there yet.
 */
export function fillingsFor(columns: readonly Column[]): readonly Filling[] {
  const tables = new Map<string, Column[]>()
  for (const column of columns) tables.set(column.table, [...(tables.get(column.table) ?? []), column])
  return inOrder(tables)
    .filter((table) => !KEPT_BY_TRIGGERS.has(table) && table !== 'signing_key_ring')
    .map((table) => {
      const own = tables.get(table) ?? []
      const turns = ONE_ROW.has(table) ? [0] : Array.from({ length: ROWS }, (_, turn) => turn)
      return { table, columns: own.map(({ name }) => name), rows: turns.map((turn) => own.map((column) => valueFor(column, turn))) }
    })
}

function inOrder(tables: ReadonlyMap<string, readonly Column[]>): readonly string[] {
  const done: string[] = []
  const visit = (table: string, from: readonly string[]): void => {
    if (done.includes(table) || from.includes(table)) return
    for (const { refersTo } of tables.get(table) ?? []) if (refersTo !== null) visit(refersTo.table, [...from, table])
    done.push(table)
  }
  for (const table of tables.keys()) visit(table, [])
  return done
}

function valueFor(column: Column, turn: number): Value {
  const { table, name, kind, mayBeNull, identity, refersTo } = column
  if (mayBeNull && (turn === ROWS - 1 || (turn > 0 && name.length % 2 === 0))) return null
  const said = SAID[`${table}.${name}`] ?? (identity ? undefined : SAID[name])
  if (said !== undefined) return said(turn)
  if (refersTo !== null) return idOf(refersTo.table, turn)
  if (kind === 'integer') return 1_600_000_000_000 + turn
  if (kind === 'bytes') return new TextEncoder().encode(`${table}.${name}.${turn}`)
  if (name === 'id') return idOf(table, turn)
  if (LISTS.has(name)) return '[]'
  return OBJECTS.has(name) ? '{}' : `${table}.${name}.${turn}`
}

/** A row as a text that can be compared, whichever database answered. */
export function rowText(values: readonly unknown[]): string {
  return JSON.stringify(values.map((value) => (value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value)))
}

/** What a database says that holds these rows and no others, as `SchemaPlace.contents`. */
export function contentsOf(fillings: readonly Filling[]): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(fillings.map(({ table, rows }) => [table, rows.map(rowText).sort()]))
}
