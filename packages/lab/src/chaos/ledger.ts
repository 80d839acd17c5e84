import { createHash } from 'node:crypto'
import { at, type JsonClient } from '../http.ts'

/** One access token that the provider says it issued. */
interface Issue {
  readonly sequence: number
  readonly at: number
  readonly grant: string
  readonly generation: number
}

/** One answer of a token read. Times are of `performance.now()`. */
export interface Handout {
  readonly connection: string
  readonly node: string
  readonly token: string
  readonly startedAt: number
  readonly receivedAt: number
  /** True while the node was declared cut off from its database: it may then lag behind other nodes, as the docs say. */
  readonly cutOff: boolean
}

interface Mark {
  readonly receivedAt: number
  readonly sequence: number
}

const ACROSS_NODES_MS = 1_000
const MARKS_KEPT = 64

/** Holds every token that was handed out against the provider's own log. */
export class Ledger {
  readonly #control: JsonClient
  readonly #issues = new Map<string, Issue>()
  /** The newest token of each grant, as the provider knows it. */
  readonly #newest = new Map<string, Issue>()
  readonly #grants = new Map<string, Set<string>>()
  /** By connection and node, by connection as far as all nodes could know, and by connection alone: rising sequence numbers with the time they became known. */
  readonly #marks = new Map<string, Mark[]>()
  #waiting: Handout[] = []
  #after = 0
  checked = 0
  readonly wrong: string[] = []

  constructor(control: JsonClient) {
    this.#control = control
  }

  /** This grant stands behind this connection from now on; earlier ones stay its own. */
  owns(connection: string, grant: string): void {
    const grants = this.#grants.get(connection) ?? new Set()
    this.#grants.set(connection, grants.add(grant))
  }

  handedOut(handout: Handout): void {
    this.#waiting.push(handout)
  }

  /** Fetches what was issued since the last time and judges every token that waits. Call it from one place only. */
  async judge(): Promise<void> {
    const batch = this.#waiting
    this.#waiting = []
    const reply = await this.#control.get(`/issued?after=${this.#after}`)
    const issued = at(reply.body, 'issued')
    if (!Array.isArray(issued)) throw new Error(`the provider's log cannot be read: ${reply.status}`)
    for (const entry of issued) this.#note(entry)
    for (const handout of batch) this.#judge(handout)
  }

  #note(entry: unknown): void {
    const issue: Issue = {
      sequence: Number(at(entry, 'sequence')),
      at: Number(at(entry, 'at')),
      grant: String(at(entry, 'grant')),
      generation: Number(at(entry, 'generation')),
    }
    this.#after = Math.max(this.#after, issue.sequence)
    this.#issues.set(String(at(entry, 'fingerprint')), issue)
    this.#newest.set(issue.grant, issue)
  }

  #judge(handout: Handout): void {
    this.checked += 1
    const { connection, node, startedAt, receivedAt } = handout
    const issue = this.issueOf(handout.token)
    if (issue === undefined) return void this.wrong.push(`${connection} at ${node}: a token that was never issued`)
    if (this.#grants.get(connection)?.has(issue.grant) !== true) {
      return void this.wrong.push(`${connection} at ${node}: a token of another grant, ${issue.grant}`)
    }
    const { sequence } = issue
    const here = this.#known(`${connection} ${node}`, startedAt)
    if (sequence < here) this.wrong.push(`${connection} at ${node}: token ${sequence} after it had handed out ${here}`)
    const anywhere = this.#known(`${connection} told`, startedAt - ACROSS_NODES_MS)
    if (!handout.cutOff && sequence < anywhere) {
      this.wrong.push(`${connection} at ${node}: token ${sequence}, more than a second after another node had handed out ${anywhere}`)
    }
    this.#mark(`${connection} ${node}`, { sequence, receivedAt })
    this.#mark(connection, { sequence, receivedAt })
    // A node that is cut off may be ahead, too: it hands out what its journal has, and can tell nobody.
    if (!handout.cutOff) this.#mark(`${connection} told`, { sequence, receivedAt })
  }

  /** The newest sequence number that was known before this time. */
  #known(key: string, before: number): number {
    return this.#marks.get(key)?.findLast(({ receivedAt }) => receivedAt < before)?.sequence ?? 0
  }

  #mark(key: string, mark: Mark): void {
    const marks = this.#marks.get(key) ?? []
    if (mark.sequence > (marks.at(-1)?.sequence ?? 0)) marks.push(mark)
    if (marks.length > MARKS_KEPT) marks.shift()
    this.#marks.set(key, marks)
  }

  issueOf(token: string): Issue | undefined {
    return this.#issues.get(createHash('sha256').update(token).digest('base64url'))
  }

  newestOf(grant: string): Issue | undefined {
    return this.#newest.get(grant)
  }

  /** The newest token of this connection that any reader ever got. */
  newestHandedOut(connection: string): number {
    return this.#marks.get(connection)?.at(-1)?.sequence ?? 0
  }
}
