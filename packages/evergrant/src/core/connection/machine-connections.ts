import type { Actor, EventType, NewEvent } from '../audit/event.ts'
import { checkVariables, variablesToAsk } from '../connect/flow-variables.ts'
import { Fault } from '../fault/fault.ts'
import { type ConnectionId, newId, type OrganizationId } from '../ids.ts'
import type { JsonObject } from '../json.ts'
import { isMachineGrant, isStaticGrant, type MachineGrant } from '../provider/grant-kind.ts'
import { checkCredentials, type OwnCredentials, readKept, type StaticSecret, staticSecretOf } from '../provider/own-credentials.ts'
import type { ProviderRecord } from '../provider/record.ts'
import type { GrantRow } from '../refresh/credentials.ts'
import { dueAfter } from '../refresh/due.ts'
import type { GrantContext, GrantContexts } from '../refresh/grant-contexts.ts'
import { grantEnd } from '../refresh/grant-lifetime.ts'
import { credentialContext, newCredential } from '../refresh/new-credential.ts'
import { SealError } from '../seal/seal.ts'
import type { Instant } from '../time.ts'
import type { ConnectionPorts } from './connection-ports.ts'
import type { NewCredential } from './credential.ts'
import { type FirstToken, type FirstTokenPorts, firstToken } from './first-token.ts'
import type { Integration } from './integration.ts'
import { checkMetadata } from './metadata.ts'
import { newConnection } from './new-connection.ts'

export interface MachinePorts extends Pick<ConnectionPorts, 'connections' | 'seal' | 'entropy'>, FirstTokenPorts {
  readonly contexts: Pick<GrantContexts, 'of' | 'provider'>
}

/** What a connection without a browser is made of. */
export interface MachineGiven {
  readonly owner: string
  readonly credentials: OwnCredentials
  readonly variables: Readonly<Record<string, string>>
  /** The known end of a static secret; nobody but the caller knows it. */
  readonly expiresAt: Instant | null
  /** Only where the provider does not tell it. */
  readonly account: string | null
  readonly accountLabel: string | null
  readonly metadata: JsonObject
  readonly tags: readonly string[]
  /** Ask the provider before anything is stored. */
  readonly verify: boolean
  /** When this owner has this account, or these very credentials: store them into that connection, under its id. */
  readonly replace: boolean
}

type NewCredentials = Partial<Pick<MachineGiven, 'credentials' | 'variables' | 'expiresAt'>> & Pick<MachineGiven, 'verify'>

interface Job {
  readonly organization: OrganizationId
  readonly actor: Actor
  readonly grant: MachineGrant
  readonly context: GrantContext
  readonly credentials: OwnCredentials
  /** Null where a token is asked for. */
  readonly secret: StaticSecret | null
}

/** Connections that begin without an end user in a browser: client credentials, JWT bearer, installations, keys, passwords. */
export class MachineConnections {
  readonly #ports: MachinePorts

  constructor(ports: MachinePorts) {
    this.#ports = ports
  }

  /** @throws Fault `invalid_request` naming the field, `credentials_refused`, `already_exists`, `provider_unavailable` */
  async create(
    organization: OrganizationId,
    integration: Integration,
    given: MachineGiven,
    actor: Actor,
  ): Promise<{ readonly connection: ConnectionId; readonly replaced: boolean }> {
    const context = await this.#ports.contexts.of(integration.id)
    const { record } = context
    const grant = machineGrantOf(record)
    checkMetadata(given.metadata)
    checkEnd(grant, given.expiresAt, this.#ports.clock.wall())
    const variables = givenVariables(record, integration, given.variables, {})
    const job: Job = { organization, actor, grant, context, ...proofOf(grant, given.credentials, record) }
    const first = await this.#first(job, variables, {}, given)
    const twin = await this.#twin(job, given.owner, first, accountOf(first, given))
    if (twin !== undefined) return this.#intoTwin(job, twin, given, variables, first)
    const id = newId('con', this.#ports.entropy)
    const outcome = await this.#insert(job, id, given, variables, first)
    if (outcome === null) return { connection: id, replaced: false }
    return this.#intoTwin(job, outcome, given, variables, first)
  }

  /**
   * New credentials for a connection that is there, under its id and as its next generation. What is not named stays: without any,
   * the stored ones are tried again. @throws Fault as {@link create}, `account_mismatch`, `connection_disconnected`, `not_found`
   */
  async replaceCredentials(organization: OrganizationId, id: ConnectionId, given: NewCredentials, actor: Actor): Promise<void> {
    const row = await this.#row(organization, id)
    const context = await this.#ports.contexts.of(row.connection.integration)
    const { record, integration } = context
    const grant = machineGrantOf(record)
    const expiresAt = given.expiresAt === undefined ? (isStaticGrant(grant) ? row.credential.accessExpiresAt : null) : given.expiresAt
    if (given.credentials !== undefined || given.expiresAt !== undefined) checkEnd(grant, expiresAt, this.#ports.clock.wall())
    const variables = givenVariables(record, integration, given.variables ?? {}, row.connection.variables)
    const proof = given.credentials === undefined ? this.#stored(row, grant) : proofOf(grant, given.credentials, record)
    const job: Job = { organization, actor, grant, context, ...proof }
    const first = await this.#first(job, { ...row.connection.variables, ...variables }, lasting(row.connection.facts, grant), {
      expiresAt,
      verify: given.verify,
    })
    await this.#replace(job, id, variables, first, null)
  }

  async #first(
    job: Job,
    variables: Readonly<Record<string, string>>,
    facts: Readonly<Record<string, string>>,
    how: Pick<MachineGiven, 'expiresAt' | 'verify'>,
  ): Promise<FirstToken> {
    const { grant, credentials, secret, context } = job
    const provider = await this.#ports.contexts.provider(context, variables, facts)
    return firstToken({ context: provider, grant, credentials, secret, scopes: context.integration.scopes, ...how }, this.#ports)
  }

  /** The live connection of this owner with the same account; without accounts, with the same credentials. */
  async #twin(job: Job, owner: string, first: FirstToken, account: string | null): Promise<ConnectionId | undefined> {
    const rows = await this.#ports.connections.byOwner(job.organization, job.context.integration.id, owner)
    const live = rows.filter((row) => row.connection.state !== 'disconnected')
    const same = live.find((row) => (account !== null && row.connection.account !== null ? row.connection.account === account : this.#holds(row, first)))
    return same?.connection.id
  }

  #holds(row: GrantRow, { tokens }: FirstToken): boolean {
    const { credential } = row
    if (tokens.refreshToken !== null) return credential.fingerprint === this.#ports.seal.fingerprint(tokens.refreshToken)
    return credential.refreshToken === null && this.#open(row, 'access_token') === tokens.accessToken
  }

  async #intoTwin(job: Job, id: ConnectionId, given: MachineGiven, variables: Readonly<Record<string, string>>, first: FirstToken) {
    if (!given.replace) {
      const detail = `This owner has this at ${job.context.integration.slug} already: ${id}. Send \`replace: true\` to store these credentials into it.`
      throw new Fault('already_exists', { field: '/owner', detail })
    }
    await this.#replace(job, id, variables, first, given)
    return { connection: id, replaced: true }
  }

  /** Null when it was inserted, else the connection that has the account. */
  async #insert(job: Job, id: ConnectionId, given: MachineGiven, variables: Readonly<Record<string, string>>, first: FirstToken): Promise<ConnectionId | null> {
    const { organization, context } = job
    const now = this.#ports.clock.wall()
    const { owner, metadata, tags } = given
    const { scopes, facts, obtainedAt } = first
    const told = { account: accountOf(first, given), accountLabel: labelOf(first, given), metadata, tags, scopes, variables, facts, consentedAt: obtainedAt }
    const credential = this.#credential(job, id, 1, first)
    const outcome = await this.#ports.connections.insert({
      connection: newConnection(now, { id, organization, integration: context.integration.id, owner, ...told, lastReadAt: now }),
      credential,
      dueAt: this.#dueAt(job, credential, first),
      end: grantEnd({ record: context.record, consentedAt: obtainedAt, credential, before: null, now }),
      event: this.#event('connection.created', job, id, 1, first),
    })
    return outcome.kind === 'inserted' ? null : outcome.connection
  }

  async #replace(job: Job, id: ConnectionId, variables: Readonly<Record<string, string>>, first: FirstToken, given: MachineGiven | null): Promise<void> {
    const { organization, context } = job
    for (;;) {
      const { connection, credential: old } = await this.#row(organization, id)
      const account = given === null ? (first.account?.account ?? null) : accountOf(first, given)
      if (account !== null && connection.account !== null && account !== connection.account) throw otherAccount(account, connection.account)
      const generation = old.generation + 1
      const credential = this.#credential(job, id, generation, first)
      const outcome = await this.#ports.connections.replaceGrant({
        organization,
        connection: id,
        expectedGeneration: old.generation,
        credential,
        account: account ?? connection.account,
        accountLabel: (given === null ? first.account?.label : labelOf(first, given)) ?? connection.accountLabel,
        scopes: first.scopes ?? connection.scopes,
        variables: { ...connection.variables, ...variables },
        facts: { ...lasting(connection.facts, job.grant), ...first.facts },
        consentedAt: first.obtainedAt,
        dueAt: this.#dueAt(job, credential, first),
        end: grantEnd({ record: context.record, consentedAt: first.obtainedAt, credential, before: null, now: this.#ports.clock.wall() }),
        event: this.#event('connection.credentials_replaced', job, id, generation, first, { was: connection.state }),
      })
      if (outcome.kind === 'replaced') return
      if (outcome.kind === 'gone') throw new Fault('connection_disconnected')
    }
  }

  #credential({ organization, context }: Job, connection: ConnectionId, generation: number, { tokens, obtainedAt }: FirstToken): NewCredential {
    const { record, integration } = context
    const { seal, entropy } = this.#ports
    const credential = newCredential({ organization, connection, generation, tokens, obtainedAt, record, settings: integration.settings }, seal, entropy)
    return tokens.accessToken === '' ? { ...credential, accessToken: null } : credential
  }

  #dueAt({ context }: Job, credential: NewCredential, { tokens }: FirstToken): Instant | null {
    const now = this.#ports.clock.wall()
    if (tokens.accessToken === '') return now
    const { record, integration, reuse } = context
    return dueAfter({ credential, settings: integration.settings, lifetimes: record.lifetimes, reuse, lastReadAt: now, now })
  }

  async #row(organization: OrganizationId, id: ConnectionId): Promise<GrantRow> {
    const row = await this.#ports.connections.get(organization, id)
    if (row === undefined) throw new Fault('not_found', { detail: `There is no connection ${id} in this organization.` })
    if (row.connection.state === 'disconnected') throw new Fault('connection_disconnected')
    return row
  }

  /** @throws Fault when the key that sealed them is missing */
  #stored(row: GrantRow, grant: MachineGrant): Pick<Job, 'credentials' | 'secret'> {
    if (!isStaticGrant(grant)) return { credentials: readKept(this.#open(row, 'refresh_token') ?? ''), secret: null }
    return { credentials: {}, secret: { accessToken: this.#open(row, 'access_token') ?? '', tokenType: row.credential.tokenType } }
  }

  #open({ connection, credential }: GrantRow, column: 'access_token' | 'refresh_token'): string | null {
    const sealed = column === 'access_token' ? credential.accessToken : credential.refreshToken
    if (sealed === null) return null
    try {
      return this.#ports.seal.openText(sealed, credentialContext(connection.organization, connection.id, credential.generation, column))
    } catch (error) {
      if (error instanceof SealError) throw new Fault(error.code, { detail: `${connection.id}: ${error.message}`, cause: error })
      throw error
    }
  }

  #event(type: EventType, job: Job, connection: ConnectionId, generation: number, { account, verified }: FirstToken, more: JsonObject = {}): NewEvent {
    const { clock, entropy } = this.#ports
    const data = { grant: job.grant, account: account?.account ?? null, generation, verified, ...more }
    return {
      id: newId('evt', entropy),
      organization: job.organization,
      type,
      at: clock.wall(),
      actor: job.actor,
      connection,
      subject: job.context.integration.id,
      data,
    }
  }
}

/** @throws Fault `invalid_request` */
function machineGrantOf(record: ProviderRecord): MachineGrant {
  if (isMachineGrant(record.grant)) return record.grant
  const detail = `${record.name} asks its user in a browser: create a connect session (POST connect/sessions), or import tokens that you hold.`
  throw new Fault('invalid_request', { field: '/credentials', detail })
}

/** @throws Fault `invalid_request` naming the credential */
function proofOf(grant: MachineGrant, given: OwnCredentials, record: ProviderRecord): Pick<Job, 'credentials' | 'secret'> {
  const credentials = checkCredentials(grant, given, record.name)
  return { credentials, secret: isStaticGrant(grant) ? staticSecretOf(grant, credentials) : null }
}

/** @throws Fault `invalid_request` naming the variable */
function givenVariables(
  record: ProviderRecord,
  integration: Pick<Integration, 'variables'>,
  given: Readonly<Record<string, string>>,
  stored: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const checked = checkVariables(given, record)
  const missing = variablesToAsk(record, { ...integration.variables, ...stored, ...checked }).find((variable) => variable.default === null)
  if (missing === undefined) return checked
  const detail = `${record.name} needs \`${missing.name}\` (${missing.label}). Example: ${missing.example}.`
  throw new Fault('invalid_request', { field: `/variables/${missing.name}`, detail })
}

/** @throws Fault `invalid_request` */
function checkEnd(grant: MachineGrant, expiresAt: Instant | null, now: Instant): void {
  if (expiresAt === null) return
  if (!isStaticGrant(grant))
    throw new Fault('invalid_request', { field: '/expires_at', detail: 'The provider tells when its tokens end: leave `expires_at` out.' })
  if (expiresAt <= now) throw new Fault('invalid_request', { field: '/expires_at', detail: 'These credentials are over already: `expires_at` is in the past.' })
}

/** The client id of a client that is replaced does not stay. */
function lasting(facts: Readonly<Record<string, string>>, grant: MachineGrant): Readonly<Record<string, string>> {
  return grant === 'client_credentials' ? Object.fromEntries(Object.entries(facts).filter(([name]) => name !== 'client_id')) : facts
}

function accountOf(first: FirstToken, given: MachineGiven): string | null {
  return first.account?.account ?? given.account
}

function labelOf(first: FirstToken, given: MachineGiven): string | null {
  return given.accountLabel ?? first.account?.label ?? null
}

function otherAccount(told: string, stored: string): Fault {
  return new Fault('account_mismatch', {
    field: '/credentials',
    detail: `These credentials belong to the account ${told}, the connection to ${stored}. Nothing was changed.`,
  })
}
