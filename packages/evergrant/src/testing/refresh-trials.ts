import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { newConnection } from '../core/connection/new-connection.ts'
import { type ConnectionId, newId, type OrganizationId } from '../core/ids.ts'
import { createRefreshEngine, type Engine } from '../core/refresh/engine.ts'
import type { EnginePorts } from '../core/refresh/engine-ports.ts'
import { TRUSTING } from '../core/refresh/high-water.ts'
import { ALONE } from '../core/refresh/liveness.ts'
import { newCredential } from '../core/refresh/new-credential.ts'
import { type ProtocolTimes, protocolTimes } from '../core/refresh/protocol-times.ts'
import { openFileJournal } from '../journal/file-journal.ts'
import { defineProvider } from '../providers/define.ts'
import { createProviderDirectory } from '../providers/directory.ts'
import type { Store } from '../store/index.ts'
import { systemClock, systemEntropy, systemTimers } from '../system.ts'
import { SETTINGS } from './engine-lab.ts'
import { CHAIN_URL, type NumberedCalls, numberedPorts } from './numbered-calls.ts'
import { testSeal } from './seal.ts'
import { type TruthfulClass, TruthfulProvider } from './truthful-provider.ts'

export const CLASSES: readonly TruthfulClass[] = ['P0', 'P1', 'P2', 'P3', 'P4', 'PU']
const SCALE = 500
const WINDOW_MS = 3_000

/** Table 2.8 divided by 500; what bounds our own machine is short, too, so that a pause can pass it. */
export const TRIAL_TIMES: ProtocolTimes = {
  ...protocolTimes(SCALE),
  claimToSendMs: 150,
  callerWaitMs: 1_000,
  databaseGraceMs: 20,
  commitRetryBaseMs: 5,
  commitRetryCapMs: 50,
}

/** One connection with a provider of its own. */
export interface Trial {
  readonly reuse: TruthfulClass
  /** Each access token opens a session by a further request, and only that is of use. */
  readonly chained: boolean
  readonly provider: TruthfulProvider
  readonly organization: OrganizationId
  readonly connection: ConnectionId
  readonly folder: string
}

/** Refreshes on a real store, with real files as journals and the machine's own clock, at the speed of {@link TRIAL_TIMES}. */
export class RefreshTrials {
  readonly store: Store
  readonly #folder = mkdtempSync(join(tmpdir(), 'evergrant-trials-'))
  readonly #seal = testSeal()
  readonly #organization = newId('org', systemEntropy)
  readonly #sharedDatabase: boolean
  #trials = 0
  #unsubscribe: (() => void)[] = []

  private constructor(store: Store, sharedDatabase: boolean) {
    this.store = store
    this.#sharedDatabase = sharedDatabase
  }

  static async on(store: Store, options: { readonly sharedDatabase: boolean }): Promise<RefreshTrials> {
    const trials = new RefreshTrials(store, options.sharedDatabase)
    const organization = trials.#organization
    await store.organizations.insert(
      { id: organization, name: 'Acme', slug: organization.replace('_', '-'), createdAt: 0 },
      trials.#event('organization.created'),
    )
    return trials
  }

  #event(type: 'organization.created' | 'integration.created' | 'connection.created') {
    const at = systemClock.wall()
    const actor = { kind: 'system', id: null } as const
    return { id: newId('evt', systemEntropy), organization: this.#organization, type, at, actor, connection: null, subject: null, data: {} }
  }

  /** A connection in an integration of its own; its access token lives for `lifetimeMs`. */
  async begin(reuse: TruthfulClass, { lifetimeMs = 800, chained = false } = {}): Promise<Trial> {
    this.#trials += 1
    const name = `t${this.#trials}`
    const provider = new TruthfulProvider(name, reuse, WINDOW_MS, systemClock.wall)
    const now = systemClock.wall()
    const organization = this.#organization
    const integration = newId('int', systemEntropy)
    const connection = newId('con', systemEntropy)
    await this.store.integrations.insert(
      {
        ...{ id: integration, organization, slug: integration.replace('_', '-'), name, provider: idOf(reuse, chained), clientId: 'client' },
        ...{ clientSecret: null, scopes: [], variables: {}, settings: SETTINGS, blocked: null, deathsHeld: null, createdAt: now, updatedAt: now, version: 1 },
      },
      this.#event('integration.created'),
    )
    const tokens = {
      accessToken: provider.accessToken(1),
      refreshToken: provider.refreshToken(1),
      tokenType: 'Bearer',
      accessExpiresAt: now + lifetimeMs,
      refreshExpiresAt: null,
    }
    const record = recordOf(reuse, chained)
    const credential = newCredential(
      { organization, connection, generation: 1, tokens, obtainedAt: now, record, settings: SETTINGS },
      this.#seal,
      systemEntropy,
    )
    await this.store.connections.insert({
      connection: newConnection(now, { id: connection, organization, integration, owner: name, account: name }),
      credential,
      dueAt: null,
      event: this.#event('connection.created'),
    })
    return { reuse, chained, provider, organization, connection, folder: join(this.#folder, name) }
  }

  /** An engine on this trial's provider. Engines of one node share a journal, one after the other. */
  async engine(trial: Trial, node: { readonly id: string; readonly incarnation: string }, calls: NumberedCalls): Promise<Engine> {
    const journal = await openFileJournal(join(trial.folder, node.id), this.#seal, systemClock, { capacity: 192 * 1024 })
    const ports: EnginePorts = {
      clock: systemClock,
      timers: systemTimers,
      entropy: systemEntropy,
      seal: this.#seal,
      log: { info: () => {}, warn: () => {}, error: () => {} },
      credentials: this.store.credentials,
      integrations: this.store.integrations,
      directory: createProviderDirectory({
        records: CLASSES.flatMap((reuse) => [recordOf(reuse, false), recordOf(reuse, true)]),
        fetchJson: () => Promise.reject(new Error('no discovery here')),
        clock: systemClock,
      }),
      endpoint: { open: () => Promise.reject(new Error('replaced')) },
      journal,
      node: { id: `${node.id}-${trial.connection}`, incarnation: node.incarnation },
      nodes: this.store.nodes,
      liveness: ALONE,
      trust: TRUSTING,
      changesFresh: () => this.store.changes.fresh(),
      times: TRIAL_TIMES,
      options: { cacheEntries: 10, backgroundFlights: 4, databaseFirst: this.#sharedDatabase, withoutStoreMs: 0 },
      observe: () => {},
      decode: (bytes) => new TextDecoder().decode(bytes),
    }
    const engine = createRefreshEngine(numberedPorts(ports, trial.provider, calls))
    const stop = this.store.changes.subscribe((change) => {
      if (change.kind === 'connection') engine.forget(change.connection)
      if (change.kind === 'integration') engine.contexts.forget(change.integration)
    })
    this.#unsubscribe.push(stop)
    return engine
  }

  /** As it is stored of a refresh token. */
  fingerprint(refreshToken: string): string {
    return this.#seal.fingerprint(refreshToken)
  }

  close(): void {
    for (const stop of this.#unsubscribe) stop()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

function idOf(reuse: TruthfulClass, chained: boolean): string {
  return `truthful-${reuse.toLowerCase()}${chained ? '-chained' : ''}`
}

function recordOf(reuse: TruthfulClass, chained: boolean) {
  const request = { url: CHAIN_URL, headers: null, parameters: { access_token: '{access_token}' } }
  return defineProvider({
    id: idOf(reuse, chained),
    name: `Truthful ${reuse}`,
    authorize: { url: 'https://provider.example/authorize' },
    token: { url: 'https://provider.example/token' },
    reuse: { class: reuse, windowSeconds: reuse === 'P1' ? WINDOW_MS / 1_000 : 0, evidence: 'scripted' },
    rotation: reuse === 'P0' ? 'never' : 'always',
    account: [{ from: 'answer', path: 'account' }],
    chain: chained ? [{ request, onRefresh: true, accessToken: 'session' }] : [],
  })
}
