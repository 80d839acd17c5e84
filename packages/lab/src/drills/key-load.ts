import { at, type JsonReply } from '../http.ts'
import { rest } from '../until.ts'
import type { BenchNode, Held, Workbench } from '../workbench.ts'

type Phase = 'before' | 'during' | 'after'

const READERS = 4
const REFRESHERS = 4
const REST_MS = 25
const DAY_MS = 86_400_000

/** Callers who read tokens and renew connections while master keys change, and what each of them must get. */
export class KeyLoad {
  /** Grants that the provider knows, which are renewed all the time. */
  readonly live: Held[] = []
  phase: Phase = 'before'
  reads = 0
  wrong = 0
  /** Answers that say that a stored value did not open. */
  readonly failedOpens: string[] = []
  readonly failed: string[] = []
  /** When servers were killed, wall clock. */
  readonly kills: number[] = []
  /** Renewals that were refused because a kill had destroyed the answer of an earlier one: judged by what the provider saw. */
  readonly refusedAsLost = new Set<string>()
  /** Renewals that were told to wait, because a request was under way when its server was killed: only the provider knows what became of it. */
  waited = 0
  readonly #profile: string
  readonly #expected = new Map<string, string>()
  readonly #took: Record<Phase, number[]> = { before: [], during: [], after: [] }
  #node: BenchNode
  #going = false
  #killing = false
  #loops: readonly Promise<void>[] = []

  constructor(bench: Workbench, profile: string) {
    this.#node = { server: bench.server, api: bench.api }
    this.#profile = profile
  }

  /** Connections with a valid token that nobody renews: what is read from them never changes. */
  async fill(count: number, batch: number): Promise<void> {
    const expires_at = new Date(Date.now() + DAY_MS).toISOString()
    for (let from = 0; from < count; from += batch) {
      const items = Array.from({ length: Math.min(batch, count - from) }, (_, index) => ({
        integration: this.#profile,
        owner: `kept-${from + index}`,
        account: `kept-account-${from + index}`,
        access_token: `kept-access-${from + index}-${'x'.repeat(200)}`,
        refresh_token: `kept-refresh-${from + index}-${'y'.repeat(100)}`,
        expires_at,
      }))
      const { body, status, text } = await this.#node.api.post('/connections/import', items)
      const results = at(body, 'items')
      if (status !== 200 || !Array.isArray(results)) throw new Error(`the import answered ${status}: ${text.slice(0, 500)}`)
      for (const [index, result] of results.entries()) this.#expected.set(String(at(result, 'connection')), items[index]?.access_token ?? '')
    }
  }

  /** Asks this node from now on. */
  use(node: BenchNode): void {
    this.#node = node
  }

  start(): void {
    this.#going = true
    const kept = [...this.#expected.keys()]
    this.#loops = [
      ...Array.from({ length: READERS }, (_, index) => this.#loop((turn) => this.#read(kept[(index * 7919 + turn * 104_729) % kept.length] ?? ''))),
      ...Array.from({ length: REFRESHERS }, (_, index) => this.#loop((turn) => this.#renew(index, turn))),
    ]
  }

  async stop(): Promise<void> {
    this.#going = false
    await Promise.all(this.#loops)
  }

  /** A kill: requests that find nobody are not counted, nor how long those take that wait for the start. */
  async disturbed(act: () => Promise<void>): Promise<void> {
    this.#killing = true
    try {
      await act()
      await rest(1_000)
    } finally {
      this.#killing = false
    }
  }

  async kill({ server }: BenchNode): Promise<void> {
    this.kills.push(Date.now())
    await server.kill()
  }

  /** Every token that was stored at the beginning, once more. */
  async readAll(node: BenchNode): Promise<void> {
    this.use(node)
    const kept = [...this.#expected.keys()]
    for (let from = 0; from < kept.length; from += READERS) await Promise.all(kept.slice(from, from + READERS).map((connection) => this.#read(connection)))
  }

  p99(phase: Phase): number {
    const sorted = this.#took[phase].toSorted((left, right) => left - right)
    return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.99))] ?? Number.NaN
  }

  refreshes(): Readonly<Record<Phase, number>> {
    return { before: this.#took.before.length, during: this.#took.during.length, after: this.#took.after.length }
  }

  async #loop(work: (turn: number) => Promise<void>): Promise<void> {
    for (let turn = 0; this.#going; turn += 1) {
      await work(turn)
      await rest(REST_MS)
    }
  }

  async #read(connection: string): Promise<void> {
    const reply = await this.#ask('read', () => this.#node.api.get(`/connections/${connection}/token`))
    if (reply === null) return
    this.reads += 1
    if (at(reply.body, 'access_token') !== this.#expected.get(connection)) this.wrong += 1
  }

  /** Each caller has connections of its own: two who renew the same one wait for each other. */
  async #renew(index: number, turn: number): Promise<void> {
    const own = this.live.filter((_, place) => place % REFRESHERS === index)
    const held = own[turn % own.length]
    if (held === undefined) return
    const [phase, startedAt, calm] = [this.phase, performance.now(), !this.#killing]
    if (this.refusedAsLost.has(held.connection)) return
    const reply = await this.#ask('refresh', () => this.#node.api.post(`/connections/${held.connection}/refresh`), held)
    if (reply !== null && calm && !this.#killing) this.#took[phase].push(performance.now() - startedAt)
  }

  /** Null: it was not answered well, and that is noted, unless a server was killed under it. */
  async #ask(what: string, send: () => Promise<JsonReply>, held?: Held): Promise<JsonReply | null> {
    const node = this.#node
    const calm = () => !this.#killing && node === this.#node
    const before = calm()
    try {
      const reply = await send()
      if (reply.status === 200) return reply
      const code = String(at(reply.body, 'code'))
      const line = `${what} while ${this.phase}: ${reply.status} ${code} ${String(at(reply.body, 'detail'))}`
      if (code === 'outcome_unknown') this.waited += 1
      else if (code === 'refresh_outcome_lost' && held !== undefined) this.refusedAsLost.add(held.connection)
      else if (code.startsWith('seal_')) this.failedOpens.push(line)
      else if (before && calm()) this.failed.push(line)
    } catch (error) {
      if (before && calm()) this.failed.push(`${what} while ${this.phase}: ${String(error)}`)
    }
    return null
  }
}
