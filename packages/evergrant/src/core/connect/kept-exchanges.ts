import type { Journal } from '../refresh/journal.ts'
import type { Clock, Instant } from '../time.ts'
import type { ConnectService } from './connect-service.ts'

interface KeptExchangePorts {
  readonly connect: Pick<ConnectService, 'resumeStaged' | 'noteKept' | 'reopenInterrupted'>
  readonly journal: Pick<Journal, 'pending' | 'unopened'>
  readonly clock: Pick<Clock, 'wall'>
  readonly decode: (body: Uint8Array) => string
}

/**
 * Codes that were exchanged in an earlier life of this node, and whose answers only its journal has. What cannot go on at the start, because a key, a
 * discovery document or the network is away, is tried again each minute; until then its session waits, and no node that starts opens it anew.
 */
export class KeptExchanges {
  readonly #ports: KeptExchangePorts

  constructor(ports: KeptExchangePorts) {
    this.#ports = ports
  }

  /**
   * At boot: goes on with what can go on, then opens what nobody has an answer to. `graceMs`: as long as another node may be in the middle of an exchange.
   * Returns how many answers are settled.
   */
  async recover(graceMs: number): Promise<number> {
    const at = await this.#note()
    const settled = await this.#resume()
    await this.#ports.connect.reopenInterrupted(at - graceMs)
    return settled
  }

  /** Each minute. Returns how many answers are settled. Costs nothing where the journal keeps none. */
  async retry(): Promise<number> {
    await this.#note()
    return this.#resume()
  }

  /** Before anything is tried: trying may take longer than a node that starts would wait. */
  async #note(): Promise<Instant> {
    const { connect, journal, clock } = this.#ports
    const kept = (await journal.pending()).filter(({ subject }) => subject.kind === 'connect_session').map(({ intent }) => intent)
    const at = clock.wall()
    const intents = [...kept, ...(journal.unopened?.() ?? [])]
    if (intents.length > 0) await connect.noteKept(intents, at)
    return at
  }

  async #resume(): Promise<number> {
    const { connect, journal, decode } = this.#ports
    let settled = 0
    for (const record of await journal.pending()) {
      if (record.subject.kind !== 'connect_session') continue
      if ((await connect.resumeStaged(record, decode)) === 'settled') settled += 1
    }
    return settled
  }
}
