import type { AuditEvent } from '../audit/event.ts'
import type { ConnectionDetails, ConnectionService } from '../connection/connection-service.ts'
import { type AgentId, type ConnectionId, type EventId, type InstallationId, idFrom, type OrganizationId } from '../ids.ts'
import type { Log } from '../log.ts'
import type { GrantRow } from '../refresh/credentials.ts'
import { type Clock, type Instant, SECOND, type Timers } from '../time.ts'
import type { LiveHub } from './live-hub.ts'
import type { Observed } from './observed.ts'

/** Changes of one connection within this time are one message. */
const GATHER_MS = 250
/** Connections that are read for one gathering; what is more waits for the next. */
const READ_AT_ONCE = 100
/** More that wait than anybody can follow: everybody reads again. */
const WAITING_MOST = 2_000
const RESET_EVERY_MS = 10 * SECOND
const TAIL_MS = SECOND
/** A transaction that took this long, or a node whose clock is this late, hides no event. */
const OVERLAP_MS = 5 * SECOND
const EVENTS_AT_ONCE = 200

interface FeedPorts {
  readonly hub: Pick<LiveHub, 'heard' | 'organizations' | 'publish' | 'reset' | 'recheck'>
  readonly observed: Pick<Observed, 'eventsSince'>
  readonly connections: Pick<ConnectionService, 'detailed'>
  readonly readRow: (id: ConnectionId) => Promise<GrantRow | undefined>
  readonly agentIn: (organization: OrganizationId, id: AgentId) => Promise<boolean>
  readonly organizationOf: (installation: InstallationId) => Promise<OrganizationId | undefined>
  /** As the API shows them, in JSON. */
  readonly connectionText: (details: ConnectionDetails) => string
  readonly eventText: (event: AuditEvent) => string
  readonly clock: Clock
  readonly timers: Pick<Timers, 'after'>
  readonly log: Pick<Log, 'warn'>
}

/** What a feed hears of a store's changes. */
export type HeardChange =
  | { readonly kind: 'connection'; readonly connection: ConnectionId }
  | { readonly kind: 'agent'; readonly agent: AgentId }
  | { readonly kind: 'installation'; readonly installation: InstallationId }
  | { readonly kind: 'people' }
  | { readonly kind: 'unknown' }

/** How far events were looked for. */
interface Tail {
  readonly from: Instant
  /** Null before the first look. */
  readonly seen: ReadonlySet<EventId> | null
  /** Monotonic: when everybody was last made to read again, and whether more was left out since. */
  readonly resetAt: number
  readonly owesReset: boolean
}

/** Turns what the store tells into messages of the stream. Reads nothing while nobody listens. */
export class LiveFeed {
  readonly #ports: FeedPorts
  readonly #waiting = new Set<ConnectionId>()
  readonly #tails = new Map<OrganizationId, Tail>()
  #gathering = false
  #tailing = false
  #resetting = false
  #closed = false
  #resetAt = Number.NEGATIVE_INFINITY

  constructor(ports: FeedPorts) {
    this.#ports = ports
  }

  hear(change: HeardChange): void {
    const { hub } = this.#ports
    if (this.#closed || hub.organizations().length === 0) return
    switch (change.kind) {
      case 'connection':
        this.#waiting.add(change.connection)
        if (this.#waiting.size > WAITING_MOST) return this.#giveUp()
        return this.#gatherSoon()
      case 'agent':
        return void this.#agent(change.agent).catch((error: unknown) => this.#missed(error))
      case 'installation':
        return void this.#installation(change.installation).catch((error: unknown) => this.#missed(error))
      case 'people':
        return hub.recheck()
      case 'unknown':
        this.#giveUp()
        return hub.recheck()
    }
  }

  /** Somebody has begun to listen: from now on events are looked for. */
  listen(): void {
    const { hub, clock } = this.#ports
    for (const organization of hub.organizations())
      if (!this.#tails.has(organization)) {
        this.#tails.set(organization, { from: clock.wall(), seen: null, resetAt: Number.NEGATIVE_INFINITY, owesReset: false })
      }
    if (!this.#tailing && !this.#closed) this.#tailSoon()
  }

  close(): void {
    this.#closed = true
    this.#waiting.clear()
  }

  /** Everybody reads again: now, or as soon as the last time is long enough ago. */
  #giveUp(): void {
    const { clock, timers } = this.#ports
    this.#waiting.clear()
    if (this.#resetting || this.#closed) return
    const waitMs = this.#resetAt + RESET_EVERY_MS - clock.mono()
    if (waitMs <= 0) return this.#reset()
    this.#resetting = true
    timers.after(waitMs, () => {
      this.#resetting = false
      if (!this.#closed) this.#reset()
    })
  }

  #reset(): void {
    const { hub, clock } = this.#ports
    this.#resetAt = clock.mono()
    for (const organization of hub.organizations()) hub.reset(organization)
  }

  #gatherSoon(): void {
    if (this.#gathering) return
    this.#gathering = true
    this.#ports.timers.after(GATHER_MS, () => {
      this.#gather()
        .catch((error: unknown) => this.#missed(error))
        .finally(() => {
          this.#gathering = false
          if (this.#waiting.size > 0 && !this.#closed) this.#gatherSoon()
        })
    })
  }

  async #gather(): Promise<void> {
    const { hub, connections, readRow, connectionText } = this.#ports
    const ids = [...this.#waiting].slice(0, READ_AT_ONCE)
    for (const id of ids) this.#waiting.delete(id)
    const rows = await Promise.all(ids.map(readRow))
    const wanted = rows.filter((row) => row !== undefined).filter(({ connection }) => hub.heard(connection.organization))
    for (const details of await connections.detailed(wanted))
      hub.publish(details.row.connection.organization, { topic: 'connections', event: 'connection', data: connectionText(details) })
  }

  #tailSoon(): void {
    this.#tailing = true
    this.#ports.timers.after(TAIL_MS, () => {
      this.#tail()
        .catch((error: unknown) => this.#failed(error))
        .finally(() => {
          this.#tailing = false
          if (this.#ports.hub.organizations().length > 0) this.listen()
        })
    })
  }

  /** Events are found by their ids, which are in order of time. Those of the last seconds are read again: one may have become visible late. */
  async #tail(): Promise<void> {
    const { hub, observed, clock, eventText } = this.#ports
    const heard = hub.organizations()
    for (const organization of this.#tails.keys()) if (!heard.includes(organization)) this.#tails.delete(organization)
    for (const organization of heard) {
      const now = clock.wall()
      const tail = this.#tails.get(organization) ?? { from: now, seen: null, resetAt: Number.NEGATIVE_INFINITY, owesReset: false }
      const found = await observed.eventsSince(organization, idFrom('evt', tail.from - OVERLAP_MS), EVENTS_AT_ONCE)
      // What lay there before anybody listened is read from the list.
      const since = idFrom('evt', tail.from - TAIL_MS)
      const news = found.filter(({ id }) => (tail.seen === null ? id >= since : !tail.seen.has(id)))
      const isTooMuch = news.length === EVENTS_AT_ONCE
      const owesReset = tail.owesReset || isTooMuch
      // Not with every look: who reads everything once a second is never done.
      const resets = owesReset && clock.mono() - tail.resetAt >= RESET_EVERY_MS
      this.#tails.set(organization, {
        from: now,
        seen: new Set(found.map(({ id }) => id)),
        resetAt: resets ? clock.mono() : tail.resetAt,
        owesReset: owesReset && !resets,
      })
      if (resets) hub.reset(organization)
      else if (!isTooMuch) for (const event of news) hub.publish(organization, { topic: 'events', event: 'event', data: eventText(event) })
    }
  }

  async #agent(id: AgentId): Promise<void> {
    const { hub, agentIn } = this.#ports
    for (const organization of hub.organizations()) {
      if (await agentIn(organization, id)) hub.publish(organization, { topic: 'agents', event: 'agent', data: JSON.stringify({ id, kind: 'agent' }) })
    }
  }

  async #installation(id: InstallationId): Promise<void> {
    const organization = await this.#ports.organizationOf(id)
    if (organization !== undefined)
      this.#ports.hub.publish(organization, { topic: 'agents', event: 'agent', data: JSON.stringify({ id, kind: 'installation' }) })
  }

  /** What changed is not told any more: only who reads again hears of it. */
  #missed(error: unknown): void {
    this.#failed(error)
    this.#giveUp()
  }

  /** The stream goes on without it; a list that is read anew has it. */
  #failed(error: unknown): void {
    this.#ports.log.warn({ error: error instanceof Error ? error.message : String(error) }, 'a change was not told to those who watch')
  }
}
