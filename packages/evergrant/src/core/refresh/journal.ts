import type { ConnectionId, ConnectSessionId, IntentId, OrganizationId } from '../ids.ts'
import type { Instant } from '../time.ts'

/** An answer that must not be lost, as the journal keeps it. It is sealed as a whole by the journal itself. */
export interface JournalRecord {
  readonly intent: IntentId
  readonly organization: OrganizationId
  readonly subject: { readonly kind: 'connection'; readonly id: ConnectionId } | { readonly kind: 'connect_session'; readonly id: ConnectSessionId }
  /** Generation that was presented; 0 for a code exchange. */
  readonly generation: number
  /** Of the refresh token that was presented: a generation can come twice after a restore, a token cannot. Null for a code exchange. */
  readonly fingerprint: string | null
  readonly sentAt: Instant
  readonly receivedAt: Instant
  readonly httpStatus: number
  /** What reading the body needs, and exactly the headers and cookies that the record names (`keptHeaders`). */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  /** Of a code exchange: what only the callback said (scopes, facts, account), without its code and state. */
  readonly callback?: Readonly<Record<string, string>>
}

/** `settled`: the database once acknowledged it. */
export interface KeptAnswer {
  readonly record: JournalRecord
  readonly settled: boolean
}

/** The sealed local file that keeps an answer when the database cannot (refresh-protocol.md 2.10). */
export interface Journal {
  /** Resolves when the record is on disk (fdatasync). Rejects when it cannot be; the caller then relies on the database alone. */
  append(record: JournalRecord): Promise<void>
  /** Notes, without waiting for the disk, that the database has this answer. */
  settle(intent: IntentId): void
  /**
   * Records without a settle mark that open, oldest first. Read at boot, before anything is claimed; what could not be applied then is
   * asked for again, and a record whose key has come back is among them.
   */
  pending(): Promise<readonly JournalRecord[]>
  /** The intents of answers of an earlier life without a settle mark whose key is not in the keyring. None: not known. */
  unopened?(): ReadonlySet<string>
  /** Every answer still on file, oldest first, in portions: for a database that went back in time. Reads the files again. */
  answers(): AsyncIterable<readonly KeptAnswer[]>
  /** False after a failed sync until a new file is open: preflight looks here before a token is spent. */
  healthy(): boolean
  /** Answers on file that the database was not seen to have; a moment's worth is ordinary. None: not known. */
  unsettled?(): number
  /** The same by the master key that seals them; also those that could not be opened. None: not known. */
  sealedWith?(): Readonly<Record<string, number>>
  close(): Promise<void>
}

/** For deployments without a data directory: keeps nothing. */
export const NO_JOURNAL: Journal = {
  append: () => Promise.reject(new Error('there is no journal')),
  settle: () => {},
  pending: () => Promise.resolve([]),
  answers: async function* () {},
  healthy: () => true,
  close: () => Promise.resolve(),
}
