import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import { CommandFailure, EXIT } from '../exit-code.ts'

/** What a grant is made of; `variables`, `facts` and `metadata` may also be filled name by name (`variables.shop`). */
export const FIELDS = [
  'integration',
  'owner',
  'account',
  'account_label',
  'access_token',
  'refresh_token',
  'token_type',
  'expires_at',
  'refresh_expires_at',
  'scopes',
  'consented_at',
  'metadata',
  'tags',
  'variables',
  'facts',
] as const
export const OBJECT_FIELDS: readonly string[] = ['variables', 'facts', 'metadata']

/** Which columns fill a field, by its name; the first that holds something counts. A column may be a path: `credentials.raw.scope`. */
export type ColumnMap = ReadonlyMap<string, readonly string[]>

export interface Mapping {
  readonly columns: ColumnMap
  /** What the source calls an integration, and its slug or id here. */
  readonly integrations: ReadonlyMap<string, string>
  /** Every line belongs to this one. */
  readonly integration: string | null
}

/**
 * Reads `--map owner=user_id,integration=provider:strava=my-strava:google=my-google` and `--integration`, which is one slug
 * for all lines, or `value=slug` pairs. @throws CommandFailure that names the mistake
 */
export function readMapping(maps: readonly string[], integrationOptions: readonly string[]): Mapping {
  const columns = new Map<string, readonly string[]>()
  const integrations = new Map<string, string>()
  let integration: string | null = null
  for (const entry of maps.flatMap((map) => map.split(',')).filter((text) => text.trim() !== '')) {
    const [field, rest] = cut(entry.trim(), '=')
    if (rest === null || rest === '') throw usage(`--map: '${entry}' is not field=column`)
    if (!isField(field)) throw usage(`--map: a grant has no field '${field}'. Fields: ${FIELDS.join(', ')}, and names in ${OBJECT_FIELDS.join('., ')}.`)
    const [column = '', ...pairs] = rest.split(':')
    if (pairs.length > 0 && field !== 'integration') throw usage(`--map: '${entry}': only the integration's values are mapped`)
    for (const pair of pairs) addPair(integrations, pair, '--map')
    columns.set(field, [column])
  }
  for (const option of integrationOptions) {
    if (option.includes('=')) addPair(integrations, option, '--integration')
    else if (integration === null) integration = option
    else throw usage(`--integration: say one slug for all lines, or value=slug for each`)
  }
  return { columns, integrations, integration }
}

function addPair(into: Map<string, string>, pair: string, option: string): void {
  const [value, slug] = cut(pair, '=')
  if (slug === null || slug === '' || value === '') throw usage(`${option}: '${pair}' is not value=slug`)
  into.set(value, slug)
}

function isField(field: string): boolean {
  const [name, inner] = cut(field, '.')
  return FIELDS.some((known) => known === name) && (inner === null || (OBJECT_FIELDS.includes(name) && inner !== ''))
}

function cut(text: string, separator: string): readonly [string, string | null] {
  const at = text.indexOf(separator)
  return at === -1 ? [text, null] : [text.slice(0, at), text.slice(at + 1)]
}

function usage(message: string): CommandFailure {
  return new CommandFailure(EXIT.usage, message)
}

/**
 * That each column which was named with `--map` is there: a misspelt one would otherwise be an empty field of every line.
 * @throws CommandFailure that names it, and none of those that are there: the first line of a file without a header holds tokens
 */
export function requireColumns(values: JsonObject, columns: ColumnMap): void {
  for (const [field, paths] of columns) {
    for (const path of paths) {
      if (Object.hasOwn(values, path) || Object.hasOwn(values, cut(path, '.')[0])) continue
      throw usage(
        `--map ${field}=${path}: there is no column '${path}'. Write its name letter by letter as the table, or the first line of the CSV file, has it. What parts the fields of a file is said with --delimiter.`,
      )
    }
  }
}

/** A column's value, or, where no column has this name, what the path leads to; JSON that stands in a text column is read. Null: nothing there. */
export function valueAt(values: JsonObject, path: string): JsonValue {
  if (Object.hasOwn(values, path)) return present(values[path])
  const [head, rest] = cut(path, '.')
  if (rest === null || !Object.hasOwn(values, head)) return null
  const inner = objectOf(values[head])
  return inner === null ? null : valueAt(inner, rest)
}

/** An object, also one that is written as text. */
export function objectOf(value: JsonValue | undefined): JsonObject | null {
  if (isJsonObject(value)) return value
  if (typeof value !== 'string' || !value.trimStart().startsWith('{')) return null
  try {
    const read: JsonValue = JSON.parse(value)
    return isJsonObject(read) ? read : null
  } catch {
    return null
  }
}

function present(value: JsonValue | undefined): JsonValue {
  return value === undefined || value === '' ? null : value
}

/** The first of these columns that holds something. */
export function firstOf(values: JsonObject, paths: readonly string[]): { readonly value: JsonValue; readonly column: string | null } {
  for (const column of paths) {
    const value = valueAt(values, column)
    if (value !== null) return { value, column }
  }
  return { value: null, column: paths[0] ?? null }
}
