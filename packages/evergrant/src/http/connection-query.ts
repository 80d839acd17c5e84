import { type Static, Type } from 'typebox'
import type { ConnectionStatus } from '../core/connection/connection.ts'
import { Fault } from '../core/fault/fault.ts'
import { type ConnectionSort, NEWEST_FIRST, SORTS, STATUS_ORDER, sortOf } from '../core/observe/connection-search.ts'
import type { WantedSearch } from '../core/observe/console-service.ts'
import { instantOf } from './input.ts'
import { closed, ID_OR_SLUG, LINE, Owner, TimeInput } from './schema.ts'

const IntegrationRef = Type.String({ minLength: 1, maxLength: 64, pattern: ID_OR_SLUG, description: 'Id or slug of an integration.' })

/** What connections are looked for by, everywhere that many are meant. */
export const CONNECTION_FILTER = {
  q: Type.Optional(
    Type.String({ minLength: 1, maxLength: 255, pattern: LINE, description: 'The whole id, or the beginning of owner, account or label, or a whole tag.' }),
  ),
  integration: Type.Optional(IntegrationRef),
  provider: Type.Optional(Type.String({ minLength: 1, maxLength: 64, pattern: '^[A-Za-z0-9_.-]+$' })),
  owner: Type.Optional(Owner),
  status: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: `One or several, separated by commas: ${STATUS_ORDER.join(', ')}.` })),
  tag: Type.Optional(Type.String({ minLength: 1, maxLength: 64, pattern: LINE })),
  code: Type.Optional(Type.String({ pattern: '^[a-z_]{1,60}$', description: 'Code of the fault.' })),
  expires_after: Type.Optional(TimeInput),
  expires_before: Type.Optional(TimeInput),
}

export const ConnectionFilterSchema = closed(CONNECTION_FILTER)
type ConnectionFilterInput = Static<typeof ConnectionFilterSchema>

export const SortQuery = Type.Optional(
  Type.String({
    maxLength: 20,
    description: `${SORTS.join(', ')}; \`-\` before it turns it. \`-created\` by default. \`expires\`: the end that no renewal moves.`,
  }),
)

/** @throws Fault `invalid_request` that names the parameter */
export function wantedOf(input: ConnectionFilterInput, at = ''): WantedSearch {
  const { q, status, expires_after: after, expires_before: before, ...rest } = input
  const ends = { from: instantOf(after, `${at}/expires_after`), to: instantOf(before, `${at}/expires_before`) }
  return {
    ...rest,
    ...(q === undefined ? {} : { text: q }),
    ...(status === undefined ? {} : { statuses: statusesOf(status) }),
    ...(after === undefined && before === undefined ? {} : { ends }),
  }
}

function statusesOf(text: string): readonly ConnectionStatus[] {
  return [...new Set(text.split(','))].map((name) => {
    const known = STATUS_ORDER.find((status) => status === name.trim())
    if (known === undefined) throw new Fault('invalid_request', { field: 'status', detail: `\`${name}\` is no status. There are ${STATUS_ORDER.join(', ')}.` })
    return known
  })
}

/** @throws Fault `invalid_request` */
export function sortIn(text: string | undefined): ConnectionSort {
  const sort = text === undefined ? NEWEST_FIRST : sortOf(text)
  if (sort === undefined)
    throw new Fault('invalid_request', { field: 'sort', detail: `There is no such order. There are ${SORTS.join(', ')}, each also with \`-\` before it.` })
  return sort
}
