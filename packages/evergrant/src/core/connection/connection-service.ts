import type { Actor, EventType, NewEvent } from '../audit/event.ts'
import { Fault } from '../fault/fault.ts'
import { type ConnectionId, type IntegrationId, newId, type OrganizationId } from '../ids.ts'
import type { JsonObject } from '../json.ts'
import { isNamedByBrowser } from '../provider/account.ts'
import { capIsNear } from '../provider/lifetimes.ts'
import type { GrantKind } from '../provider/record.ts'
import { reuseOf } from '../provider/reuse-of.ts'
import type { GrantRow } from '../refresh/credentials.ts'
import { dueAfter } from '../refresh/due.ts'
import type { Instant } from '../time.ts'
import type { StoredCheck } from './checks.ts'
import type { Connection, ConnectionStatus } from './connection.ts'
import type { ConnectionPorts } from './connection-ports.ts'
import type { ConnectionFilter, ConnectionPatch, DisconnectOutcome, Page, PageRequest } from './connections.ts'
import { importGrant } from './import-connection.ts'
import { type ImportLine, type ImportManyOptions, type ImportResult, importMany } from './import-many.ts'
import type { ImportedGrant } from './imported-grant.ts'
import type { Integration } from './integration.ts'
import { integrationNotFound, isIntegrationId } from './integration-service.ts'
import { mergePatch } from './merge-patch.ts'
import { checkMetadata } from './metadata.ts'
import { providerNameOf } from './provider-name.ts'
import { statusOf } from './status.ts'

/** A connection with what its reader needs to understand it. No secret is opened. */
export interface ConnectionDetails {
  readonly row: GrantRow
  readonly integration: Integration
  readonly status: ConnectionStatus
  /** As people know it. */
  readonly providerName: string
  /** The record is in the catalogue, and proves the account of a grant: a link without a person who is known can repair it. */
  readonly linkRepairs: boolean
  /** How its grant came to be; null when the record left the catalogue. */
  readonly grant: GrantKind | null
  /** The latest check; null when there was none. */
  readonly check: StoredCheck | null
  /** How old the latest proof is that the token works, in milliseconds; null when there is none. */
  readonly verifiedAgoMs: number | null
  /** Where the provider limits the grants of an account; told when one connection is read. */
  readonly accountLimit?: AccountLimit | null
}

export interface AccountLimit {
  /** Live connections of this account at this integration. */
  readonly live: number
  readonly cap: number
  readonly next: 'oldest_ends' | 'refused'
  /** Four fifths or more are used. */
  readonly near: boolean
}

interface ConnectionChange {
  /** `merge` is RFC 7396; `replace` takes the object as it is. */
  readonly metadata?: { readonly mode: 'merge' | 'replace'; readonly value: JsonObject }
  readonly tags?: readonly string[]
  readonly label?: string | null
}

export interface WantedConnections {
  /** Id or slug. */
  readonly integration?: string
  readonly owner?: string
  readonly status?: ConnectionStatus
  readonly tag?: string
}

const PATCH_TRIES = 10

/** Everything about connections that is not their credential. */
export class ConnectionService {
  readonly #ports: ConnectionPorts

  constructor(ports: ConnectionPorts) {
    this.#ports = ports
  }

  /** @throws Fault `not_found` */
  async get(organization: OrganizationId, id: ConnectionId): Promise<ConnectionDetails> {
    const [row, [check = null]] = await Promise.all([this.#row(organization, id), this.#ports.checks.of([id])])
    const details = await this.#detailsOf(row, new Map(), check)
    return { ...details, accountLimit: await this.#accountLimit(details) }
  }

  /** Whose it is. @throws Fault `not_found` */
  async ownerOf(organization: OrganizationId, id: ConnectionId): Promise<string> {
    return (await this.#row(organization, id)).connection.owner
  }

  async list(organization: OrganizationId, wanted: WantedConnections, page: PageRequest): Promise<Page<ConnectionDetails>> {
    const { integration, ...rest } = wanted
    const filter: ConnectionFilter = integration === undefined ? rest : { ...rest, integration: (await this.#integration(organization, integration)).id }
    const found = await this.#ports.connections.list(organization, filter, page)
    return { items: await this.detailed(found.items), cursor: found.cursor }
  }

  /** Rows that somebody else found, with what their reader needs. */
  async detailed(rows: readonly GrantRow[]): Promise<readonly ConnectionDetails[]> {
    const known = new Map<IntegrationId, Integration>()
    const items: ConnectionDetails[] = []
    const checks = await this.#ports.checks.of(rows.map((row) => row.connection.id))
    const checkOf = new Map(checks.map((check) => [check.connection, check]))
    for (const row of rows) items.push(await this.#detailsOf(row, known, checkOf.get(row.connection.id) ?? null))
    return items
  }

  /** The one connection of an owner that is not disconnected. @throws Fault `not_found`, `conflict` naming the ids */
  async ofOwner(organization: OrganizationId, integration: string, owner: string): Promise<ConnectionId> {
    const { id, slug } = await this.#integration(organization, integration)
    const rows = await this.#ports.connections.byOwner(organization, id, owner)
    const live = rows.filter((row) => row.connection.state !== 'disconnected')
    const [first, ...others] = live
    if (first === undefined)
      throw new Fault('not_found', { field: 'owner', detail: `This owner has no connection at ${slug}. Create a connect session for them.` })
    if (others.length > 0) {
      const ids = live.map((row) => row.connection.id).join(', ')
      throw new Fault('conflict', { field: 'owner', detail: `This owner has ${live.length} connections at ${slug}: ${ids}. Read the token by connection id.` })
    }
    return first.connection.id
  }

  /** `expectedVersion` null: a merge is applied to whatever is stored, so that no concurrent change is lost. @throws Fault */
  async patch(
    organization: OrganizationId,
    id: ConnectionId,
    change: ConnectionChange,
    expectedVersion: number | null,
    actor: Actor,
  ): Promise<ConnectionDetails> {
    for (let attempt = 0; attempt < PATCH_TRIES; attempt++) {
      const { connection } = await this.#row(organization, id)
      if (expectedVersion !== null && expectedVersion !== connection.version) throw versionMoved(connection.version)
      const { metadata, tags, label } = change
      const merged = metadata === undefined ? undefined : metadata.mode === 'merge' ? mergePatch(connection.metadata, metadata.value) : metadata.value
      if (merged !== undefined) checkMetadata(merged)
      const columns: ConnectionPatch = {
        ...(merged === undefined ? {} : { metadata: merged }),
        ...(tags === undefined ? {} : { tags }),
        ...(label === undefined ? {} : { accountLabel: label }),
      }
      const event = this.#event('connection.updated', organization, id, actor, { changed: Object.keys(change) })
      const outcome = await this.#ports.connections.patch(organization, id, columns, connection.version, event)
      if (outcome === 'patched') return this.get(organization, id)
      if (outcome === 'gone') throw connectionNotFound(id)
    }
    throw new Fault('conflict', { detail: 'The connection kept changing while it was updated. Try again.' })
  }

  /** Stops every refresh and every read until it is resumed. Repeating it changes nothing. @throws Fault */
  pause(organization: OrganizationId, id: ConnectionId, actor: Actor): Promise<ConnectionDetails> {
    return this.#setPaused(organization, id, true, actor)
  }

  /** @throws Fault */
  resume(organization: OrganizationId, id: ConnectionId, actor: Actor): Promise<ConnectionDetails> {
    return this.#setPaused(organization, id, false, actor)
  }

  /** Ends the connection; the provider is told when nothing else lives on the same grant. Repeating it changes nothing. @throws Fault */
  async disconnect(
    organization: OrganizationId,
    id: ConnectionId,
    actor: Actor,
  ): Promise<{ readonly details: ConnectionDetails; readonly revocation: 'queued' | 'sibling_lives' | 'unsupported' | 'already' }> {
    const outcome = await this.#end(await this.get(organization, id), actor)
    if (outcome.kind === 'gone') throw connectionNotFound(id)
    return { details: await this.get(organization, id), revocation: outcome.kind === 'disconnected' ? outcome.revocation : 'already' }
  }

  /** Ends a broken connection that its owner does not want back. `mended`: it was reconnected, or broke anew, since it was `seen`, and stays. @throws Fault */
  async giveUp({ organization, id, fault }: Pick<Connection, 'organization' | 'id' | 'fault'>, actor: Actor): Promise<'given_up' | 'mended'> {
    if (fault === null) return 'mended'
    const { kind } = await this.#end(await this.get(organization, id), actor, fault.at)
    return kind === 'mended' ? kind : 'given_up'
  }

  #end({ row: { connection }, integration }: ConnectionDetails, actor: Actor, brokenAt?: Instant): Promise<DisconnectOutcome> {
    const { organization, id, state } = connection
    const revoke = this.#ports.providers.get(integration.provider)?.revoke ?? null
    return this.#ports.connections.disconnect({
      organization,
      connection: id,
      at: this.#ports.clock.wall(),
      ...(brokenAt === undefined ? {} : { brokenAt }),
      event: this.#event('connection.disconnected', organization, id, actor, { was: state }),
      revocation: revoke === null ? null : { id: newId('rev', this.#ports.entropy), perToken: revoke.reach === 'token' },
    })
  }

  /** Takes over a grant; `integration` is an id or slug. @throws Fault `invalid_request`, `already_exists` naming the connection */
  async import(
    organization: OrganizationId,
    integration: string,
    grant: ImportedGrant,
    actor: Actor,
  ): Promise<{ readonly details: ConnectionDetails; readonly replaced: boolean }> {
    const { connection, replaced } = await importGrant(this.#ports, organization, await this.#integration(organization, integration), grant, actor)
    return { details: await this.get(organization, connection), replaced }
  }

  /** Takes over up to 500 grants; results in their order. Repeating it changes nothing. */
  importMany(organization: OrganizationId, lines: readonly ImportLine[], options: ImportManyOptions): Promise<readonly ImportResult[]> {
    return importMany(this.#ports, organization, (idOrSlug) => this.#findIntegration(organization, idOrSlug), lines, options)
  }

  #findIntegration(organization: OrganizationId, idOrSlug: string): Promise<Integration | undefined> {
    const { integrations } = this.#ports
    return isIntegrationId(idOrSlug) ? integrations.get(organization, idOrSlug) : integrations.bySlug(organization, idOrSlug)
  }

  /** Id or slug. @throws Fault `not_found` */
  async #integration(organization: OrganizationId, idOrSlug: string): Promise<Integration> {
    const found = await this.#findIntegration(organization, idOrSlug)
    if (found === undefined) throw integrationNotFound(idOrSlug)
    return found
  }

  async #setPaused(organization: OrganizationId, id: ConnectionId, paused: boolean, actor: Actor): Promise<ConnectionDetails> {
    const details = await this.get(organization, id)
    const event = this.#event(paused ? 'connection.paused' : 'connection.resumed', organization, id, actor, {})
    const dueAt = paused ? null : this.#dueAt(details)
    const outcome = await this.#ports.connections.setPaused(organization, id, paused, dueAt, event)
    if (outcome === 'gone') throw connectionNotFound(id)
    if (outcome === 'refused') {
      if (details.row.connection.state === 'disconnected') throw new Fault('connection_disconnected')
      throw new Fault('conflict', { detail: `Only an active connection can be ${paused ? 'paused' : 'resumed'}; this one needs its owner to reconnect.` })
    }
    return this.get(organization, id)
  }

  #dueAt({ row, integration }: ConnectionDetails): Instant | null {
    const record = this.#ports.providers.get(integration.provider)
    if (record === undefined) return this.#ports.clock.wall()
    const { settings } = integration
    const now = this.#ports.clock.wall()
    return dueAfter({
      credential: row.credential,
      settings,
      lifetimes: record.lifetimes,
      reuse: reuseOf(record, settings),
      lastReadAt: row.connection.lastReadAt,
      now,
    })
  }

  async #row(organization: OrganizationId, id: ConnectionId): Promise<GrantRow> {
    const row = await this.#ports.connections.get(organization, id)
    if (row === undefined) throw connectionNotFound(id)
    return row
  }

  async #detailsOf(row: GrantRow, known: Map<IntegrationId, Integration>, check: StoredCheck | null): Promise<ConnectionDetails> {
    const { integration: id, organization } = row.connection
    const integration = known.get(id) ?? (await this.#ports.integrations.get(organization, id))
    if (integration === undefined) throw integrationNotFound(id)
    known.set(id, integration)
    const record = this.#ports.providers.get(integration.provider)
    const providerName = providerNameOf(record, integration)
    const now = this.#ports.clock.wall()
    const workedAt = check?.workedAt ?? null
    const verifiedAgoMs = workedAt === null ? null : Math.max(0, now - workedAt)
    return {
      row,
      integration,
      status: statusOf(row, integration, now),
      providerName,
      linkRepairs: record !== undefined && !isNamedByBrowser(record),
      grant: record?.grant ?? null,
      check,
      verifiedAgoMs,
    }
  }

  async #accountLimit({ row: { connection }, integration }: ConnectionDetails): Promise<AccountLimit | null> {
    const { organization, account } = connection
    const cap = this.#ports.providers.get(integration.provider)?.lifetimes.cap ?? null
    if (cap === null || account === null) return null
    const rows = await this.#ports.connections.byAccount(organization, integration.id, account)
    const live = rows.filter((row) => row.connection.state === 'active' || row.connection.state === 'paused').length
    return { live, cap: cap.grants, next: cap.next, near: capIsNear(cap, live) }
  }

  #event(type: EventType, organization: OrganizationId, connection: ConnectionId, actor: Actor, data: JsonObject): NewEvent {
    const { clock, entropy } = this.#ports
    return { id: newId('evt', entropy), organization, type, at: clock.wall(), actor, connection, subject: null, data }
  }
}

export function connectionNotFound(id: string): Fault {
  return new Fault('not_found', { detail: `There is no connection ${id} in this organization.` })
}

function versionMoved(version: number): Fault {
  return new Fault('conflict', { field: '/version', detail: `The stored version is ${version}. Read it again and apply the change to what you see.` })
}
