import { isEvergrantError } from '../../evergrant-error.ts'
import { AgentClientError, CredentialStoreError } from './client-errors.ts'
import type { Tell } from './credential-events.ts'
import type { Platform } from './platform.ts'
import type { RenewRequest } from './rotation.ts'
import type { Snapshot } from './snapshot.ts'

export interface Renewals {
  load(): Promise<Snapshot>
  renew(request?: RenewRequest): Promise<Snapshot>
}

export interface KeeperOptions {
  readonly platform: Platform
  readonly tell: Tell
  /** How often a caller who has no token at all waits for another try. */
  readonly maxRetries: number
}

/** A token that ends within this is not sent any more: it would be over on its way. */
const LAST_MS = 10_000
const BACKOFF_MIN_MS = 1_000
const BACKOFF_MAX_MS = 60_000
/** After failures, somebody who waits for a token hears of the last one at once, and is a try of his own again after this. */
const FAIL_FAST_MS = 2_000
const TIMER_MAX_MS = 3_600_000

/** The credential of this process: kept fresh ahead of time, by one renewal at a time, and used for as long as it lives. */
export class Keeper {
  readonly #options: KeeperOptions
  readonly #renewals: Renewals
  #snapshot: Snapshot | null = null
  #flight: Promise<Snapshot> | null = null
  #failures = 0
  #notBefore = 0
  #failedAt = Number.NEGATIVE_INFINITY
  #failure: unknown = null
  /** What stopped it, as it was told. */
  #told: string | null = null
  #cancel: () => void = () => {}
  #closed = false

  constructor(renewals: Renewals, options: KeeperOptions) {
    this.#renewals = renewals
    this.#options = options
  }

  /** Takes what is stored, without asking the server. */
  async start(): Promise<Snapshot> {
    return this.#take(await this.#renewals.load())
  }

  get snapshot(): Snapshot | null {
    return this.#snapshot
  }

  /** A credential whose access token lives. @throws EvergrantError when there is none and none can be had */
  async use(): Promise<Snapshot> {
    const now = this.#options.platform.now()
    const held = this.#snapshot
    if (held !== null && now < held.renewAt) return held
    if (held !== null && now < held.validUntil - LAST_MS) {
      this.#beside()
      return held
    }
    try {
      return await this.#insist({})
    } catch (error) {
      // An answer in its last seconds is better than none.
      if (held !== null && this.#options.platform.now() < held.validUntil) return held
      throw error
    }
  }

  /** The server refused the access token of this snapshot: whatever is newer. */
  refused(snapshot: Snapshot): Promise<Snapshot> {
    const held = this.#snapshot
    if (held !== null && held.access.text !== snapshot.access.text) return Promise.resolve(held)
    return this.#insist({ refused: snapshot.access.text })
  }

  renew(request: RenewRequest): Promise<Snapshot> {
    return this.#fly(request)
  }

  /** Waits for what is under way, starts nothing more. */
  async close(): Promise<void> {
    this.#closed = true
    this.#cancel()
    await this.#flight?.catch(() => {})
  }

  /** Tries again where that may help, a few times: somebody waits. */
  async #insist(request: RenewRequest): Promise<Snapshot> {
    const { platform, maxRetries } = this.#options
    for (let tries = 0; ; tries += 1) {
      if (tries === 0 && this.#failures > maxRetries && this.#hasJustFailed()) throw this.#failure
      try {
        return await this.#fly(request)
      } catch (error) {
        if (tries >= maxRetries || !isTransient(error) || this.#closed) throw error
        await platform.wait(Math.min(this.#restMs(), BACKOFF_MIN_MS * 2 ** tries))
      }
    }
  }

  /** Milliseconds until another try makes sense. More than any pause lasts: this machine's clock was set back, and says nothing about it. */
  #restMs(): number {
    const leftMs = this.#notBefore - this.#options.platform.now()
    return leftMs > BACKOFF_MAX_MS ? 0 : Math.max(0, leftMs)
  }

  /** A failure from the future was noted before the clock was set back. */
  #hasJustFailed(): boolean {
    const agoMs = this.#options.platform.now() - this.#failedAt
    return agoMs >= 0 && agoMs < FAIL_FAST_MS
  }

  #beside(): void {
    if (this.#closed || this.#flight !== null || this.#restMs() > 0) return
    // Told to whoever listens; the token in hand goes on.
    this.#fly({}).catch(() => {})
  }

  /** One renewal for all who want one. A wish that the flight under way does not fulfil is a flight of its own after it. */
  async #fly(request: RenewRequest): Promise<Snapshot> {
    if (this.#closed) throw new AgentClientError({ status: 0, code: 'closed', action: 'none', detail: 'This client was closed.' })
    if (this.#flight !== null) {
      if (request.newKey !== true && request.force !== true) return this.#flight
      await this.#flight.catch(() => {})
    }
    this.#flight = this.#renewals
      .renew(request)
      .then(
        (snapshot) => this.#take(snapshot),
        (error: unknown) => this.#fail(error),
      )
      .finally(() => {
        this.#flight = null
      })
    return this.#flight
  }

  #take(snapshot: Snapshot): Snapshot {
    this.#snapshot = snapshot
    this.#failures = 0
    this.#failure = null
    this.#told = null
    this.#notBefore = 0
    this.#schedule(snapshot.renewAt)
    return snapshot
  }

  #fail(error: unknown): never {
    const { platform, tell } = this.#options
    this.#failures += 1
    this.#failure = error
    this.#failedAt = platform.now()
    const pause = Math.min(BACKOFF_MIN_MS * 2 ** (this.#failures - 1), BACKOFF_MAX_MS) * (0.5 + platform.random() / 2)
    const asked = isEvergrantError(error) && error.retryAt !== null ? error.retryAt.getTime() : 0
    this.#notBefore = Math.max(platform.now() + pause, Math.min(asked, platform.now() + BACKOFF_MAX_MS))
    if (isEvergrantError(error)) {
      const lasting = !isTransient(error)
      // A look at what is known already says nothing new: whoever is woken by this is woken once.
      if (!lasting || this.#told !== error.message) tell({ type: lasting ? 'stopped' : 'renewal_failed', message: error.message, error })
      if (lasting) this.#told = error.message
    }
    this.#schedule(this.#notBefore)
    throw error
  }

  #schedule(at: number): void {
    this.#cancel()
    if (this.#closed) return
    const { platform } = this.#options
    const due = Math.max(0, at - platform.now())
    // Timers of the runtime know whole milliseconds, and may come before the pause is over: then there is another.
    this.#cancel = platform.after(Math.min(due, TIMER_MAX_MS), () => (due > TIMER_MAX_MS || this.#restMs() > 0 ? this.#schedule(at) : this.#beside()))
  }
}

/** Another try may end differently without anybody doing anything. */
function isTransient(error: unknown): boolean {
  if (error instanceof CredentialStoreError) return error.code === 'credential_store_unwritable' || error.code === 'credential_lock_held'
  if (!isEvergrantError(error)) return false
  if (error.code === 'reload_credentials' || error.code === 'attempt_over') return true
  return error.status === 429 || error.status >= 500 || error.code === 'connection_failed' || error.code === 'connection_timed_out'
}
