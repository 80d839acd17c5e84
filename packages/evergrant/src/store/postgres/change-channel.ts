import pg from 'pg'
import type { ConnectionId, IntegrationId, OrganizationId, SessionId, UserId } from '../../core/ids.ts'
import type { QuotaState } from '../../core/pacing/quotas.ts'
import type { Clock, Timers } from '../../core/time.ts'
import type { Change, Changes, StoreOptions } from '../contract.ts'
import { Listeners } from '../listeners.ts'
import type { ChangeSink } from './postgres-database.ts'

const PING_MS = 300
const FRESH_MS = 1_000
/** Without an echo for this long the connection is given up: a half-open socket looks healthy for minutes. */
const DEAF_MS = 3_000
const RECONNECT_MS = 250
/** Longer than the server lets a statement run: a commit whose answer was lost has happened by then, or never will. */
const DOUBT_MS = 35_000
/** PostgreSQL takes 8,000 bytes a notification; an id has 40. */
const IDS_PER_PAYLOAD = 150
/** A quota has less than 360. */
const QUOTAS_PER_PAYLOAD = 20

interface Payload {
  readonly from: string
  readonly ping?: true
  readonly connections?: readonly ConnectionId[]
  readonly integrations?: readonly IntegrationId[]
  readonly keys?: true
  readonly signing?: true
  readonly sessions?: readonly SessionId[]
  readonly users?: readonly UserId[]
  readonly organizations?: readonly OrganizationId[]
  readonly quotas?: readonly QuotaState[]
}

/** `LISTEN/NOTIFY` on one dedicated connection, with an echo of our own that proves it is heard. */
export class ChangeChannel implements Changes, ChangeSink {
  readonly #from: string
  readonly #config: pg.ClientConfig
  readonly #clock: Clock
  readonly #timers: Timers
  readonly #log: StoreOptions['log']
  readonly #listeners: Listeners
  #client: pg.Client | null = null
  #heardAt = Number.NEGATIVE_INFINITY
  #doubtUntil = Number.NEGATIVE_INFINITY
  #cancel: () => void = () => {}
  #closed = false

  /** `from` tells our own notifications from those of other stores. */
  constructor(from: string, config: pg.ClientConfig, options: StoreOptions) {
    this.#from = from
    this.#config = config
    this.#clock = options.clock
    this.#timers = options.timers
    this.#log = options.log
    this.#listeners = new Listeners(options.log)
  }

  /** Resolves when the first echo is on its way. */
  async open(): Promise<void> {
    await this.#connect()
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#cancel()
    const client = this.#client
    this.#client = null
    await client?.end().catch(() => {})
  }

  subscribe(listener: (change: Change) => void): () => void {
    return this.#listeners.subscribe(listener)
  }

  fresh(): boolean {
    return this.#clock.mono() - this.#heardAt <= FRESH_MS
  }

  announce(changes: readonly Change[]): void {
    this.#listeners.announce(changes)
  }

  /** Told now, and once more when the server notifies us of what we thought lost: a reader between the two may have found the old state. */
  doubt(changes: readonly Change[]): void {
    this.#doubtUntil = this.#clock.mono() + DOUBT_MS
    this.announce(changes)
  }

  /** Who notifies, for a statement that builds its own payload. */
  get origin(): string {
    return this.#from
  }

  notification(changes: readonly Change[]): readonly string[] {
    if (changes.length === 0) return []
    const connections = [...new Set(changes.flatMap((change) => (change.kind === 'connection' ? [change.connection] : [])))]
    const integrations = [...new Set(changes.flatMap((change) => (change.kind === 'integration' ? [change.integration] : [])))]
    const keys = changes.some((change) => change.kind === 'api_key')
    const payloads: Payload[] = []
    for (let at = 0; at < connections.length; at += IDS_PER_PAYLOAD)
      payloads.push({ from: this.#from, connections: connections.slice(at, at + IDS_PER_PAYLOAD) })
    for (let at = 0; at < integrations.length; at += IDS_PER_PAYLOAD)
      payloads.push({ from: this.#from, integrations: integrations.slice(at, at + IDS_PER_PAYLOAD) })
    const sessions = [...new Set(changes.flatMap((change) => (change.kind === 'session' ? [change.session] : [])))]
    for (let at = 0; at < sessions.length; at += IDS_PER_PAYLOAD) payloads.push({ from: this.#from, sessions: sessions.slice(at, at + IDS_PER_PAYLOAD) })
    const users = [...new Set(changes.flatMap((change) => (change.kind === 'user' ? [change.user] : [])))]
    for (let at = 0; at < users.length; at += IDS_PER_PAYLOAD) payloads.push({ from: this.#from, users: users.slice(at, at + IDS_PER_PAYLOAD) })
    const organizations = [...new Set(changes.flatMap((change) => (change.kind === 'organization' ? [change.organization] : [])))]
    for (let at = 0; at < organizations.length; at += IDS_PER_PAYLOAD)
      payloads.push({ from: this.#from, organizations: organizations.slice(at, at + IDS_PER_PAYLOAD) })
    const quotas = changes.flatMap((change) => (change.kind === 'quota' ? [change.state] : []))
    for (let at = 0; at < quotas.length; at += QUOTAS_PER_PAYLOAD) payloads.push({ from: this.#from, quotas: quotas.slice(at, at + QUOTAS_PER_PAYLOAD) })
    if (keys) payloads.push({ from: this.#from, keys: true })
    if (changes.some((change) => change.kind === 'signing_key')) payloads.push({ from: this.#from, signing: true })
    return payloads.map((payload) => JSON.stringify(payload))
  }

  async #connect(again = false): Promise<void> {
    const client = new pg.Client(this.#config)
    client.on('error', () => this.#lost(client))
    client.on('end', () => this.#lost(client))
    client.on('notification', (message) => this.#hear(message.payload ?? ''))
    this.#client = client
    try {
      await client.connect()
      await client.query('listen evergrant')
    } catch (error) {
      this.#client = null
      await client.end().catch(() => {})
      throw error
    }
    // Forgotten before it is trusted again: what happened meanwhile was heard by nobody.
    if (again && !this.#closed) this.announce([{ kind: 'unknown' }])
    this.#heardAt = this.#clock.mono()
    this.#ping(client)
  }

  #ping(client: pg.Client): void {
    if (this.#client !== client) return
    if (this.#clock.mono() - this.#heardAt > DEAF_MS) return this.#lost(client)
    client.query('select pg_notify($1, $2)', ['evergrant', JSON.stringify({ from: this.#from, ping: true })]).catch(() => this.#lost(client))
    this.#cancel = this.#timers.after(PING_MS, () => this.#ping(client))
  }

  #lost(client: pg.Client): void {
    if (this.#client !== client) return
    this.#client = null
    this.#cancel()
    this.#heardAt = Number.NEGATIVE_INFINITY
    client.end().catch(() => {})
    if (this.#closed) return
    this.#log?.warn({}, 'the notification channel of PostgreSQL is lost; reads go to the database until it is back')
    this.#cancel = this.#timers.after(RECONNECT_MS, () => void this.#reconnect())
  }

  async #reconnect(): Promise<void> {
    if (this.#closed) return
    try {
      await this.#connect(true)
    } catch {
      this.#cancel = this.#timers.after(RECONNECT_MS, () => void this.#reconnect())
      return
    }
    // Close may have come while the connection was made.
    if (this.#closed) await this.close()
  }

  #hear(text: string): void {
    const payload = parse(text)
    if (payload === null) return
    if (payload.from === this.#from) {
      if (payload.ping === true) this.#heardAt = this.#clock.mono()
      if (this.#clock.mono() > this.#doubtUntil) return
    }
    const changes: Change[] = []
    for (const connection of payload.connections ?? []) changes.push({ kind: 'connection', connection })
    for (const integration of payload.integrations ?? []) changes.push({ kind: 'integration', integration })
    for (const session of payload.sessions ?? []) changes.push({ kind: 'session', session })
    for (const user of payload.users ?? []) changes.push({ kind: 'user', user })
    for (const organization of payload.organizations ?? []) changes.push({ kind: 'organization', organization })
    for (const state of payload.quotas ?? []) changes.push({ kind: 'quota', state })
    if (payload.keys === true) changes.push({ kind: 'api_key' })
    if (payload.signing === true) changes.push({ kind: 'signing_key' })
    this.announce(changes)
  }
}

/** Anybody with the database's password may notify; what is not ours is ignored. */
function parse(text: string): Payload | null {
  try {
    const payload: unknown = JSON.parse(text)
    return typeof payload === 'object' && payload !== null && 'from' in payload ? (payload as Payload) : null
  } catch {
    return null
  }
}
