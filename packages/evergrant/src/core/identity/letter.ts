import type { Log } from '../log.ts'
import { MINUTE, SECOND, type Timers } from '../time.ts'

/** One mail, one recipient. `html` says the same as `text`, for readers that show it. */
export interface Letter {
  readonly to: string
  readonly subject: string
  readonly text: string
  readonly html?: string
}

/** Carries one letter. Rejects when it was not taken; the error's message names no recipient. */
export interface Mailer {
  send(letter: Letter): Promise<void>
}

/** Waits between tries: a mail server that greylists takes the letter within minutes. */
const RETRY_MS = [5 * SECOND, 30 * SECOND, 2 * MINUTE, 10 * MINUTE]
/** More than this waiting means that the mail server is away: what comes then is refused at once, and said so. */
const WAITING_MAX = 1_000

interface PostboxPorts {
  readonly mailer: Mailer
  readonly timers: Pick<Timers, 'after'>
  readonly log: Log
}

/** Sends letters after their transaction, without holding up an answer, and tries again when that fails. */
export class Postbox {
  readonly #ports: PostboxPorts
  readonly #underWay = new Set<Promise<void>>()

  constructor(ports: PostboxPorts) {
    this.#ports = ports
  }

  /** `failed` is told once, when the last try failed. Never throws. */
  post(letter: Letter, purpose: string, failed: () => void): void {
    if (this.#underWay.size >= WAITING_MAX) return this.#give(purpose, failed, 'too many letters are waiting')
    const work = this.#carry(letter, purpose, failed).finally(() => this.#underWay.delete(work))
    this.#underWay.add(work)
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay)
  }

  /** Waits until nothing is under way, and no longer than `ms`: for a process that is about to end. */
  async drain(ms: number): Promise<void> {
    if (this.#underWay.size === 0) return
    await new Promise<void>((resolve) => {
      const cancel = this.#ports.timers.after(ms, resolve)
      void this.settled().then(() => {
        cancel()
        resolve()
      })
    })
  }

  async #carry(letter: Letter, purpose: string, failed: () => void): Promise<void> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        await this.#ports.mailer.send(letter)
        return
      } catch (error) {
        const why = error instanceof Error ? error.message : 'unknown'
        const wait = RETRY_MS[attempt]
        if (wait === undefined) return this.#give(purpose, failed, why)
        this.#ports.log.warn({ purpose, attempt: attempt + 1, error: why, retry_in_ms: wait }, 'a letter was not taken; it is sent again')
        // A wait for another try keeps no process alive.
        await new Promise<void>((resolve) => this.#ports.timers.after(wait, resolve))
      }
    }
  }

  #give(purpose: string, failed: () => void, why: string): void {
    this.#ports.log.error({ purpose, error: why }, 'a letter could not be sent: check EVERGRANT_SMTP_URL; the person can ask for another')
    failed()
  }
}
