import type { GrantRow } from '../../../evergrant/src/engine.ts'
import type { Family, Presentation, RefreshTruth, Site } from './provider-truth.ts'

/** Of two tokens the one of the later consent is newer; of one consent, the one of the higher generation. */
export interface ServedToken {
  /** {@link Family.place} */
  readonly consent: number
  readonly generation: number
  readonly at: number
}

/** What the world knows of one connection, beside what the database says of it. */
export interface ConnectionTruth {
  readonly index: number
  readonly id: `con_${string}`
  readonly organization: `org_${string}`
  readonly integration: `int_${string}`
  readonly site: Site
  readonly owner: string
  /** The consent whose tokens the database holds, and the refresh token in it. */
  family: Family
  stored: RefreshTruth | null
  row: GrantRow
  /** The highest generation that was ever durable, in the database or in a journal. */
  durable: number
  /** How many consents the database has taken since the first. */
  consents: number
  /** The newest token that anybody was given, when, and by whom. */
  served: ServedToken
  readonly servedBy: Map<string, ServedToken>
  disconnectedAt: number | null
  /** Needs no more explanation: the database lost it, a disk was lost. */
  excuse: string | null
  /** The generation that the database had acknowledged before it went back; null: it has not, or that is mended. */
  rolledBackFrom: number | null
  /** The process that was given the latest grant. */
  grantedTo: string | null
  /** When the present consent began; its end is added to `heldMs`. */
  heldSince: number
  statusChanges: number
}

/** Everything that was claimed and presented. */
export class Ledger {
  readonly connections: ConnectionTruth[] = []
  readonly byId = new Map<string, ConnectionTruth>()
  readonly presentations: Presentation[] = []
  readonly byIntent = new Map<string, Presentation>()
  /** The latest claim of a node for a connection, until it is sent. */
  readonly #claims = new Map<string, string>()
  readonly #intents = new Map<string, string>()
  grantMs = 0

  add(connection: ConnectionTruth): void {
    this.connections.push(connection)
    this.byId.set(connection.id, connection)
  }

  claimed(node: string, connection: string, intent: string, generation: number): void {
    this.#intents.set(intent, `${connection}#${generation}`)
    this.#claims.set(`${node} ${connection}`, intent)
  }

  /** Was this intent ever written for this connection? It may be the oldest suspicion although it was never sent. */
  intended(intent: string, connection: string, generation: number): boolean {
    return this.#intents.get(intent) === `${connection}#${generation}`
  }

  claimOf(node: string, connection: string): string | null {
    return this.#claims.get(`${node} ${connection}`) ?? null
  }
}
