import { Fault } from '../fault/fault.ts'
import type { JsonObject } from '../json.ts'
import { depthOf } from './merge-patch.ts'

const MAX_CHARACTERS = 16_384
const MAX_DEPTH = 16

/** @throws Fault `invalid_request` */
export function checkMetadata(metadata: JsonObject): void {
  const refuse = (limit: string): Fault => new Fault('invalid_request', { field: '/metadata', detail: `\`metadata\` may ${limit}.` })
  if (depthOf(metadata, MAX_DEPTH) > MAX_DEPTH) throw refuse(`be nested at most ${MAX_DEPTH} levels deep`)
  if (JSON.stringify(metadata).length > MAX_CHARACTERS) throw refuse(`have at most ${MAX_CHARACTERS} characters as JSON`)
}
