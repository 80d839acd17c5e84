import type { Actor, NewEvent } from '../audit/event.ts'
import { Fault } from '../fault/fault.ts'
import { type ConnectionId, newId, type OrganizationId } from '../ids.ts'
import type { JsonObject } from '../json.ts'
import { valueProblem } from '../provider/choices.ts'
import { factsOf } from '../provider/facts-of.ts'
import { isRenewedGrant, isStaticGrant } from '../provider/grant-kind.ts'
import type { ProviderRecord, VariableDefinition } from '../provider/record.ts'
import { reuseOf } from '../provider/reuse-of.ts'
import { initialDueAt } from '../refresh/due.ts'
import { type GrantEnd, grantEnd } from '../refresh/grant-lifetime.ts'
import { type GrantedTokens, newCredential } from '../refresh/new-credential.ts'
import { renewsItself } from '../refresh/own-renewal.ts'
import type { Instant } from '../time.ts'
import type { ConnectionPorts } from './connection-ports.ts'
import type { ImportIdentity, NewConnection } from './connections.ts'
import type { NewCredential } from './credential.ts'
import { spreadDueAt } from './import-due.ts'
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

/** One grant on its way into the store. */
export interface Import {
  readonly organization: OrganizationId
  readonly integration: Integration
  readonly record: ProviderRecord
  readonly grant: ImportedGrant
  readonly actor: Actor
  readonly now: Instant
  /** First renewals of many grants are drawn over this long; null: one grant, renewed when it needs it. */
  readonly spreadMs: number | null
}

/** PostgreSQL stores neither, and one such value would stop everything that shares its transaction. */
const UNSTORABLE = /[\0\p{Cs}]/u

/** Says of no value what it is: a column that was mapped wrongly may hold a token. @throws Fault `invalid_request` */
export function checkGrant({ grant, record, integration }: Pick<Import, 'grant' | 'record' | 'integration'>): void {
  if (grant.accessToken === null && grant.refreshToken === null) {
    throw new Fault('invalid_request', {
      field: '/refresh_token',
      detail: 'Send `access_token`, `refresh_token` or both: without any there is nothing to look after.',
    })
  }
  if (isRenewedGrant(record.grant) || (isStaticGrant(record.grant) && grant.refreshToken !== null)) {
    const detail = `${record.name} gives no tokens that could be taken over: send its \`credentials\` to POST connections.`
    throw new Fault('invalid_request', { field: grant.refreshToken === null ? '/access_token' : '/refresh_token', detail })
  }
  if (renewsItself(record) && grant.accessToken === null) {
    throw new Fault('invalid_request', {
      field: '/access_token',
      detail: `${record.name} has no refresh tokens: its access token renews itself, and only while it lives. Send \`access_token\`.`,
    })
  }
  checkMetadata(grant.metadata)
  for (const [name, value] of Object.entries(grant.variables)) checkVariable(name, value, record, integration)
  for (const [name, value] of Object.entries(grant.facts)) checkFact(name, value, record)
  const texts: Readonly<Record<string, string | null>> = { account: grant.account, account_label: grant.accountLabel }
  const named = (['variables', 'facts'] as const).flatMap((of) => Object.entries(grant[of]).map(([name, value]): [string, string] => [`${of}/${name}`, value]))
  for (const [field, value] of [...Object.entries(texts), ...named]) {
    if (value !== null && UNSTORABLE.test(value))
      throw new Fault('invalid_request', { field: `/${field}`, detail: `\`${field}\` has a character that no database stores: U+0000, or half of a pair.` })
  }
}

/**
 * Variables of the integration say where its client secret goes: a grant may repeat them, so that a line of the wrong tenant is
 * told, and never set them. @throws Fault `invalid_request`
 */
function checkVariable(name: string, value: string, record: ProviderRecord, { variables, slug }: Pick<Integration, 'variables' | 'slug'>): void {
  const refuse = (detail: string): Fault => new Fault('invalid_request', { field: `/variables/${name}`, detail })
  const definition = definitionOf(record, name)
  if (definition === undefined) throw refuse(`${record.name} has no variable \`${name}\`.`)
  if (definition.askedOf === 'provider') throw refuse(`${record.name} tells \`${name}\` itself: send it as a fact.`)
  const problem = valueProblem(definition, value)
  if (problem !== null) throw refuse(`\`${name}\` ${problem}.`)
  if (definition.askedOf === 'integration' && value !== (variables[name] ?? definition.default))
    throw refuse(`\`${name}\` belongs to the integration, and ${slug} has another value. Leave it out, or name the integration that has this one.`)
}

/** A fact stands before a variable of its name wherever a request is built: only what the provider tells may be one. @throws Fault `invalid_request` */
function checkFact(name: string, value: string, record: ProviderRecord): void {
  const refuse = (detail: string): Fault => new Fault('invalid_request', { field: `/facts/${name}`, detail })
  const definition = definitionOf(record, name)
  if (definition === undefined ? !factsOf(record).includes(name) : definition.askedOf !== 'provider')
    throw refuse(`\`${name}\` is nothing that ${record.name} tells. What you want to keep beside the grant belongs into \`metadata\`.`)
  const problem = definition === undefined ? null : valueProblem(definition, value)
  if (problem !== null) throw refuse(`\`${name}\` ${problem}.`)
}

function definitionOf({ variables }: ProviderRecord, name: string): VariableDefinition | undefined {
  return Object.hasOwn(variables, name) ? variables[name] : undefined
}

/** What is the connection's own; the rest goes on following the integration. */
function ownVariables({ grant, record }: Pick<Import, 'grant' | 'record'>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(grant.variables).filter(([name]) => definitionOf(record, name)?.askedOf === 'connection'))
}

/** By what this grant is known again. @see ImportIdentity */
export function identityOf({ integration, record, grant }: Import, { seal }: Pick<ConnectionPorts, 'seal'>): ImportIdentity {
  const { owner, account, refreshToken, accessToken } = grant
  const exclusive = refreshToken !== null && reuseOf(record, integration.settings).class !== 'P0'
  return { integration: integration.id, owner, account, fingerprint: seal.fingerprint(refreshToken ?? accessToken ?? ''), exclusive }
}

/** The connection that the grant becomes, sealed and ready to be stored. */
export function newImported(job: Import, ports: ConnectionPorts, fingerprint: string): NewConnection {
  const { organization, integration, grant, now } = job
  const { owner, account, accountLabel, metadata, tags, scopes, facts, consentedAt } = grant
  const told = { owner, account, accountLabel, metadata, tags, scopes, variables: ownVariables(job), facts, consentedAt }
  const connection = newConnection(now, { id: newId('con', ports.entropy), organization, integration: integration.id, ...told })
  const credential = credentialFor(job, ports, connection.id, 1)
  return {
    connection,
    credential,
    dueAt: dueAt(job, credential, ports),
    end: endOf(job, credential, consentedAt),
    event: eventFor(job, ports, connection.id, 1),
    imported: fingerprint,
  }
}

/** Stores the grant into a connection that is there, as its next generation, whatever happens to it meanwhile. @throws Fault `connection_disconnected` */
export async function storeInto(job: Import, ports: ConnectionPorts, id: ConnectionId): Promise<void> {
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
      variables: { ...row.connection.variables, ...ownVariables(job) },
      facts: { ...row.connection.facts, ...grant.facts },
      consentedAt: grant.consentedAt ?? now,
      dueAt: dueAt(job, credential, ports),
      end: endOf(job, credential, grant.consentedAt ?? now),
      event: eventFor(job, ports, id, generation),
      imported: identityOf(job, ports).fingerprint,
    })
    if (outcome.kind === 'replaced') return
    if (outcome.kind === 'gone') throw new Fault('connection_disconnected')
  }
}

/**
 * An imported access token whose end nobody knows counts as over when it can be renewed: the first refresh tells. Without
 * a refresh token it is served until the provider refuses it.
 */
function credentialFor({ organization, integration, record, grant, now }: Import, ports: ConnectionPorts, id: ConnectionId, generation: number): NewCredential {
  const unknownEnd = grant.expiresAt === null && grant.refreshToken !== null
  const tokens: GrantedTokens = {
    accessToken: grant.accessToken ?? '',
    refreshToken: grant.refreshToken,
    tokenType: grant.tokenType,
    accessExpiresAt: unknownEnd || grant.accessToken === null ? now : grant.expiresAt,
    refreshExpiresAt: grant.refreshExpiresAt,
  }
  const { seal, entropy } = ports
  const credential = newCredential({ organization, connection: id, generation, tokens, obtainedAt: now, record, settings: integration.settings }, seal, entropy)
  return grant.accessToken === null ? { ...credential, accessToken: null } : credential
}

function dueAt({ integration, record, now, spreadMs }: Import, credential: NewCredential, { entropy }: Pick<ConnectionPorts, 'entropy'>): Instant | null {
  const { settings } = integration
  if (spreadMs !== null) return spreadDueAt({ credential, settings, record, now, spreadMs, uniform: entropy.uniform() })
  if (credential.refreshToken !== null && credential.accessExpiresAt !== null && credential.accessExpiresAt <= now) return now
  return initialDueAt(credential, settings, now, record)
}

function endOf({ record, now }: Import, credential: NewCredential, consentedAt: Instant | null): GrantEnd {
  return grantEnd({ record, consentedAt, credential, before: null, now })
}

function eventFor({ organization, integration, grant, actor, now }: Import, ports: ConnectionPorts, connection: ConnectionId, generation: number): NewEvent {
  const data = { account: grant.account, generation, refreshable: grant.refreshToken !== null }
  return { id: newId('evt', ports.entropy), organization, type: 'connection.imported', at: now, actor, connection, subject: integration.id, data }
}
