import type { Connection, Health } from '../../core/connection/connection.ts'
import type { Credential } from '../../core/connection/credential.ts'
import type { ConnectionId, IntegrationId, IntentId, OrganizationId } from '../../core/ids.ts'
import type { GrantRow } from '../../core/refresh/credentials.ts'
import type { Instant } from '../../core/time.ts'
import { TimeIndex } from './time-index.ts'

/** A connection with what only the store knows of it. */
export interface StoredConnection {
  readonly grant: GrantRow
  readonly leasedBy: string | null
  /** The intent of the latest failure: told again, it is not counted again. */
  readonly failedIntent: IntentId | null
  readonly revokeRule: 'none' | 'grant' | 'token'
  readonly purged: boolean
  /** When the owner is told next that the grant ends. */
  readonly warnAt: Instant | null
}

/** What a write changes; everything else stays as it is. */
interface ConnectionChange {
  readonly connection?: Partial<Connection>
  readonly credential?: Partial<Credential>
  readonly health?: Partial<Health>
  readonly leasedBy?: string | null
  readonly failedIntent?: IntentId | null
  readonly revokeRule?: StoredConnection['revokeRule']
  readonly purged?: boolean
  readonly warnAt?: Instant | null
}

/** Connections with the ways to find them: by account, by owner, by organization, by lease holder, by due time. */
export class ConnectionTable {
  readonly #rows = new Map<ConnectionId, StoredConnection>()
  readonly #due = new TimeIndex<ConnectionId>()
  readonly #warnings = new TimeIndex<ConnectionId>()
  readonly #byOrganization = new Map<OrganizationId, Set<ConnectionId>>()
  readonly #byOwner = new Map<string, Set<ConnectionId>>()
  readonly #byAccount = new Map<string, Set<ConnectionId>>()
  readonly #byIntegration = new Map<IntegrationId, Set<ConnectionId>>()
  readonly #byHolder = new Map<string, Set<ConnectionId>>()

  get(id: ConnectionId): StoredConnection | undefined {
    return this.#rows.get(id)
  }

  insert(row: StoredConnection): void {
    const { connection, health } = row.grant
    this.#due.set(connection.id, health.dueAt)
    this.#warnings.set(connection.id, row.warnAt)
    this.#rows.set(connection.id, row)
    this.#enter(row)
  }

  /** Writes the changed values in place of the old ones. Returns the row as it now is. */
  change(row: StoredConnection, change: ConnectionChange): StoredConnection {
    const { grant } = row
    const { connection, credential, health, ...own } = change
    const next: StoredConnection = {
      ...row,
      ...own,
      grant: {
        connection: connection === undefined ? grant.connection : { ...grant.connection, ...connection },
        credential: credential === undefined ? grant.credential : { ...grant.credential, ...credential },
        health: health === undefined ? grant.health : { ...grant.health, ...health },
      },
    }
    const { id } = grant.connection
    if (next.grant.health.dueAt !== grant.health.dueAt) this.#due.set(id, next.grant.health.dueAt)
    if (next.warnAt !== row.warnAt) this.#warnings.set(id, next.warnAt)
    this.#rows.set(id, next)
    if (next.grant.connection.account !== grant.connection.account) {
      leave(this.#byAccount, accountKey(grant.connection), id)
      enter(this.#byAccount, accountKey(next.grant.connection), id)
    }
    if (next.leasedBy !== row.leasedBy) {
      leave(this.#byHolder, row.leasedBy, id)
      enter(this.#byHolder, next.leasedBy, id)
    }
    return next
  }

  /** The one change of an owner that there is: to nobody's name. */
  rename(row: StoredConnection, owner: string): void {
    const { id, integration } = row.grant.connection
    leave(this.#byOwner, ownerKey(integration, row.grant.connection.owner), id)
    enter(this.#byOwner, ownerKey(integration, owner), id)
    this.change(row, { connection: { owner } })
  }

  /** Takes up to `limit` connections out of the due index, oldest first. Whoever calls sets their next due time. */
  takeDue(now: Instant, limit: number): StoredConnection[] {
    return this.#all(this.#due.take(now, limit))
  }

  /** Back into the due index, with the due time it has. */
  putBack(row: StoredConnection): void {
    this.#due.set(row.grant.connection.id, row.grant.health.dueAt)
  }

  /** Warnings due now, oldest first; they stay where they are. */
  dueWarnings(now: Instant, limit: number): StoredConnection[] {
    const due = this.#all(this.#warnings.take(now, limit))
    for (const row of due) this.#warnings.set(row.grant.connection.id, row.warnAt)
    return due
  }

  all(): IterableIterator<StoredConnection> {
    return this.#rows.values()
  }

  ofOrganization(organization: OrganizationId): StoredConnection[] {
    return this.#all(this.#byOrganization.get(organization))
  }

  ofOwner(integration: IntegrationId, owner: string): StoredConnection[] {
    return this.#all(this.#byOwner.get(ownerKey(integration, owner)))
  }

  ofAccount(integration: IntegrationId, account: string): StoredConnection[] {
    return this.#all(this.#byAccount.get(`${integration} ${account}`))
  }

  ofIntegration(integration: IntegrationId): StoredConnection[] {
    return this.#all(this.#byIntegration.get(integration))
  }

  ofHolder(node: string): StoredConnection[] {
    return this.#all(this.#byHolder.get(node)).sort((left, right) => (left.grant.connection.id < right.grant.connection.id ? -1 : 1))
  }

  copy(): Map<ConnectionId, StoredConnection> {
    return new Map(this.#rows)
  }

  refill(from: ReadonlyMap<ConnectionId, StoredConnection>): void {
    for (const index of [this.#rows, this.#due, this.#warnings, this.#byOrganization, this.#byOwner, this.#byAccount, this.#byIntegration, this.#byHolder])
      index.clear()
    for (const row of from.values()) this.insert(row)
  }

  #enter(row: StoredConnection): void {
    const { id, organization, integration, owner } = row.grant.connection
    enter(this.#byOrganization, organization, id)
    enter(this.#byOwner, ownerKey(integration, owner), id)
    enter(this.#byAccount, accountKey(row.grant.connection), id)
    enter(this.#byIntegration, integration, id)
    enter(this.#byHolder, row.leasedBy, id)
  }

  #all(ids: Iterable<ConnectionId> | undefined): StoredConnection[] {
    const found: StoredConnection[] = []
    for (const id of ids ?? []) {
      const row = this.#rows.get(id)
      if (row !== undefined) found.push(row)
    }
    return found
  }
}

const ownerKey = (integration: IntegrationId, owner: string): string => `${integration} ${owner}`
const accountKey = ({ integration, account }: Connection): string | null => (account === null ? null : `${integration} ${account}`)

function enter<Key>(index: Map<Key, Set<ConnectionId>>, key: Key | null, id: ConnectionId): void {
  if (key === null) return
  const ids = index.get(key)
  if (ids === undefined) index.set(key, new Set([id]))
  else ids.add(id)
}

function leave<Key>(index: Map<Key, Set<ConnectionId>>, key: Key | null, id: ConnectionId): void {
  if (key !== null) index.get(key)?.delete(id)
}
