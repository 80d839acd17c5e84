import type { OrganizationId } from '../ids.ts'
import { type Clock, type Instant, MINUTE, SECOND, type Timers } from '../time.ts'

export const TOPICS = ['connections', 'events', 'alerts', 'deliveries', 'agents'] as const
export type Topic = (typeof TOPICS)[number]

/** Something that the people of one organization are told. `data` is JSON already, made once for all who listen. */
interface LiveMessage {
  readonly topic: Topic
  /** The event of the stream: `connection`, `event`, `alert`, ... */
  readonly event: string
  readonly data: string
}

/** Where one listener's words go. */
export interface LiveSink {
  /** False: it does not keep up, and is told no more. */
  send(event: string, data: string, id: string | null): boolean
  end(): void
}

export interface LiveSubscription {
  readonly organization: OrganizationId
  /** Who listens: so many streams for each. */
  readonly listener: string
  readonly topics: ReadonlySet<Topic>
  /** Where an earlier stream broke off. */
  readonly lastId: string | null
  readonly sink: LiveSink
  /** Asked at every beat and whenever something about people changed: a stream lives no longer than what opened it. */
  readonly allowed: () => Promise<boolean>
}

interface LivePorts {
  readonly clock: Clock
  readonly timers: Pick<Timers, 'after'>
  /** Names this start: ids of another one are not known here. */
  readonly incarnation: string
  /** This node, as people know it. */
  readonly node: string
  readonly version: string
  /** An instant as the API writes it. */
  readonly timeText: (at: Instant) => string
  readonly beatMs?: number
}

interface Kept {
  readonly sequence: number
  readonly at: number
  readonly message: LiveMessage
}

interface Room {
  readonly listeners: Set<LiveSubscription>
  /** The last ten minutes, oldest first. */
  ring: Kept[]
  /** Sequence of the newest that is not in the ring any more. */
  forgotten: number
  sequence: number
  /** Monotonic; null while somebody listens. */
  emptySince: number | null
}

const BEAT_MS = 15 * SECOND
const KEPT_MS = 10 * MINUTE
const KEPT_MOST = 2_000
/** Streams of one person or key at one node: more than the windows of a person, and no way to hold all sockets. */
export const STREAMS_EACH = 8

/** Fans out what happens to whoever listens, and remembers ten minutes of it for those whose line broke. */
export class LiveHub {
  readonly #ports: LivePorts
  readonly #rooms = new Map<OrganizationId, Room>()
  /** Where a new room begins: behind every id that a forgotten one gave out, so that none of those is taken for a place in it. */
  #firstSequence = 0
  #stopBeat: (() => void) | null = null
  #closed = false

  constructor(ports: LivePorts) {
    this.#ports = ports
  }

  /** Somebody listens, or did within the last ten minutes and may come back. */
  heard(organization: OrganizationId): boolean {
    return this.#rooms.has(organization)
  }

  organizations(): readonly OrganizationId[] {
    return [...this.#rooms.keys()]
  }

  /** Streams that this listener has open here. */
  streamsOf(listener: string): number {
    let count = 0
    for (const { listeners } of this.#rooms.values()) for (const one of listeners) if (one.listener === listener) count += 1
    return count
  }

  /** Says hello, and what was missed since `lastId` or, when that is not known any more, that everything has to be read again. Returns how to leave. */
  subscribe(subscription: LiveSubscription): () => void {
    const { clock, node, version } = this.#ports
    const { organization, sink, lastId } = subscription
    if (this.#closed) {
      sink.end()
      return () => {}
    }
    const room = this.#roomOf(organization)
    // Who goes on keeps its place until it was told what it missed: the line may break before that.
    const place = lastId === null ? this.#idOf(room.sequence) : null
    sink.send('hello', JSON.stringify({ server_time: this.#ports.timeText(clock.wall()), node, version }), place)
    if (!this.#catchUp(room, subscription)) {
      sink.end()
      return () => {}
    }
    room.listeners.add(subscription)
    room.emptySince = null
    this.#beatSoon()
    return () => this.#leave(room, subscription)
  }

  /** Nobody is told of an organization that nobody listens to. */
  publish(organization: OrganizationId, message: LiveMessage): void {
    const room = this.#rooms.get(organization)
    if (room === undefined) return
    room.sequence += 1
    room.ring.push({ sequence: room.sequence, at: this.#ports.clock.mono(), message })
    this.#trim(room)
    const id = this.#idOf(room.sequence)
    for (const listener of [...room.listeners]) if (listener.topics.has(message.topic)) this.#tell(room, listener, message.event, message.data, id)
  }

  /** More happened than was worth telling: everybody reads again. */
  reset(organization: OrganizationId): void {
    const room = this.#rooms.get(organization)
    if (room === undefined) return
    // It has a number of its own: whose line is broken at this moment is told when it is back.
    room.sequence += 1
    room.forgotten = room.sequence
    room.ring = []
    for (const listener of [...room.listeners]) this.#tell(room, listener, 'reset', '{}', this.#idOf(room.sequence))
  }

  /** Something about people, keys or memberships changed: whoever may listen no longer stops now. */
  recheck(): void {
    for (const room of this.#rooms.values()) for (const listener of [...room.listeners]) void this.#check(room, listener)
  }

  /** Ends every stream: their clients come back, to this node or another. */
  close(): void {
    this.#closed = true
    this.#stopBeat?.()
    this.#stopBeat = null
    for (const { listeners } of this.#rooms.values()) for (const { sink } of listeners) sink.end()
    this.#rooms.clear()
  }

  #roomOf(organization: OrganizationId): Room {
    const known = this.#rooms.get(organization)
    if (known !== undefined) return known
    const sequence = this.#firstSequence
    const room: Room = { listeners: new Set(), ring: [], forgotten: sequence, sequence, emptySince: null }
    this.#rooms.set(organization, room)
    return room
  }

  /** False: it does not keep up with what it missed. */
  #catchUp(room: Room, { lastId, topics, sink }: LiveSubscription): boolean {
    if (lastId === null) return true
    const from = this.#sequenceOf(lastId)
    this.#trim(room)
    if (from === null || from < room.forgotten || from > room.sequence) return sink.send('reset', '{}', this.#idOf(room.sequence))
    return room.ring
      .filter(({ sequence, message }) => sequence > from && topics.has(message.topic))
      .every(({ sequence, message }) => sink.send(message.event, message.data, this.#idOf(sequence)))
  }

  #idOf(sequence: number): string {
    return `${this.#ports.incarnation}-${sequence}`
  }

  /** Null: of another start. */
  #sequenceOf(id: string): number | null {
    const cut = id.lastIndexOf('-')
    const sequence = Number(id.slice(cut + 1))
    return cut > 0 && id.slice(0, cut) === this.#ports.incarnation && Number.isSafeInteger(sequence) ? sequence : null
  }

  #trim(room: Room): void {
    const oldest = this.#ports.clock.mono() - KEPT_MS
    let gone = Math.max(0, room.ring.length - KEPT_MOST)
    while ((room.ring[gone]?.at ?? Number.POSITIVE_INFINITY) < oldest) gone += 1
    if (gone === 0) return
    room.forgotten = room.ring[gone - 1]?.sequence ?? room.forgotten
    room.ring = room.ring.slice(gone)
  }

  #tell(room: Room, listener: LiveSubscription, event: string, data: string, id: string | null): void {
    if (listener.sink.send(event, data, id)) return
    this.#leave(room, listener)
    listener.sink.end()
  }

  #leave(room: Room, listener: LiveSubscription): void {
    room.listeners.delete(listener)
    if (room.listeners.size === 0) room.emptySince = this.#ports.clock.mono()
  }

  #beatSoon(): void {
    if (this.#stopBeat !== null) return
    this.#stopBeat = this.#ports.timers.after(this.#ports.beatMs ?? BEAT_MS, () => {
      this.#stopBeat = null
      this.#beat()
      if (this.#rooms.size > 0 && !this.#closed) this.#beatSoon()
    })
  }

  #beat(): void {
    const { clock } = this.#ports
    const data = JSON.stringify({ server_time: this.#ports.timeText(clock.wall()) })
    for (const [organization, room] of this.#rooms) {
      this.#trim(room)
      if (room.emptySince !== null && clock.mono() - room.emptySince > KEPT_MS) {
        this.#rooms.delete(organization)
        this.#firstSequence = Math.max(this.#firstSequence, room.sequence + 1)
        continue
      }
      for (const listener of [...room.listeners]) {
        this.#tell(room, listener, 'beat', data, null)
        void this.#check(room, listener)
      }
    }
  }

  /** What cannot be told, because the database is away, ends nobody's stream. */
  async #check(room: Room, listener: LiveSubscription): Promise<void> {
    const allowed = await listener.allowed().catch(() => true)
    if (allowed || !room.listeners.has(listener)) return
    this.#leave(room, listener)
    listener.sink.end()
  }
}
