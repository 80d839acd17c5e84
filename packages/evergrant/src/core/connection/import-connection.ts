import type { Actor, NewEvent } from '../audit/event.ts'
import { Fault } from '../fault/fault.ts'
import { type ConnectionId, newId, type OrganizationId } from '../ids.ts'
import type { JsonObject } from '../json.ts'
import type { ProviderRecord } from '../provider/record.ts'
import { reuseOf } from '../provider/reuse-of.ts'
import { matchesPattern } from '../provider/template.ts'
import { initialDueAt } from '../refresh/due.ts'
import { type GrantEnd, grantEnd } from '../refresh/grant-lifetime.ts'
import { type GrantedTokens, newCredential } from '../refresh/new-credential.ts'
import type { Instant } from '../time.ts'
import type { Connection } from './connection.ts'
import type { ConnectionPorts } from './connection-ports.ts'
import type { NewCredential } from './credential.ts'
import type { Integration } from './integration.ts'
import { checkMetadata } from './metadata.ts'
import { newConnection } from './new-connection.ts'

/** A grant that another system held until now. At least one of the two tokens is there. */
export interface ImportedGrant {
  readonly owner: string
  readonly accessToken: string | null
  readonly refreshToken: string | null
  readonly tokenType: string
  readonly expiresAt: Instant | null
  readonly refreshExpiresAt: Instant | null
  readonly scopes: readonly string[] | null
  readonly account: string | null
  readonly accountLabel: string | null
  readonly metadata: JsonObject
  readonly tags: readonly string[]
  readonly variables: Readonly<Record<string, string>>
  readonly facts: Readonly<Record<string, string>>
  readonly consentedAt: Instant | null
  /** When (integration, owner, account) exists: store this grant into it, under its id. */
  readonly replace: boolean
}

interface Import {
  readonly organization: OrganizationId
  readonly integration: Integration
  readonly record: ProviderRecord
  readonly grant: ImportedGrant
  readonly actor: Actor
  readonly now: Instant
}

/** Takes over a grant. @throws Fault `invalid_request`, `already_exists` naming the connection */
export async function importGrant(
  ports: ConnectionPorts,
  organization: OrganizationId,
  integration: Integration,
  grant: ImportedGrant,
  actor: Actor,
): Promise<{ readonly connection: ConnectionId; readonly replaced: boolean }> {
  const record = ports.providers.get(integration.provider)
  if (record === undefined) throw new Fault('conflict', { detail: `The provider ${integration.provider} is not in the catalogue any more.` })
  const job: Import = { organization, integration, record, grant, actor, now: ports.clock.wall() }
  checkGrant(job)
  const holder = await holderOf(job, ports)
  if (holder !== undefined)
    return intoExisting(job, ports, holder, `${holder} holds this refresh token already, and two connections that spend one token end its grant.`)
  const connection = imported(job, newId('con', ports.entropy))
  const credential = credentialFor(job, ports, connection.id, 1)
  const outcome = await ports.connections.insert({
    connection,
    credential,
    dueAt: dueAt(job, credential),
    end: endOf(job, credential, grant.consentedAt),
    event: eventFor(job, ports, connection.id, 1),
  })
  if (outcome.kind === 'inserted') return { connection: connection.id, replaced: false }
  return intoExisting(job, ports, outcome.connection, `This owner has this account at ${integration.slug} already: ${outcome.connection}.`)
}

/** The live connection of this owner that spends the same refresh token: a repeated import, told without an account. */
async function holderOf({ organization, integration, record, grant }: Import, ports: ConnectionPorts): Promise<ConnectionId | undefined> {
  if (grant.refreshToken === null || reuseOf(record, integration.settings).class === 'P0') return undefined
  const fingerprint = ports.seal.fingerprint(grant.refreshToken)
  const rows = await ports.connections.byOwner(organization, integration.id, grant.owner)
  return rows.find((row) => row.connection.state !== 'disconnected' && row.credential.fingerprint === fingerprint)?.connection.id
}

async function intoExisting(
  job: Import,
  ports: ConnectionPorts,
  id: ConnectionId,
  why: string,
): Promise<{ readonly connection: ConnectionId; readonly replaced: true }> {
  if (!job.grant.replace) throw new Fault('already_exists', { field: '/owner', detail: `${why} Send \`replace: true\` to store the grant into it.` })
  await replace(job, ports, id)
  return { connection: id, replaced: true }
}

async function replace(job: Import, ports: ConnectionPorts, id: ConnectionId): Promise<void> {
  const { organization, grant, now } = job
  for (;;) {
    const row = await ports.connections.get(organization, id)
    if (row === undefined || row.connection.state === 'disconnected') throw new Fault('connection_disconnected')
    const generation = row.credential.generation + 1
    const credential = credentialFor(job, ports, id, generation)
    const outcome = await ports.connections.replaceGrant({
      organization,
      connection: id,
      expectedGeneration: row.credential.generation,
      credential,
      account: grant.account ?? row.connection.account,
      accountLabel: grant.accountLabel ?? row.connection.accountLabel,
      scopes: grant.scopes,
      variables: { ...row.connection.variables, ...grant.variables },
      facts: { ...row.connection.facts, ...grant.facts },
      consentedAt: grant.consentedAt ?? now,
      dueAt: dueAt(job, credential),
      end: endOf(job, credential, grant.consentedAt ?? now),
      event: eventFor(job, ports, id, generation),
    })
    if (outcome.kind === 'replaced') return
    if (outcome.kind === 'gone') throw new Fault('connection_disconnected')
  }
}

function checkGrant({ grant, record }: Import): void {
  if (grant.accessToken === null && grant.refreshToken === null) {
    throw new Fault('invalid_request', {
      field: '/refresh_token',
      detail: 'Send `access_token`, `refresh_token` or both: without any there is nothing to look after.',
    })
  }
  checkMetadata(grant.metadata)
  for (const [name, value] of Object.entries(grant.variables)) {
    const definition = Object.hasOwn(record.variables, name) ? record.variables[name] : undefined
    if (definition === undefined) throw new Fault('invalid_request', { field: `/variables/${name}`, detail: `${record.name} has no variable \`${name}\`.` })
    if (!matchesPattern(definition.pattern, value)) {
      throw new Fault('invalid_request', {
        field: `/variables/${name}`,
        detail: `\`${name}\` must match ${definition.pattern}. Example: ${definition.example}.`,
      })
    }
  }
}

function imported({ organization, integration, grant, now }: Import, id: ConnectionId): Connection {
  const { owner, account, accountLabel, metadata, tags, scopes, variables, facts, consentedAt } = grant
  const told = { account, accountLabel, metadata, tags, scopes, variables, facts, consentedAt }
  return newConnection(now, { id, organization, integration: integration.id, owner, ...told })
}

/**
 * An imported access token whose end nobody knows counts as over when it can be renewed: the first refresh tells. Without
 * a refresh token it is served until the provider refuses it.
 */
function credentialFor(
  { organization, integration, record, grant, now }: Import,
  ports: ConnectionPorts,
  connection: ConnectionId,
  generation: number,
): NewCredential {
  const unknownEnd = grant.expiresAt === null && grant.refreshToken !== null
  const tokens: GrantedTokens = {
    accessToken: grant.accessToken ?? '',
    refreshToken: grant.refreshToken,
    tokenType: grant.tokenType,
    accessExpiresAt: unknownEnd || grant.accessToken === null ? now : grant.expiresAt,
    refreshExpiresAt: grant.refreshExpiresAt,
  }
  const credential = newCredential(
    { organization, connection, generation, tokens, obtainedAt: now, record, settings: integration.settings },
    ports.seal,
    ports.entropy,
  )
  return grant.accessToken === null ? { ...credential, accessToken: null } : credential
}

function dueAt({ integration, record, now }: Import, credential: NewCredential): Instant | null {
  if (credential.refreshToken !== null && credential.accessExpiresAt !== null && credential.accessExpiresAt <= now) return now
  return initialDueAt(credential, integration.settings, now, record)
}

function endOf({ record, now }: Import, credential: NewCredential, consentedAt: Instant | null): GrantEnd {
  return grantEnd({ record, consentedAt, credential, before: null, now })
}

function eventFor({ organization, integration, grant, actor, now }: Import, ports: ConnectionPorts, connection: ConnectionId, generation: number): NewEvent {
  const data = { account: grant.account, generation, refreshable: grant.refreshToken !== null }
  return { id: newId('evt', ports.entropy), organization, type: 'connection.imported', at: now, actor, connection, subject: integration.id, data }
}
