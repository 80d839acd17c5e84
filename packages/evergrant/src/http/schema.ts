import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FastifyBaseLogger, FastifyInstance, FastifyTypeProvider, RawServerDefault } from 'fastify'
import { type Static, type TObject, type TProperties, type TSchema, Type } from 'typebox'
import { API_KEY_SCOPES } from '../core/access/api-key.ts'
import type { AgentId, ConnectionId, InstallationId } from '../core/ids.ts'
import { idPattern } from '../core/ids.ts'

/** Static types of requests from their schemas. */
export interface SchemaTypes extends FastifyTypeProvider {
  readonly validator: this['schema'] extends TSchema ? Static<this['schema']> : unknown
  readonly serializer: unknown
}

/** The server as route files see it. */
export type App = FastifyInstance<RawServerDefault, IncomingMessage, ServerResponse, FastifyBaseLogger, SchemaTypes>

/** An object that refuses fields it does not know, so that a misspelt field is named and not ignored. */
export function closed<Properties extends TProperties>(properties: Properties, description?: string): TObject<Properties> {
  return Type.Object(properties, { additionalProperties: false, ...(description === undefined ? {} : { description }) })
}

export const nullable = <Schema extends TSchema>(schema: Schema) => Type.Union([schema, Type.Null()])

/** A typed id, as its template-literal type. */
const id = <Id extends string>(prefix: Parameters<typeof idPattern>[0], what: string) =>
  Type.Unsafe<Id>({ type: 'string', pattern: idPattern(prefix), description: `Id of ${what}.` })

export const ConnectionIdSchema = id<ConnectionId>('con', 'a connection')
export const ApiKeyIdSchema = id<`key_${string}`>('key', 'an API key')
export const AgentIdSchema = id<AgentId>('agt', 'an agent')
export const InstallationIdSchema = id<InstallationId>('ins', 'an installation')
export const UserIdSchema = id<`usr_${string}`>('usr', 'a user')
export const IncidentIdSchema = id<`inc_${string}`>('inc', 'an incident')

export const SLUG = '^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$'
export const Slug = Type.String({
  pattern: SLUG,
  description: 'Lower-case letters, digits and dashes; 1 to 64 characters.',
})
/** An id or a slug: of an integration, of a provider's token type. */
export const ID_OR_SLUG = '^[A-Za-z0-9_-]+$'
/** One word of printable ASCII. */
export const WORD = '^[\\u0021-\\u007e]+$'
/** One line of printable ASCII. */
export const PRINTABLE = '^[\\u0020-\\u007e]+$'
export const EVENT_TYPE = '^[a-z_]{1,40}\\.[a-z_]{1,40}$'
/** A type of events, all of one kind, or all. */
export const EVENT_PATTERN = '^(?:\\*|[a-z_]{1,40}\\.(?:\\*|[a-z_]{1,40}))$'
/** One line of text that every database keeps: PostgreSQL has no zero character, and of half a surrogate pair all would become one. */
export const LINE = '^[^\\u0000-\\u001f\\u007f\\ud800-\\udfff]+$'
/** Any text that every database keeps. */
export const KEEPABLE = '^[^\\u0000\\ud800-\\udfff]*$'
/** An e-mail address that is stored. */
export const EMAIL = '^[^\\s\\u0000-\\u001f\\u007f@<>()\\[\\],;:"\\\\]{1,64}@[^\\s\\u0000-\\u001f\\u007f@<>()\\[\\],;:"\\\\]{1,185}$'
export const Owner = Type.String({
  minLength: 1,
  maxLength: 255,
  pattern: LINE,
  description: "Whose grant it is, in the application's words. Opaque.",
})
export const Time = Type.String({ description: 'ISO 8601, UTC.' })
/** Accepted times: a calendar date with a zone. Written out because formats are not checked by the validator. */
export const TIME_INPUT = '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}(?::\\d{2}(?:\\.\\d{1,9})?)?(?:Z|[+-]\\d{2}:\\d{2})$'
export const TimeInput = Type.String({
  pattern: TIME_INPUT,
  description: 'ISO 8601 with a zone: 2026-01-31T12:00:00Z.',
})
export const Scopes = Type.Array(Type.String({ minLength: 1, maxLength: 512, pattern: WORD }), { maxItems: 200, uniqueItems: true })
/** More changes than anything sees; a database keeps whole numbers of this size everywhere. */
export const COUNTED_MAX = 2_147_483_647
export const StoredVersion = Type.Integer({ minimum: 1, maximum: COUNTED_MAX, description: 'Refuse the change unless this is the stored version.' })
export const KeyScope = Type.Unsafe<(typeof API_KEY_SCOPES)[number]>({ type: 'string', enum: [...API_KEY_SCOPES] })

/** Paging of every list. */
export const PageQuery = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50, description: 'Items on a page.' })),
  cursor: Type.Optional(Type.String({ minLength: 1, maxLength: 4_096, description: 'The `cursor` of the page before.' })),
}

export function pageOf<Item extends TSchema>(item: Item) {
  return Type.Object({ items: Type.Array(item), cursor: nullable(Type.String()) }, { description: 'One page. `cursor` is null on the last one.' })
}

const ProblemSchema = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    code: Type.String(),
    action: Type.String(),
    needs_reauth: Type.Boolean(),
    reconnect_url: nullable(
      Type.String({
        description:
          'With `needs_reauth`: the page where the owner repairs the connection. Null when a link cannot prove the account; open a reconnect with `return_url` then.',
      }),
    ),
    retry_at: nullable(Type.String()),
    request_id: Type.String(),
    field: Type.Optional(Type.String()),
  },
  { title: 'Problem', description: 'RFC 9457 problem. `code` is stable; /docs/errors lists them all.' },
)

const problem = (description: string) => ({ description, content: { 'application/problem+json': { schema: ProblemSchema } } })

/** Problem answers shared by all routes behind a key. */
export const PROBLEMS = {
  '4xx': problem('The request was refused; `code`, `field` and `detail` say why and what to do.'),
  '5xx': problem('Nothing was changed for good; `action` and `retry_at` say when to try again.'),
}
