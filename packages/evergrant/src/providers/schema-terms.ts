import { type Static, type TSchema, Type } from 'typebox'

/** Members that a file must write down; everything else has a default. Read by `draftSchema`. */
export const NEEDS = 'x-needs'

export const text = () => Type.String({ minLength: 1, maxLength: 2_000 })
export const words = () => Type.String({ maxLength: 2_000 })
export const url = () => Type.String({ pattern: '^(https://|http://(localhost|127\\.0\\.0\\.1|\\[::1\\])[:/]|\\{)[^\\s]*$', maxLength: 2_000 })
export const seconds = () => Type.Integer({ minimum: 0, maximum: 3_153_600_000 })
export const flag = () => Type.Boolean()
export const texts = () => Type.Array(words())
export const table = () => Type.Record(Type.String(), words())
export const oneOf = <const Values extends readonly string[]>(...values: Values) => Type.Unsafe<Values[number]>({ type: 'string', enum: values })
/** A union would hide both the defaults inside and the better half of an error message; two types do not. */
export const orNull = <Schema extends TSchema>(schema: Schema) => {
  const { type, enum: values }: { type?: unknown; enum?: readonly unknown[] } = schema
  return Type.Unsafe<Static<Schema> | null>({ ...schema, type: [type, 'null'], ...(values === undefined ? {} : { enum: [...values, null] }) })
}
export const record = <Properties extends Record<string, TSchema>>(properties: Properties, needs: readonly string[] = []) =>
  Type.Object(properties, { additionalProperties: false, [NEEDS]: needs })
export const scalar = () => Type.Unsafe<string | number | boolean>({ type: ['string', 'number', 'boolean'] })
export const conditions = () => Type.Record(Type.String(), scalar())
export const statuses = () => Type.Array(Type.Integer({ minimum: 100, maximum: 599 }))

export const template = () => Type.String({ maxLength: 4_000 })
