import { Fault } from '../../core/fault/fault.ts'

/** SQLSTATEs after which the same transaction may simply be tried again: serialization, deadlock, a unique row that appeared meanwhile. */
const AGAIN = new Set(['40001', '40P01', '23505'])
/** Classes that mean the server, not the statement: connection, log-in, database, rights, resources, operator, system, configuration. */
const UNAVAILABLE = /^(08|28|3D000|42501|53|57|58|25006|F0|XX)/
/** What TLS of Node says of a certificate that it does not believe. */
const CERTIFICATE = /CERT|^UNABLE_TO_VERIFY_LEAF_SIGNATURE$|^ERR_TLS_/
const LOG_IN =
  'Correct user and password in EVERGRANT_DATABASE_URL (`@`, `:`, `/`, `?`, `#` and `%` in a password are written `%40`, `%3A`, `%2F`, `%3F`, `%23` and `%25`), or let them in in pg_hba.conf.'
const AUTHORITY = 'Name the authority that signed it: `?sslmode=verify-full&sslrootcert=/path/to/ca.pem` at the end of EVERGRANT_DATABASE_URL.'
/** What an operator can do about it, by what PostgreSQL or TLS says. */
const REMEDIES: readonly (readonly [RegExp, string])[] = [
  [/^28/, LOG_IN],
  [/^3D000$/, 'Create the database, or correct its name in EVERGRANT_DATABASE_URL.'],
  [/^42501$/, 'Let this user own the database (`alter database ... owner to ...`), or give it the schema (`grant all on schema public to ...`).'],
  [CERTIFICATE, AUTHORITY],
]

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

/**
 * True for a statement that was prepared before a newer version added a column to its table. It did nothing; another connection prepares it anew.
 */
export function isStale(error: unknown): boolean {
  return sqlState(error) === '0A000' && error instanceof Error && /cached plan/.test(error.message)
}

/** What leaves the store instead of a driver's error. */
export function readable(error: unknown): unknown {
  if (error instanceof Fault) return error
  const state = sqlState(error)
  if (state === '23505') return new Fault('already_exists', { detail: 'another row already has this identity', cause: withoutValues(error) })
  if (isLost(error) || (state !== null && (UNAVAILABLE.test(state) || CERTIFICATE.test(state)))) return unavailable(error)
  return withoutValues(error)
}

/** Classes whose messages name roles, databases, tables and columns, and never quote a value: an operator needs their words. */
const PLAIN = /^(0A|25|28|3D|3F|40|42|55)/
/** Names of ours that PostgreSQL puts beside its message; everything else of it may quote a row or a parameter. */
const PLACES = ['schema', 'table', 'column', 'dataType', 'constraint', 'routine'] as const

/**
 * What PostgreSQL refused, without what it quotes (S87, CWE-209): its message has the text of a parameter in it, its detail whole keys and rows. Left are the
 * SQLSTATE, the names of table, column and constraint, and where in our program it came from. An error of another kind is left as it is.
 */
function withoutValues(error: unknown): unknown {
  const state = sqlState(error)
  if (!(error instanceof Error) || state === null || !/^[0-9A-Z]{5}$/.test(state)) return error
  const named: Readonly<Record<string, unknown>> = { ...error }
  const places = PLACES.flatMap((name) => (typeof named[name] === 'string' ? [`${name} ${named[name]}`] : []))
  const words = `PostgreSQL refused a statement: SQLSTATE ${state}${places.length === 0 ? '' : ` (${places.join(', ')})`}`
  const bare = Object.assign(new Error(PLAIN.test(state) ? error.message : words), { code: state })
  bare.name = 'DatabaseError'
  const lines = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line))
  bare.stack = [`${bare.name}: ${bare.message}`, ...lines].join('\n')
  return bare
}

/** The pool says the same of a server that cannot be reached and of a queue that is too long. */
const NONE_FREE = /timeout exceeded when trying to connect/

export function unavailable(error: unknown): Fault {
  const reason = error instanceof Error ? error.message : 'unknown'
  if (NONE_FREE.test(reason)) {
    const detail =
      'no connection to PostgreSQL became free within 5 seconds: it is slow or cannot be reached, or EVERGRANT_DATABASE_CONNECTIONS is too small for this load'
    return new Fault('store_unavailable', { detail, cause: error })
  }
  return new Fault('store_unavailable', { detail: `PostgreSQL does not answer or refuses: ${reason}${remedyFor(error)}`, cause: withoutValues(error) })
}

function remedyFor(error: unknown): string {
  const state = sqlState(error) ?? ''
  const remedy = REMEDIES.find(([states]) => states.test(state))?.[1]
  return remedy === undefined ? '' : `. ${remedy}`
}
