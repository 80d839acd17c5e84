import { at } from '../http.ts'
import { rest } from '../until.ts'
import type { Arena, Subject } from './arena.ts'
import type { Dice } from './dice.ts'
import type { ChaosNode } from './node.ts'

const JUDGE_EVERY_MS = 200
/** Refusals that tell a caller to come back, and the one that says that a grant is over. */
const EXPECTED_STATUS = new Set([503, 409, 429])
/** The grant is over; or the lie about a refused token was seen through. */
const EXPECTED_CODES = new Set(['refresh_outcome_lost', 'connection_revoked', 'upstream_token_refused'])

interface ReadCounts {
  reads: number
  /** Answered with a refusal that says when to come back. */
  refused: number
  /** The node was not there: killed, stopped or restarting. */
  unreachable: number
}

/** People who read tokens all the time, from every node, and hand in every token that they get. */
export class Readers {
  readonly counts: ReadCounts = { reads: 0, refused: 0, unreachable: 0 }
  readonly refusals = new Map<string, number>()
  /** Answers that no fault explains. */
  readonly odd: string[] = []
  readonly #arena: Arena
  readonly #restMs: number
  #going = true
  #judging: Promise<void> = Promise.resolve()
  readonly #loops: Promise<void>[] = []

  constructor(arena: Arena, restMs = 8) {
    this.#arena = arena
    this.#restMs = restMs
  }

  start(dice: Dice, perNode: number): void {
    for (const node of this.#arena.nodes) {
      for (let index = 0; index < perNode; index += 1) this.#loops.push(this.#read(node, dice.apart(index)))
    }
    this.#loops.push(this.#judgeOnAndOn())
  }

  async stop(): Promise<void> {
    this.#going = false
    await Promise.all(this.#loops)
    await this.judge()
  }

  /** Judges all that was handed out up to now. */
  judge(): Promise<void> {
    this.#judging = this.#judging.then(() => this.#arena.ledger.judge())
    return this.#judging
  }

  async #judgeOnAndOn(): Promise<void> {
    while (this.#going) {
      await this.judge()
      await rest(JUDGE_EVERY_MS)
    }
  }

  async #read(node: ChaosNode, dice: Dice): Promise<void> {
    let lastGeneration = 1
    while (this.#going) {
      const subject = dice.pick(this.#arena.subjects)
      // Now and then somebody says that the newest token was refused, true or not.
      const query = dice.chance(0.01) ? `?rejected_generation=${lastGeneration}` : ''
      lastGeneration = (await this.readOnce(node, subject, query)) ?? lastGeneration
      if (subject.profile === 'p2' && dice.chance(0.3)) await this.#useToken(node, subject)
      await rest(this.#restMs * (0.5 + dice.next()))
    }
  }

  /** One read; resolves with the generation that it gave, or null. */
  async readOnce(node: ChaosNode, subject: Subject, query = ''): Promise<number | null> {
    const cutOff = this.#arena.cutOff.has(node.name)
    const startedAt = performance.now()
    this.counts.reads += 1
    const reply = await node.api.get(`/connections/${subject.connection}/token${query}`).catch(() => null)
    if (reply === null) {
      this.counts.unreachable += 1
      return null
    }
    const token = at(reply.body, 'access_token')
    if (reply.status === 200 && typeof token === 'string') {
      const stillCutOff = cutOff || this.#arena.cutOff.has(node.name)
      this.#arena.ledger.handedOut({
        connection: subject.connection,
        node: node.name,
        token,
        startedAt,
        receivedAt: performance.now(),
        cutOff: stillCutOff,
      })
      return Number(at(reply.body, 'generation'))
    }
    this.#refused(node, subject, reply.status, String(at(reply.body, 'code')))
    return null
  }

  #refused(node: ChaosNode, subject: Subject, status: number, code: string): void {
    this.counts.refused += 1
    this.refusals.set(code, (this.refusals.get(code) ?? 0) + 1)
    if (!EXPECTED_STATUS.has(status) && !EXPECTED_CODES.has(code))
      this.odd.push(`${subject.connection} (${subject.profile}) at ${node.name}: ${status} ${code}`)
  }

  /** Calls the provider with the token: at P2 that ends the refresh token before it. */
  async #useToken(node: ChaosNode, subject: Subject): Promise<void> {
    const reply = await node.api.get(`/connections/${subject.connection}/token`).catch(() => null)
    const token = at(reply?.body, 'access_token')
    if (typeof token !== 'string') return
    await fetch(`${this.#arena.practice.url}/${subject.profile}/api/me`, { headers: { authorization: `Bearer ${token}` } }).catch(() => null)
  }
}
