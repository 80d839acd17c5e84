import type { EventType, NewEvent } from '../../core/audit/event.ts'
import type { Connection, StoredFault } from '../../core/connection/connection.ts'
import type { NewCredential } from '../../core/connection/credential.ts'
import type { Integration, IntegrationSettings } from '../../core/connection/integration.ts'
import { newConnection } from '../../core/connection/new-connection.ts'
import { type ConnectionId, type IntegrationId, type IntentId, newId, type OrganizationId } from '../../core/ids.ts'
import type { ClaimRequest, FailureCommit, GrantCommit, GrantRow, NodeIdentity, StoredAnswer } from '../../core/refresh/credentials.ts'
import { NO_END } from '../../core/refresh/grant-lifetime.ts'
import type { Instant } from '../../core/time.ts'
import type { Store } from '../contract.ts'
import type { StoreContext } from './store-case.ts'

/** Long before any clock that runs a test, so that what is due at it is due. */
export const PAST: Instant = 1_600_000_000_000
/** Long after. */
export const FUTURE: Instant = 4_000_000_000_000

const settings: IntegrationSettings = {
  renewal: 'auto',
  marginMs: null,
  redirectUri: null,
  returnUrls: [],
  concurrency: 4,
  proxyReplays: 1,
  authorizeParameters: {},
  reuse: null,
  token: null,
  checkEveryMs: null,
  quotaReserve: 0,
  signIn: null,
}

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
export const textOf = (bytes: Uint8Array | null): string | null => (bytes === null ? null : new TextDecoder().decode(bytes))

/** The credential of one generation; its token says which. */
export function tokens(generation: number, changes: Partial<NewCredential> = {}): NewCredential {
  return {
    accessToken: bytesOf(`access ${generation}`),
    refreshToken: bytesOf(`refresh ${generation}`),
    fingerprint: `fingerprint ${generation}`,
    tokenType: 'Bearer',
    obtainedAt: PAST,
    accessExpiresAt: FUTURE,
    refreshExpiresAt: null,
    softAt: PAST + 1,
    hardAt: PAST + 2,
    ...changes,
  }
}

export const faultAt = (at: Instant, code: StoredFault['code'] = 'provider_unavailable'): StoredFault => ({
  code,
  at,
  evidence: { intent: null, httpStatus: 503, providerCode: null, providerText: null, answerHash: null },
})

/** One organization with one integration, and the words to do things in it. */
export class TestOrganization {
  readonly store: Store
  readonly context: StoreContext
  readonly organization: OrganizationId
  readonly integration: Integration

  private constructor(store: Store, context: StoreContext) {
    this.store = store
    this.context = context
    this.organization = newId('org', context.entropy)
    this.integration = this.newIntegration()
  }

  static async open(store: Store, context: StoreContext): Promise<TestOrganization> {
    const org = new TestOrganization(store, context)
    const { organization } = org
    await store.organizations.insert(
      { id: organization, name: 'Example', slug: organization.replace('_', '-'), createdAt: PAST },
      org.event('organization.created'),
    )
    await store.integrations.insert(org.integration, org.event('integration.created'))
    return org
  }

  event(type: EventType, connection: ConnectionId | null = null): NewEvent {
    const { entropy } = this.context
    return {
      id: newId('evt', entropy),
      organization: this.organization,
      type,
      at: PAST,
      actor: { kind: 'system', id: null },
      connection,
      subject: null,
      data: { n: 1 },
    }
  }

  intent(): IntentId {
    return newId('itn', this.context.entropy)
  }

  node(name = 'node-a', incarnation = '1'): NodeIdentity {
    return { id: `${name}-${this.organization}`, incarnation }
  }

  newIntegration(changes: Partial<Integration> = {}): Integration {
    const id: IntegrationId = newId('int', this.context.entropy)
    return {
      id,
      organization: this.organization,
      slug: id.replace('_', '-'),
      name: 'Example provider',
      provider: 'example',
      clientId: 'client',
      clientSecret: bytesOf('sealed secret'),
      scopes: ['read'],
      variables: { org: 'a' },
      settings,
      blocked: null,
      deathsHeld: null,
      createdAt: PAST,
      updatedAt: PAST,
      version: 1,
      ...changes,
    }
  }

  newConnection(changes: Partial<Connection> = {}): Connection {
    const id: ConnectionId = newId('con', this.context.entropy)
    return newConnection(PAST, {
      id,
      organization: this.organization,
      integration: this.integration.id,
      owner: `owner of ${id}`,
      metadata: { plan: 'basic' },
      tags: ['one'],
      scopes: ['read'],
      facts: { base: 'https://api.example.com' },
      ...changes,
    })
  }

  /** A stored connection of generation 1. */
  async connect(changes: Partial<Connection> = {}, dueAt: Instant | null = null, credential: NewCredential = tokens(1)): Promise<ConnectionId> {
    const connection = this.newConnection(changes)
    await this.store.connections.insert({ connection, credential, dueAt, event: this.event('connection.created', connection.id) })
    return connection.id
  }

  async row(connection: ConnectionId): Promise<GrantRow> {
    const row = await this.store.credentials.read(connection)
    if (row === undefined) throw new Error(`${connection} is not stored`)
    return row
  }

  /** Makes it due then, whatever its due time is now. */
  async due(connection: ConnectionId, at: Instant | null): Promise<void> {
    const { dueAt } = (await this.row(connection)).health
    await this.store.credentials.reschedule({ connection, takenUntil: dueAt }, at)
  }

  claimRequest(connection: ConnectionId, changes: Partial<ClaimRequest> = {}): ClaimRequest {
    return { connection, generation: 1, epoch: 0, node: this.node(), intent: this.intent(), leaseMs: 60_000, ...changes }
  }

  /** Claims generation `generation` and returns the intent. */
  async claimed(connection: ConnectionId, changes: Partial<ClaimRequest> = {}): Promise<IntentId> {
    const request = this.claimRequest(connection, changes)
    const outcome = await this.store.credentials.claim(request)
    if (outcome.kind !== 'claimed') throw new Error(`the claim was ${outcome.kind}`)
    return request.intent
  }

  answer(intent: IntentId, changes: Partial<StoredAnswer> = {}): StoredAnswer {
    return { intent, receivedAt: PAST + 5, httpStatus: 200, verdict: 'granted', body: bytesOf(`answer ${intent}`), bodyHash: 'hash', ...changes }
  }

  grant(connection: ConnectionId, intent: IntentId, presented: number, changes: Partial<GrantCommit> = {}): GrantCommit {
    return {
      connection,
      organization: this.organization,
      intent,
      presentedGeneration: presented,
      presentedFingerprint: `fingerprint ${presented}`,
      answer: this.answer(intent),
      credential: tokens(presented + 1),
      scopes: null,
      facts: {},
      account: null,
      dueAt: FUTURE,
      end: NO_END,
      yields: false,
      event: this.event('connection.refreshed', connection),
      ...changes,
    }
  }

  failure(connection: ConnectionId, intent: IntentId | null, changes: Partial<FailureCommit> = {}): FailureCommit {
    return {
      connection,
      organization: this.organization,
      intent,
      attempt: intent ?? this.intent(),
      presentedGeneration: 1,
      answer: null,
      effect: 'untouched',
      answered: false,
      fault: faultAt(PAST + 7),
      countsAsFailure: true,
      nextAttemptAt: PAST + 8,
      dueAt: FUTURE,
      event: this.event('connection.refresh_failed', connection),
      death: null,
      ...changes,
    }
  }
}
