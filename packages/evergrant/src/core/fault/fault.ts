import type { JsonObject } from '../json.ts'
import type { Instant } from '../time.ts'
import type { FaultDefinition } from './definition.ts'
import { FAULTS } from './table.ts'
import { fillWords } from './words.ts'

export type { FaultAction, FaultClass } from './definition.ts'

/** Every code that leaves Evergrant. The table in `table.ts` is the only place that defines them. */
export type FaultCode = keyof typeof FAULTS

export interface FaultDetails {
  /** Says what happened this time and how to mend it; replaces nothing in the table. */
  readonly detail?: string
  /** The offending field, as a JSON pointer or parameter name. */
  readonly field?: string
  readonly retryAt?: Instant
  /** Instead of the table's: 429 where the caller itself is too fast for the provider. */
  readonly status?: 429
  readonly reconnectUrl?: string
  /** Further members of the problem (RFC 9457 section 3.2): what the next step needs. */
  readonly members?: JsonObject
  readonly cause?: unknown
}

/** The one error that crosses layers on purpose. Anything else is a defect and becomes `internal`. */
export class Fault extends Error {
  override readonly name = 'Fault'
  readonly code: FaultCode
  readonly details: FaultDetails

  constructor(code: FaultCode, details: FaultDetails = {}) {
    super(details.detail ?? fillWords(FAULTS[code].title, {}), details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.details = details
  }

  get definition(): FaultDefinition {
    return FAULTS[this.code]
  }
}
