import type { ConnectionId } from '../ids.ts'
import type { Log } from '../log.ts'
import type { Clock } from '../time.ts'
import { type HighWater, NOTHING_ROLLED, type RolledForward, type RollsForward } from './high-water.ts'
import { behindOf } from './high-water-compare.ts'
import type { Journal } from './journal.ts'
import type { Lineage, Lineages } from './lineage.ts'
import { type BehindMark, findBehind, stillBehind, storedOf } from './look-back.ts'

interface RollingPorts {
  readonly clock: Clock
  readonly log: Log
  readonly lineages: Pick<Lineages, 'generationsOf' | 'report' | 'reportAgain'>
  readonly marks: Pick<HighWater, 'all'>
  readonly journal: Pick<Journal, 'answers'>
  readonly node: string
}

/** What other nodes brought forward is asked for as often as this, where no notification came. */
const OTHERS_MS = 1_000

/** Of the time between two questions at most a twentieth is spent on asking. */
const REST_AFTER = 20

/**
 * One node's part in bringing an older database forward. Nodes that renewed one grant in turn have the links of its chain
 * in turn: where one of them stops another goes on, and each says in the database up to where it has looked. When all
 * have looked at what is stored now, nothing goes on any more.
 */
export class RollingForward {
  readonly #ports: RollingPorts
  #rolled: RolledForward = NOTHING_ROLLED
  /** What this node's journal could not bring up to date, with what the database said of it then. */
  readonly #left = new Map<ConnectionId, BehindMark>()
  readonly #moved = new Set<ConnectionId>()
  #turns: Promise<void> | null = null
  #askAgainAt = Number.NEGATIVE_INFINITY

  constructor(ports: RollingPorts) {
    this.#ports = ports
  }

  /** Everything that this node knows to be newer, applied as far as its journal goes, and reported. Resolves with the answers. */
  async lookBack(lineage: Lineage, rollForward: RollsForward): Promise<number> {
    const { lineages, log, node } = this.#ports
    this.forget()
    const behind = await findBehind(this.#ports, lineage.eraAt)
    this.#rolled = await rollForward(new Set(behind.map(({ connection }) => connection)))
    const left = await this.#settled(this.#rolled, behind)
    await lineages.report(node, lineage.era, left)
    for (const one of left) this.#left.set(one.connection, one)
    const { answers } = this.#rolled
    log.warn({ behind: behind.length, answers, left: left.length }, 'the journal was rolled forward into the older database; an operator has to confirm it')
    return answers
  }

  /** The trust is back, or is to be judged anew. */
  forget(): void {
    this.#rolled = NOTHING_ROLLED
    this.#left.clear()
    this.#moved.clear()
    this.#askAgainAt = Number.NEGATIVE_INFINITY
  }

  /** Told by a notification. Rejects as the store does; what was told is then found by the next question. */
  moved(connection: ConnectionId): Promise<void> {
    if (!this.#left.has(connection)) return Promise.resolve()
    this.#moved.add(connection)
    return this.#takeTurns()
  }

  /** Asks the database itself: a notification can get lost. */
  async askOthers(): Promise<void> {
    const { clock, lineages } = this.#ports
    const started = clock.mono()
    if (this.#left.size === 0 || started < this.#askAgainAt) return
    this.#askAgainAt = Number.POSITIVE_INFINITY
    try {
      const left = [...this.#left.values()]
      const was = new Map(left.map(({ connection, stored }) => [connection, stored]))
      const still = new Map((await stillBehind(lineages, left.map(markOf))).map((one) => [one.connection, one]))
      for (const { connection } of left) if (still.get(connection)?.stored !== was.get(connection)) this.#moved.add(connection)
    } finally {
      this.#askAgainAt = clock.mono() + Math.max(OTHERS_MS, REST_AFTER * (clock.mono() - started))
    }
    await this.#takeTurns()
  }

  #takeTurns(): Promise<void> {
    this.#turns ??= this.#eachTurn().finally(() => {
      this.#turns = null
    })
    return this.#turns
  }

  async #eachTurn(): Promise<void> {
    while (this.#moved.size > 0) {
      const moved = [...this.#moved].filter((connection) => this.#left.has(connection))
      this.#moved.clear()
      if (moved.length > 0) await this.#turn(moved).catch((error: unknown) => this.#keep(moved, error))
    }
  }

  /** Nothing may have moved since: the next question takes these up again all the same. */
  #keep(moved: readonly ConnectionId[], error: unknown): never {
    for (const connection of moved) this.#moved.add(connection)
    throw error
  }

  async #turn(moved: readonly ConnectionId[]): Promise<void> {
    const { lineages, node } = this.#ports
    const rolled = this.#rolled
    const still = await this.#settled(
      rolled,
      moved.flatMap((connection) => this.#left.get(connection) ?? []),
    )
    // Forgotten meanwhile: what is reported belongs to another look back.
    if (rolled !== this.#rolled) return
    await lineages.reportAgain(node, moved, still)
    for (const connection of moved) this.#left.delete(connection)
    for (const one of still) this.#left.set(one.connection, one)
  }

  /**
   * Goes on until nothing of this journal fits what the database holds, in one and the same look: what another node stores
   * between a try and a look would otherwise be reported as tried.
   */
  async #settled(rolled: RolledForward, marks: readonly BehindMark[]): Promise<readonly BehindMark[]> {
    const left: BehindMark[] = []
    for (let open = marks; open.length > 0; ) {
      const stoppedAt = await rolled.goOn(open.map(({ connection }) => connection))
      const stored = await storedOf(this.#ports.lineages, open)
      const isTried = ({ connection }: BehindMark) => !stoppedAt.has(connection) || stoppedAt.get(connection) === stored.get(connection)?.generation
      const tried = open.filter(isTried)
      const fingerprints = new Map(tried.map(({ connection, fingerprint }) => [connection, fingerprint]))
      const behind = behindOf(tried.map(markOf), [...stored.values()])
      left.push(...behind.map((one) => ({ ...one, fingerprint: fingerprints.get(one.connection) ?? null })))
      open = open.filter((mark) => !isTried(mark))
    }
    return left
  }
}

const markOf = ({ connection, marked, fingerprint }: BehindMark) => ({ connection, generation: marked, fingerprint })
