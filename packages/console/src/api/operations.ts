import type { Operations } from '@evergrant/sdk/wire'
import type { ViewOperations } from '../views/operations.ts'
import type { ConsoleOperations } from './console-operations.ts'

/** The API as the console uses it: the generated operations, and those of docs/reference/console-api.md, which win where both have one. */
type ApiOperations = Omit<Operations, keyof ConsoleOperations | keyof ViewOperations> & Omit<ConsoleOperations, keyof ViewOperations> & ViewOperations

export type Name = keyof ApiOperations & string
export type Answer<Op extends Name> = ApiOperations[Op] extends { readonly answer: infer Of } ? Of : never
export type Query<Op extends Name> = ApiOperations[Op] extends { readonly query: infer Of } ? Of : never
export type Body<Op extends Name> = ApiOperations[Op] extends { readonly body: infer Of } ? Of : never
