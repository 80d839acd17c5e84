import type { EvergrantError } from '../evergrant-error.ts'

/** Whichever copy of the package made it: known by its mark, so that the class need not come along. */
export function isEvergrantError(error: unknown): error is EvergrantError {
  return typeof error === 'object' && error !== null && Symbol.for('evergrant.error') in error
}
