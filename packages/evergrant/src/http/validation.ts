import { Ajv, type ValidateFunction } from 'ajv'
import type { FastifySchemaCompiler } from 'fastify'
import type { Static, TSchema } from 'typebox'

/**
 * Bodies are taken as they are: nothing is coerced, nothing unknown is dropped. Queries and paths are text on the wire,
 * so numbers and booleans are read out of them.
 */
const BODY = new Ajv({ coerceTypes: false, useDefaults: true, removeAdditional: false, allErrors: false, strict: false, validateFormats: false })
const TEXT = new Ajv({ coerceTypes: true, useDefaults: true, removeAdditional: false, allErrors: false, strict: false, validateFormats: false })

export const validatorCompiler: FastifySchemaCompiler<object> = ({ schema, httpPart }): ValidateFunction => {
  return httpPart === 'body' ? BODY.compile(schema) : TEXT.compile(schema)
}

/** A check of one part of a body that is looked at piece by piece, so that a bad piece refuses no other. */
export function pieceOfBody<Schema extends TSchema>(schema: Schema): ValidateFunction<Static<Schema>> {
  return BODY.compile<Static<Schema>>(schema)
}
