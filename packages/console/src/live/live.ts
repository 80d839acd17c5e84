import type { QueryClient } from '@tanstack/react-query'
import { useSyncExternalStore } from 'react'
import type { Name } from '../api/operations.ts'
import { ApiError } from '../api/problem.ts'
import { readAgainAsTold } from '../api/queries.ts'
import { onPreferences, preferences } from '../preferences/preferences.ts'
import { system } from '../system.ts'
import { openStream } from './open-stream.ts'
import { patch, readSummaries, readWhatIsOld } from './patches.ts'
import { readStream, type StreamMessage } from './stream-reader.ts'
import { shownBy } from './told-by-events.ts'

/** `live`: the stream is open. `polling`: it is not, and everything on the screen is read again every 10 s. */
type LiveStatus = 'connecting' | 'live' | 'polling' | 'paused' | 'hidden'

export interface LiveState {
  readonly status: LiveStatus
  /** When the server was last heard. */
  readonly heardAt: number
  /** How many connections changed that their list did not have when it was read, for the "N new" pill. */
  readonly fresh: number
}

export type Listener = (message: StreamMessage) => void

const POLL_MS = 10_000
/** The server says something every 15 s. */
const SILENCE_MS = 40_000
const SUMMARY_MS = 3_000
/** Many messages are one reading. */
const GATHER_MS = 700
const BACK_OFF_MS = [1_000, 2_000, 5_000, 10_000, 30_000] as const

/** The server said no, so it was heard. */
const wasRefused = (error: unknown): boolean => error instanceof ApiError && error.problem.status < 500 && error.problem.code !== 'foreign_answer'

/** The one stream of this page. */
export class Live {
  #state: LiveState = { status: 'connecting', heardAt: system.now(), fresh: 0 }
  readonly #client: QueryClient
  readonly #openStream: typeof openStream
  readonly #changed = new Set<() => void>()
  readonly #listeners = new Set<Listener>()
  readonly #ends: (() => void)[] = []
  readonly #fresh = new Set<string>()
  #abort: AbortController | undefined
  #lastId: string | null = null
  #failures = 0
  /** False until the first try: what the page asks for then is asked with its stream. */
  #isBegun = false
  /** When the stream was asked for last. */
  #askedAt = 0
  #retry: (() => void) | undefined
  #summary: (() => void) | undefined
  readonly #told = new Set<Name>()

  constructor(client: QueryClient, open: typeof openStream = openStream) {
    this.#client = client
    this.#openStream = open
  }

  readonly getState = (): LiveState => this.#state
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#changed.add(listener)
    return () => this.#changed.delete(listener)
  }

  /** Hears every message, for what is not a list of rows: a tail, a progress bar. */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Starts when the page does. Returns what ends it. */
  start(): () => void {
    const seen = (): void => this.#steer()
    let wanted = preferences().live
    document.addEventListener('visibilitychange', seen)
    this.#ends.push(
      () => document.removeEventListener('visibilitychange', seen),
      // Another tab pauses this one, too: they have one switch.
      onPreferences(() => {
        if (preferences().live === wanted) return
        wanted = preferences().live
        this.#steer()
      }),
      system.every(POLL_MS, () => this.#watch()),
    )
    this.#steer()
    return () => {
      for (const end of this.#ends.splice(0)) end()
      this.#close()
    }
  }

  /** Opens, or rests: paused by the person, or unseen. */
  #steer(): void {
    if (!preferences().live) return this.#rest('paused')
    if (document.hidden) return this.#rest('hidden')
    if (this.#abort !== undefined) return
    this.#failures = 0
    void this.#open()
  }

  /** The list is read again: nothing is new to it any more. */
  seen(): void {
    this.#fresh.clear()
    if (this.#state.fresh > 0) this.#set({ fresh: 0 })
  }

  /** One that changes often is one. */
  #isFresh(id: string): void {
    this.#fresh.add(id)
    if (this.#state.fresh !== this.#fresh.size) this.#set({ fresh: this.#fresh.size })
  }

  #rest(status: LiveStatus): void {
    this.#isBegun = true
    this.#close()
    this.#set({ status })
  }

  #close(): void {
    this.#retry?.()
    this.#retry = undefined
    this.#abort?.abort()
    this.#abort = undefined
  }

  async #open(): Promise<void> {
    const abort = new AbortController()
    this.#abort = abort
    this.#askedAt = system.now()
    const isLate = this.#isBegun && this.#lastId === null
    this.#isBegun = true
    if (this.#state.status === 'paused' || this.#state.status === 'hidden') this.#set({ status: 'connecting' })
    try {
      const body = await this.#openStream(this.#lastId, abort.signal)
      this.#failures = 0
      this.#heard('live')
      // No id says what was missed before: everything on the screen is from then.
      if (isLate) void this.#client.invalidateQueries()
      await readStream(body, (message) => this.#take(message))
      throw new Error('the stream ended')
    } catch {
      if (abort.signal.aborted) return
      this.#abort = undefined
      this.#later()
    }
  }

  /** The stream broke: read by hand until it is back. */
  #later(): void {
    this.#set({ status: 'polling' })
    const wait = BACK_OFF_MS[Math.min(this.#failures, BACK_OFF_MS.length - 1)] ?? 30_000
    this.#failures += 1
    this.#retry = system.after(wait * (0.75 + system.uniform() / 2), () => {
      if (preferences().live && !document.hidden && this.#abort === undefined) void this.#open()
    })
  }

  #take(message: StreamMessage): void {
    if (message.id !== null) this.#lastId = message.id
    this.#heard('live')
    for (const listener of this.#listeners) listener(message)
    if (message.event === 'beat') return
    if (message.event === 'hello') {
      if (message.id !== null) this.#hearsFromHere()
      return
    }
    this.#readSoon(shownBy(message))
    if (patch(this.#client, message) === 'nothing' && message.event === 'connection') this.#isFresh((JSON.parse(message.data) as { readonly id: string }).id)
    this.#summarizeSoon()
  }

  /** What happened before is told to nobody. What was answered by now may be from then, and so may summaries: the server gives one to all who ask within 2 s. */
  #hearsFromHere(): void {
    void this.#client.invalidateQueries({ predicate: ({ state }) => state.data !== undefined }, { cancelRefetch: false })
    this.#summarizeSoon()
  }

  /** On the screen or not: what is shown again later must not be older than what was told. */
  #readSoon(operations: readonly Name[]): void {
    if (operations.length > 0 && this.#told.size === 0)
      system.after(GATHER_MS, () => {
        const told = [...this.#told]
        this.#told.clear()
        readAgainAsTold(this.#client, told)
      })
    for (const operation of operations) this.#told.add(operation)
  }

  #summarizeSoon(): void {
    this.#summary ??= system.after(SUMMARY_MS, () => {
      this.#summary = undefined
      readSummaries(this.#client)
    })
  }

  /** Every 10 s: reads by hand where there is no stream, and ends a stream that fell silent, or that something on the way never let begin. */
  #watch(): void {
    const silentSince = this.#state.status === 'live' ? this.#state.heardAt : this.#askedAt
    // A clock that was set back says nothing of how long it was silent.
    if (this.#abort !== undefined && Math.abs(system.now() - silentSince) > SILENCE_MS) {
      this.#close()
      this.#later()
    }
    if (this.#state.status === 'live') return readWhatIsOld(this.#client)
    if (this.#state.status !== 'polling') return
    // What takes longer than 10 s is waited for, not asked anew.
    void this.#client.refetchQueries({ type: 'active' }, { cancelRefetch: false }).then(() => {
      if (
        !this.#client
          .getQueryCache()
          .findAll({ type: 'active' })
          .some(({ state }) => state.status === 'error' && !wasRefused(state.error))
      )
        this.#heard(this.#state.status)
    })
  }

  #heard(status: LiveStatus): void {
    this.#set({ status, heardAt: system.now() })
  }

  #set(change: Partial<LiveState>): void {
    this.#state = { ...this.#state, ...change }
    for (const listener of this.#changed) listener()
  }
}

export function useLiveState(live: Live): LiveState {
  return useSyncExternalStore(live.subscribe, live.getState)
}
