import type { ConnectionId, IntentId } from '../ids.ts'
import type { Granted } from '../provider/verdict.ts'
import { type Instant, MINUTE } from '../time.ts'
import type { GrantRow } from './credentials.ts'
import type { Journal } from './journal.ts'

/** The answer of a token endpoint whose refresh token is stored, and whose access token still has to be exchanged. */
interface FirstAnswer {
  /** The generation that its refresh token became. */
  readonly generation: number
  readonly grant: Granted
  readonly sentAt: Instant
  /** Its record in the journal, where a restart would begin; null: there is none. */
  readonly intent: IntentId | null
}

/** First tokens of a chain live shortly: Bullhorn's for ten minutes. After that a refresh is asked for another. */
const LIVES_MS = 10 * MINUTE
const MOST = 10_000

/**
 * First answers of chains that are not finished, in memory alone: they save a refresh, nothing more. Whoever does not have one
 * asks for the next by an ordinary refresh. A record in the journal is settled with the answer that it is about.
 */
export class FirstAnswers {
  readonly #kept = new Map<ConnectionId, FirstAnswer>()
  readonly #journal: Pick<Journal, 'settle'>

  constructor(journal: Pick<Journal, 'settle'>) {
    this.#journal = journal
  }

  keep(connection: ConnectionId, first: FirstAnswer): void {
    this.forget(connection)
    this.#kept.set(connection, first)
    const oldest = this.#kept.size > MOST ? this.#kept.keys().next().value : undefined
    if (oldest !== undefined) this.forget(oldest)
  }

  forget(connection: ConnectionId): void {
    this.settle(connection)
    this.#kept.delete(connection)
  }

  /** Its chain was run, whatever came of it: a restart need not begin there. */
  settle(connection: ConnectionId): void {
    const first = this.#kept.get(connection)
    if (first === undefined || first.intent === null) return
    this.#journal.settle(first.intent)
    this.#kept.set(connection, { ...first, intent: null })
  }

  /** The one that the row's own refresh token came with, while it may be of use. */
  of({ connection, credential }: GrantRow, now: Instant): FirstAnswer | null {
    const first = this.#kept.get(connection.id)
    if (first === undefined) return null
    const until = Math.min(first.sentAt + LIVES_MS, first.grant.accessExpiresAt ?? Number.POSITIVE_INFINITY)
    if (first.generation === credential.generation && now < until) return first
    this.forget(connection.id)
    return null
  }
}
