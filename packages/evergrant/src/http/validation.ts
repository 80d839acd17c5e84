import { Ajv, type ValidateFunction } from 'ajv'
import type { FastifySchemaCompiler } from 'fastify'

/**
 * Bodies are taken as they are: nothing is coerced, nothing unknown is dropped. Queries and paths are text on the wire,
 * so numbers and booleans are read out of them.
 */
const BODY = new Ajv({ coerceTypes: false, useDefaults: true, removeAdditional: false, allErrors: false, strict: false, validateFormats: false })
const TEXT = new Ajv({ coerceTypes: true, useDefaults: true, removeAdditional: false, allErrors: false, strict: false, validateFormats: false })

export const validatorCompiler: FastifySchemaCompiler<object> = ({ schema, httpPart }): ValidateFunction => {
  return httpPart === 'body' ? BODY.compile(schema) : TEXT.compile(schema)
}
