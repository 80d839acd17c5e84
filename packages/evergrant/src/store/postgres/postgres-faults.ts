import { Fault } from '../../core/fault/fault.ts'

/** SQLSTATEs after which the same transaction may simply be tried again: serialization, deadlock, a unique row that appeared meanwhile. */
const AGAIN = new Set(['40001', '40P01', '23505'])
/** Classes that mean the server, not the statement: connection, resources, operator, system, configuration. */
const UNAVAILABLE = /^(08|53|57|58|25006|F0|XX)/

function sqlState(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null
}

/** True when the connection broke, so that nobody knows whether a commit under way happened. */
export function isLost(error: unknown): boolean {
  const state = sqlState(error)
  if (state === null) return error instanceof Error && /connection|terminated|timeout/i.test(error.message)
  return /^(08|57P0)/.test(state) || /^E[A-Z_]+$/.test(state)
}

/** True when nothing was heard for as long as we wait: the next try would wait as long again. */
export function isSilence(error: unknown): boolean {
  return sqlState(error) === null && error instanceof Error && /timeout/i.test(error.message)
}

export function mayTryAgain(error: unknown): boolean {
  const state = sqlState(error)
  return state !== null && AGAIN.has(state)
}

/** What leaves the store instead of a driver's error. */
export function readable(error: unknown): unknown {
  if (error instanceof Fault) return error
  const state = sqlState(error)
  if (state === '23505') return new Fault('already_exists', { detail: 'another row already has this identity', cause: error })
  if (isLost(error) || (state !== null && UNAVAILABLE.test(state))) return unavailable(error)
  return error
}

export function unavailable(error: unknown): Fault {
  const reason = error instanceof Error ? error.message : 'unknown'
  return new Fault('store_unavailable', { detail: `PostgreSQL does not answer or refuses: ${reason}`, cause: error })
}
