import { type AtWork, benchPeople } from './people.ts'
import type { Store } from './serving.ts'
import { benchValidate, type ValidateRow } from './validate.ts'

export interface SessionFigures {
  readonly validate: readonly ValidateRow[]
  readonly people: readonly AtWork[]
}

export async function benchSession(options: { readonly short: boolean; readonly stores: readonly Store[] }): Promise<SessionFigures> {
  return { validate: await benchValidate(options), people: await benchPeople(options) }
}
