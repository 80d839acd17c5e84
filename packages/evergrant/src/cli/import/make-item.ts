import type { JsonObject, JsonValue } from '../../core/json.ts'
import { type ColumnMap, firstOf, type Mapping, OBJECT_FIELDS, objectOf } from './column-map.ts'
import type { Fernet } from './fernet.ts'
import { fieldValue } from './field-values.ts'
import type { LineProblem } from './problem.ts'
import type { Shape } from './shape.ts'

/** The integrations of the server, as lines may name them. */
export interface KnownIntegrations {
  /** Variable names of the provider of this slug or id; undefined when there is no such integration. */
  variables(slugOrId: string): readonly string[] | undefined
  /** Those of them that the provider itself tells. */
  told(slugOrId: string): readonly string[]
  isProvider(name: string): boolean
  readonly slugs: readonly string[]
}

export interface ItemMaker {
  readonly shape: Shape
  readonly mapping: Mapping
  readonly known: KnownIntegrations
  /** Opens token columns; null: they are plain. */
  readonly fernet: Fernet | null
}

type MadeItem =
  | { readonly kind: 'item'; readonly item: JsonObject; readonly columns: ReadonlyMap<string, string> }
  | { readonly kind: 'skipped' }
  | { readonly kind: 'problem'; readonly problem: LineProblem }

const TOKENS: readonly string[] = ['access_token', 'refresh_token']

/** One row as the API takes it: mapped, opened, its times and lists in the API's form. Never throws for what a row holds. */
export function makeItem(values: JsonObject, maker: ItemMaker): MadeItem {
  const { shape, mapping } = maker
  if (shape.skips(values)) return { kind: 'skipped' }
  const problem = shape.problem(values)
  if (problem !== null) return { kind: 'problem', problem }
  const map: ColumnMap = new Map([...shape.columns, ...mapping.columns])
  const item: Record<string, JsonValue> = {}
  const columns = new Map<string, string>()
  for (const [field, paths] of map) {
    const { value, column } = firstOf(values, paths)
    if (column !== null) columns.set(field, column)
    if (value === null || (field === 'integration' && mapping.integration !== null)) continue
    const read = readField(field, value, maker)
    if (read === undefined) return { kind: 'problem', problem: nonsense(field, column, maker) }
    put(item, field, read)
  }
  const integration = integrationOf(item['integration'], columns.get('integration') ?? null, maker)
  if (typeof integration !== 'string') return { kind: 'problem', problem: integration }
  for (const [name, value] of Object.entries(shape.handOn ? unmapped(values, map) : {})) put(item, name, value)
  const whole = { ...item, integration }
  const names = { variables: maker.known.variables(integration) ?? [], told: maker.known.told(integration) }
  return { kind: 'item', item: shape.enrich(whole, values, names), columns }
}

function readField(field: string, value: JsonValue, { fernet }: ItemMaker): JsonValue | undefined {
  if (fernet !== null && TOKENS.includes(field)) return typeof value === 'string' ? fernet.open(value) : undefined
  return fieldValue(field, value)
}

function put(item: Record<string, JsonValue>, field: string, value: JsonValue): void {
  const [outer = '', ...inner] = field.split('.')
  if (inner.length === 0) item[outer] = OBJECT_FIELDS.includes(outer) ? { ...objectOf(value), ...objectOf(item[outer]) } : value
  else item[outer] = { ...objectOf(item[outer]), [inner.join('.')]: value }
}

/** Everything that no field took: `metadata.plan` of a CSV header counts as `metadata`. */
function unmapped(values: JsonObject, map: ColumnMap): JsonObject {
  const taken = new Set([...map.values()].flat())
  const rest: Record<string, JsonValue> = {}
  for (const [name, value] of Object.entries(values)) {
    if (taken.has(name) || value === null) continue
    const [outer = ''] = name.split('.')
    if (name.includes('.') && OBJECT_FIELDS.includes(outer)) put(rest, name, value)
    else rest[name] = value
  }
  return rest
}

function integrationOf(value: JsonValue | undefined, column: string | null, { mapping, known }: ItemMaker): string | LineProblem {
  if (mapping.integration !== null) return mapping.integration
  const refuse = (detail: string): LineProblem => ({ field: 'integration', column, code: 'invalid_request', detail })
  if (typeof value !== 'string') return refuse('The line names no integration. Say --integration <slug> for all lines, or map the column that does.')
  const slug = mapping.integrations.get(value) ?? value
  if (known.variables(slug) !== undefined) return slug
  // Told only when it is the name of a provider: where columns were mixed up, it may be a token.
  const which = known.isProvider(value) ? `\`${value}\` is a provider and no integration here` : 'No integration is called what this line says'
  return refuse(`${which}. Say --integration <what the line says>=<slug>; there are: ${known.slugs.join(', ') || 'none'}.`)
}

const TIMES: readonly string[] = ['expires_at', 'refresh_expires_at', 'consented_at']

function nonsense(field: string, column: string | null, { fernet }: ItemMaker): LineProblem {
  const at = { field, column, code: 'invalid_request' }
  if (TOKENS.includes(field)) {
    return fernet === null
      ? { ...at, detail: `\`${field}\` must be text.` }
      : {
          ...at,
          code: 'seal_broken',
          detail: `\`${field}\` is no Fernet token of the key that was given. Is it plain text, or sealed with an older key? Several keys may be given.`,
        }
  }
  if (TIMES.includes(field)) return { ...at, detail: `\`${field}\` is no time. Write 2026-01-31T12:00:00Z, or seconds or milliseconds since 1970.` }
  if (field === 'scopes' || field === 'tags') return { ...at, detail: `\`${field}\` must be a list: a JSON array, or words with commas between them.` }
  return { ...at, detail: OBJECT_FIELDS.includes(field) ? `\`${field}\` must be a JSON object.` : `\`${field}\` must be text.` }
}
