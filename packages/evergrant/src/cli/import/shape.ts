import type { JsonObject } from '../../core/json.ts'
import { type ColumnMap, FIELDS, objectOf, valueAt } from './column-map.ts'
import type { LineProblem } from './problem.ts'

export const SHAPES = ['evergrant', 'nango', 'better-auth', 'table'] as const
export type ShapeName = (typeof SHAPES)[number]

/** Names that the provider's record knows. */
interface NamedValues {
  readonly variables: readonly string[]
  /** Those of them that the provider itself tells: facts. */
  readonly told: readonly string[]
}

/** How one kind of source writes a grant. What is mapped on the command line goes before. */
export interface Shape {
  readonly columns: ColumnMap
  /** Fields and columns that nobody mapped are handed on, so that a misspelt one is refused by name. */
  readonly handOn: boolean
  /** True for a row that is no grant: a password, a deleted connection. Counted, and no error. */
  skips(values: JsonObject): boolean
  /** Why this row's grant cannot be taken, when the shape knows; null to go on. */
  problem(values: JsonObject): LineProblem | null
  /** More than a column can say. */
  enrich(item: JsonObject, values: JsonObject, names: NamedValues): JsonObject
}

const PLAIN = { skips: () => false, problem: () => null, enrich: (item: JsonObject) => item }

/** The names of our own API. */
const evergrant: Shape = { ...PLAIN, columns: new Map(FIELDS.map((field) => [field, [field]])), handOn: true }

/** Only what is mapped. */
const table: Shape = { ...PLAIN, columns: new Map(), handOn: false }

/**
 * What `GET /connections/{id}` of Nango answers, or rows of its table `_nango_connections` in clear. The application's own name
 * of the person is the end user's id where it was told, else the connection id.
 */
const nango: Shape = {
  handOn: false,
  columns: new Map([
    ['integration', ['provider_config_key']],
    ['owner', ['end_user.id', 'tags.end_user_id', 'connection_id']],
    ['access_token', ['credentials.access_token']],
    ['refresh_token', ['credentials.refresh_token']],
    ['expires_at', ['credentials.expires_at']],
    ['scopes', ['credentials.raw.scope']],
    ['consented_at', ['created_at']],
    ['metadata', ['metadata']],
  ]),
  skips: (values) => valueAt(values, 'deleted_at') !== null || [true, 'true', 't', 1].some((yes) => valueAt(values, 'deleted') === yes),
  problem: nangoProblem,
  enrich: (item, values, { variables, told }) => {
    const config = objectOf(values['connection_config']) ?? {}
    const known = Object.entries(config).filter(([name, value]) => variables.includes(name) && typeof value === 'string' && value !== '')
    const facts = { ...Object.fromEntries(known.filter(([name]) => told.includes(name))), ...objectOf(item['facts']) }
    const id = valueAt(values, 'connection_id')
    return {
      ...item,
      variables: { ...Object.fromEntries(known.filter(([name]) => !told.includes(name))), ...objectOf(item['variables']) },
      ...(Object.keys(facts).length === 0 ? {} : { facts }),
      metadata: { ...objectOf(item['metadata']), ...(typeof id === 'string' ? { nango_connection_id: id } : {}) },
    }
  },
}

function nangoProblem(values: JsonObject): LineProblem | null {
  const credentials = objectOf(values['credentials'])
  if (credentials === null || credentials['encrypted_credentials'] !== undefined || valueAt(values, 'credentials_iv') !== null) {
    const detail = 'The credentials are missing or encrypted. Write one line for each connection from `GET /connections/{id}?provider_config_key=...` of Nango.'
    return { field: 'credentials', column: 'credentials', code: 'invalid_request', detail }
  }
  const type = credentials['type']
  if (type === undefined || type === null || type === 'OAUTH2') return null
  return {
    field: 'credentials',
    column: 'credentials.type',
    code: 'invalid_request',
    detail: 'Only grants of the type OAUTH2 are imported in bulk. Create connections with keys, passwords or client credentials one by one.',
  }
}

const either = (camel: string, snake: string): readonly string[] => [camel, snake]

/** Rows of better-auth's table `account`, whether its columns are written in camel or in snake case. */
const betterAuth: Shape = {
  ...PLAIN,
  handOn: false,
  columns: new Map([
    ['integration', either('providerId', 'provider_id')],
    ['owner', either('userId', 'user_id')],
    ['account', either('accountId', 'account_id')],
    ['access_token', either('accessToken', 'access_token')],
    ['refresh_token', either('refreshToken', 'refresh_token')],
    ['expires_at', either('accessTokenExpiresAt', 'access_token_expires_at')],
    ['refresh_expires_at', either('refreshTokenExpiresAt', 'refresh_token_expires_at')],
    ['scopes', ['scope']],
    ['consented_at', either('createdAt', 'created_at')],
  ]),
  // A password is no grant.
  skips: (values) => values['providerId'] === 'credential' || values['provider_id'] === 'credential',
}

const ALL: Readonly<Record<ShapeName, Shape>> = { evergrant, nango, 'better-auth': betterAuth, table }

export function shapeOf(name: ShapeName): Shape {
  return ALL[name]
}
