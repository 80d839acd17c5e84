import { isUtf8 } from 'node:buffer'
import type { FastifySchemaCompiler } from 'fastify'
import { Type } from 'typebox'
import { IMPORT_BATCH_MAX, type ImportLine, type ImportResult } from '../../core/connection/import-many.ts'
import { Fault } from '../../core/fault/fault.ts'
import { SECOND } from '../../core/time.ts'
import { actorOf, callerOf } from '../authentication.ts'
import { roundedNumber, tooDeepField } from '../json-body.ts'
import { validationFault } from '../problem.ts'
import { type App, closed, nullable, PROBLEMS, type SchemaTypes } from '../schema.ts'
import type { Services } from '../services.ts'
import { pieceOfBody, validatorCompiler } from '../validation.ts'
import { grantOf, ImportBody } from './connections.ts'

/** Five hundred grants with metadata; a body for one connection has far less. */
const BODY_LIMIT = 16 * 1_024 * 1_024
const SPREAD_DEFAULT_SECONDS = 3_600
const SPREAD_MAX_SECONDS = 7 * 86_400

const ImportQuery = closed({
  dry_run: Type.Optional(Type.Boolean({ description: 'Checks everything and says what would happen; writes nothing.' })),
  replace: Type.Optional(Type.Boolean({ description: 'For items that do not say `replace` themselves.' })),
  spread_seconds: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: SPREAD_MAX_SECONDS,
      default: SPREAD_DEFAULT_SECONDS,
      description: 'First renewals of tokens that are over, or whose end is not known, are drawn over this long.',
    }),
  ),
})

const Count = Type.Integer({ minimum: 0 })
const ImportAnswer = Type.Object({
  items: Type.Array(
    Type.Object({
      index: Type.Integer({ description: 'Place in the body, from 0.' }),
      result: Type.Unsafe<ImportResult['kind']>({
        type: 'string',
        enum: ['imported', 'replaced', 'already', 'refused'],
        description: '`already`: this grant was imported before, and is not touched, whatever became of it since.',
      }),
      connection: nullable(Type.String({ description: 'Where the grant is, or what stands in its way.' })),
      code: nullable(Type.String({ description: 'Why it was refused.' })),
      field: nullable(Type.String()),
      detail: nullable(Type.String({ description: 'What is wrong and how to mend it. Never a value of the item.' })),
    }),
  ),
  imported: Count,
  replaced: Count,
  already: Count,
  refused: Count,
})

/** What stands where a line of NDJSON was no JSON. */
const UNREADABLE = Symbol('unreadable line')

/** Many grants in one call: each is taken or refused by itself. */
export function importRoutes(app: App, services: Services): void {
  app.register((plain, _options, done) => {
    const scope = plain.withTypeProvider<SchemaTypes>()
    scope.addContentTypeParser<Buffer>('application/x-ndjson', { parseAs: 'buffer', bodyLimit: BODY_LIMIT }, (_request, bytes, parsed) => {
      if (isUtf8(bytes)) return parsed(null, linesOf(bytes.toString()))
      parsed(new Fault('invalid_request', { detail: 'The body is not UTF-8. Send lines of JSON as RFC 8259 section 8.1 asks for it.' }), undefined)
    })
    importRoute(scope, services)
    done()
  })
}

function importRoute(app: App, { connections }: Services): void {
  const valid = pieceOfBody(ImportBody)
  const lineOf = (item: unknown, replace: boolean): ImportLine => {
    if (item === UNREADABLE)
      return {
        refused: new Fault('invalid_request', {
          detail: 'This line is not a JSON object of at most 64 levels, whose numbers can be kept as they are (longer ones go as text).',
        }),
      }
    if (!valid(item)) return { refused: validationFault(valid.errors?.[0] ?? {}, 'item') }
    try {
      return { integration: item.integration, grant: grantOf(item, replace) }
    } catch (error) {
      if (error instanceof Fault) return { refused: error }
      throw error
    }
  }
  app.post(
    '/api/v1/connections/import',
    {
      bodyLimit: BODY_LIMIT,
      validatorCompiler: itemsLater,
      config: { access: 'connections:write' },
      schema: {
        summary: 'Import many connections',
        description:
          'Takes over up to 500 grants that another system held: a JSON array, or NDJSON (`application/x-ndjson`) with one object a line. Each is taken or refused by itself, and repeating the call changes nothing: a grant that was imported once is never imported again. Stop refreshing them there first: one holder at a time spends a refresh token.',
        tags: ['connections'],
        querystring: ImportQuery,
        body: Type.Array(ImportBody, { minItems: 1, maxItems: IMPORT_BATCH_MAX }),
        response: { 200: ImportAnswer, ...PROBLEMS },
      },
    },
    async (request) => {
      const caller = callerOf(request)
      const { dry_run: dryRun = false, replace = false, spread_seconds: spread = SPREAD_DEFAULT_SECONDS } = request.query
      const items: readonly unknown[] = request.body
      const options = { actor: actorOf(caller), dryRun, spreadMs: spread * SECOND }
      const lines = items.map((item) => lineOf(item, replace))
      return answerOf(await connections.importMany(caller.organization, lines, options))
    },
  )
}

/** The items are looked at one by one, so that a bad one refuses no other. */
const itemsLater: FastifySchemaCompiler<object> = (route) => {
  if (route.httpPart !== 'body') return validatorCompiler(route)
  return (body: unknown) => {
    if (Array.isArray(body) && body.length >= 1 && body.length <= IMPORT_BATCH_MAX) return { value: body }
    return {
      error: new Fault('invalid_request', { field: '/', detail: `Send a JSON array, or NDJSON, of 1 to ${IMPORT_BATCH_MAX} grants.` }),
    }
  }
}

function linesOf(body: string): readonly unknown[] {
  return body
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line): unknown => {
      try {
        const value: unknown = JSON.parse(line)
        return tooDeepField(line) === undefined && roundedNumber(line) === undefined ? value : UNREADABLE
      } catch {
        return UNREADABLE
      }
    })
}

function answerOf(results: readonly ImportResult[]) {
  const count = (kind: ImportResult['kind']) => results.filter((result) => result.kind === kind).length
  const items = results.map((result, index) => {
    const fault = result.kind === 'refused' ? result.fault : null
    const { field = null, detail } = fault?.details ?? {}
    const said = fault === null ? null : (detail ?? fault.message)
    return { index, result: result.kind, connection: result.connection, code: fault?.code ?? null, field, detail: said }
  })
  return { items, imported: count('imported'), replaced: count('replaced'), already: count('already'), refused: count('refused') }
}
