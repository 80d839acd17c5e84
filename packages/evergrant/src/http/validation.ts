import { Ajv, type ValidateFunction } from 'ajv'
import fastJson from 'fast-json-stringify'
import type { FastifySchemaCompiler } from 'fastify'
import type { FastifySerializerCompiler } from 'fastify/types/schema.js'
import type { Static, TSchema } from 'typebox'

/**
 * Bodies are taken as they are: nothing is coerced, nothing unknown is dropped. Queries and paths are text on the wire,
 * so numbers and booleans are read out of them. That the schemas themselves are right is shown by a test, not anew by every process.
 */
const TAKING = { useDefaults: true, removeAdditional: false, allErrors: false, strict: false, validateFormats: false, validateSchema: false } as const
const BODY = new Ajv({ ...TAKING, coerceTypes: false })
const TEXT = new Ajv({ ...TAKING, coerceTypes: true })

interface RouteSchemas {
  readonly validator: FastifySchemaCompiler<object>
  readonly serializer: FastifySerializerCompiler<object>
  /** Compiles what no request has asked for yet. @throws Error for a schema that is wrong or does not compile */
  compileAll(): void
}

/**
 * What a route takes and gives is compiled when it is first asked for: compiling all of them would be most of the work of a start, and a node that was
 * started to take load over must be there at once.
 */
export function routeSchemas(): RouteSchemas {
  const waiting = new Set<() => void>()
  const known = new Set<object>()
  return {
    validator: (route) => {
      known.add(route.schema)
      return laterCompiled(once(waiting, () => compiledFor(route)))
    },
    serializer: ({ schema }) => {
      const compiled = once(waiting, () => serializerOf(schema))
      return (data: unknown) => compiled()(data)
    },
    compileAll: () => {
      for (const schema of known) void BODY.validateSchema(schema, true)
      for (const compile of [...waiting]) compile()
    },
  }
}

/** By what a schema says and not by which object it is: many routes say the same, and a process with several apps builds each once. */
function builtOnce<Built>(build: (schema: object) => Built): (schema: object) => Built {
  const built = new Map<string, Built>()
  return (schema) => {
    const said = JSON.stringify(schema)
    const known = built.get(said)
    if (known !== undefined) return known
    const made = build(schema)
    built.set(said, made)
    return made
  }
}

const bodyCheck = builtOnce((schema) => BODY.compile(schema))
const textCheck = builtOnce((schema) => TEXT.compile(schema))
const serializerOf = builtOnce((schema): ReturnType<FastifySerializerCompiler<object>> => fastJson(schema))

function once<Made>(waiting: Set<() => void>, make: () => Made): () => Made {
  let made: Made | undefined
  const compile = (): Made => {
    if (made !== undefined) return made
    waiting.delete(compile)
    made = make()
    return made
  }
  waiting.add(compile)
  return compile
}

/** For a route that replaces a part of it: as every route has it. */
export const validatorCompiler: FastifySchemaCompiler<object> = (route) => laterCompiled(once(new Set(), () => compiledFor(route)))

/** A check of one part of a body that is looked at piece by piece, so that a bad piece refuses no other. */
export function pieceOfBody<Schema extends TSchema>(schema: Schema): PieceCheck<Static<Schema>> {
  return laterCompiled(once(new Set(), () => bodyCheck(schema))) as PieceCheck<Static<Schema>>
}

type Refusals = NonNullable<ValidateFunction['errors']> | null

interface PieceCheck<Piece> {
  (piece: unknown): piece is Piece
  errors: Refusals
}

interface LaterCheck {
  (data: unknown): boolean
  errors: Refusals
}

function laterCompiled(compiled: () => ValidateFunction): LaterCheck {
  const validate: LaterCheck = (data) => {
    const check = compiled()
    const fits = check(data)
    validate.errors = check.errors ?? null
    return fits
  }
  validate.errors = null
  return validate
}

function compiledFor({ schema, httpPart }: Parameters<FastifySchemaCompiler<object>>[0]): ValidateFunction {
  return httpPart === 'body' ? bodyCheck(schema) : textCheck(schema)
}
