import pg from 'pg'
import type { AgentId, AlertId, ConnectionId, DeliveryId, InstallationId, IntegrationId, OrganizationId, SessionId, UserId } from '../../core/ids.ts'
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
  readonly connections?: readonly string[]
  readonly integrations?: readonly string[]
  readonly keys?: true
  readonly signing?: true
  readonly sessions?: readonly string[]
  readonly users?: readonly string[]
  readonly organizations?: readonly string[]
  readonly agents?: readonly string[]
  readonly installations?: readonly string[]
  readonly alerts?: readonly string[]
  readonly deliveries?: readonly string[]
  readonly quotas?: readonly QuotaState[]
}

/** A change that carries an id, under the name of its kind. */
type NamedKind = Exclude<Change['kind'], 'api_key' | 'signing_key' | 'quota' | 'unknown'>
type ListName = 'connections' | 'integrations' | 'sessions' | 'users' | 'organizations' | 'agents' | 'installations' | 'alerts' | 'deliveries'

/** Every kind has a row here, or this does not compile: one that does not travel is a revocation that other nodes never see. */
const LISTS: { readonly [Kind in NamedKind]: { readonly list: ListName; readonly change: (id: string) => Change } } = {
  connection: { list: 'connections', change: (id) => ({ kind: 'connection', connection: id as ConnectionId }) },
  integration: { list: 'integrations', change: (id) => ({ kind: 'integration', integration: id as IntegrationId }) },
  session: { list: 'sessions', change: (id) => ({ kind: 'session', session: id as SessionId }) },
  user: { list: 'users', change: (id) => ({ kind: 'user', user: id as UserId }) },
  organization: { list: 'organizations', change: (id) => ({ kind: 'organization', organization: id as OrganizationId }) },
  agent: { list: 'agents', change: (id) => ({ kind: 'agent', agent: id as AgentId }) },
  installation: { list: 'installations', change: (id) => ({ kind: 'installation', installation: id as InstallationId }) },
  alert: { list: 'alerts', change: (id) => ({ kind: 'alert', alert: id as AlertId }) },
  delivery: { list: 'deliveries', change: (id) => ({ kind: 'delivery', delivery: id as DeliveryId }) },
}

const isNamed = (change: Change): change is Extract<Change, { kind: NamedKind }> => Object.hasOwn(LISTS, change.kind)

/** `LISTEN/NOTIFY` on one dedicated connection, with an echo of our own that proves it is heard. */
export class ChangeChannel implements Changes, ChangeSink {
  readonly #from: string
  readonly #config: pg.ClientConfig
  readonly #clock: Clock
  readonly #timers: Timers
  readonly #log: StoreOptions['log']
  readonly #listeners: Listeners
  #client: pg.Client | null = null
  /** Whose ping is on its way. */
  #pinged: pg.Client | null = null
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
    const named = new Map<ListName, Set<string>>()
    for (const change of changes) {
      if (!isNamed(change)) continue
      const { list } = LISTS[change.kind]
      named.set(list, (named.get(list) ?? new Set()).add(String(Reflect.get(change, change.kind))))
    }
    const payloads: Payload[] = []
    for (const [list, ids] of named) {
      const all = [...ids]
      for (let at = 0; at < all.length; at += IDS_PER_PAYLOAD) payloads.push({ from: this.#from, [list]: all.slice(at, at + IDS_PER_PAYLOAD) })
    }
    const quotas = changes.flatMap((change) => (change.kind === 'quota' ? [change.state] : []))
    for (let at = 0; at < quotas.length; at += QUOTAS_PER_PAYLOAD) payloads.push({ from: this.#from, quotas: quotas.slice(at, at + QUOTAS_PER_PAYLOAD) })
    if (changes.some((change) => change.kind === 'api_key')) payloads.push({ from: this.#from, keys: true })
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
    this.#sendPing(client)
    this.#cancel = this.#timers.after(PING_MS, () => this.#ping(client))
  }

  /** Not while the one before it is unanswered: the connection takes one statement at a time, and a slow server is not asked twice. */
  #sendPing(client: pg.Client): void {
    if (this.#pinged === client) return
    this.#pinged = client
    const done = (): void => {
      if (this.#pinged === client) this.#pinged = null
    }
    client.query('select pg_notify($1, $2)', ['evergrant', JSON.stringify({ from: this.#from, ping: true })]).then(done, () => {
      done()
      this.#lost(client)
    })
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
    for (const { list, change } of Object.values(LISTS)) for (const id of payload[list] ?? []) changes.push(change(id))
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
