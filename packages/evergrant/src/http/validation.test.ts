import { expect, test } from 'vitest'
import { routeSchemas } from './validation.ts'

test('a schema that is wrong is found when all of them are looked at', () => {
  const schemas = routeSchemas()
  const of = (schema: object) => schemas.validator({ schema, method: 'POST', url: '/', httpPart: 'body' })
  of({ type: 'object', properties: { name: { type: 'string' } } })
  expect(() => schemas.compileAll()).not.toThrow()
  of({ type: 'object', properties: { name: { type: 'string', minLength: -1 } } })
  expect(() => schemas.compileAll()).toThrow('schema is invalid')
})
