import { at } from '../http.ts'
import { rest, until } from '../until.ts'
import type { Arena, Subject } from './arena.ts'
import { presentationsOf } from './campaign.ts'
import { Dice } from './dice.ts'
import type { ChaosNode } from './node.ts'
import { newFindings, settle } from './settle.ts'

interface RollingPlan {
  readonly restarts: number
  readonly seed: number
  readonly say: (line: string) => void
  /** Between two reads of one caller, in milliseconds. */
  readonly readEveryMs?: number
}

/** The last line. `failed_restarts` and all that follows must be 0. */
interface RollingReport {
  readonly rolling: number
  readonly nodes: number
  readonly seed: number
  readonly refreshes: number
  readonly reads: number
  readonly reads_retried: number
  readonly tokens_checked: number
  readonly grants: number
  readonly drain_ms_max: number
  readonly seconds: number
  readonly failed_restarts: number
  readonly failed_reads: number
  readonly grants_lost: number
  readonly families_revoked_by_us: number
  readonly wrong_tokens_served: number
  readonly unexplained_states: number
}

const CALLERS = 6
const READ_EVERY_MS = 8
const TRIES_MAX = 6
const RETRY_MS = 50
const SAY_EVERY = 20

/** Callers behind a load balancer that knows nothing: whoever is turned away tries the next node. */
class Callers {
  reads = 0
  retried = 0
  readonly failed: string[] = []
  readonly #arena: Arena
  readonly #restMs: number
  #going = true
  #loops: Promise<void>[] = []

  constructor(arena: Arena, restMs: number) {
    this.#arena = arena
    this.#restMs = restMs
  }

  start(dice: Dice): void {
    this.#loops = Array.from({ length: CALLERS }, (_, index) => this.#call(dice.apart(index)))
  }

  async stop(): Promise<void> {
    this.#going = false
    await Promise.all(this.#loops)
  }

  async #call(dice: Dice): Promise<void> {
    while (this.#going) {
      await this.#read(dice.pick(this.#arena.subjects), dice)
      await rest(this.#restMs * (0.5 + dice.next()))
    }
  }

  async #read(subject: Subject, dice: Dice): Promise<void> {
    this.reads += 1
    let said = ''
    const nodes = dice.shuffled(this.#arena.nodes)
    for (let turn = 0; turn < TRIES_MAX; turn += 1) {
      const node = nodes[turn % nodes.length]
      if (node === undefined) return
      said = (await this.#readAt(node, subject)) ?? ''
      if (said === '') return
      if (turn === 0) this.retried += 1
      await rest(RETRY_MS * turn)
    }
    this.failed.push(`${subject.connection} (${subject.profile}): ${said}`)
  }

  /** Null when a token came; else what came instead. */
  async #readAt(node: ChaosNode, subject: Subject): Promise<string | null> {
    const startedAt = performance.now()
    const reply = await node.api.get(`/connections/${subject.connection}/token`).catch(() => null)
    const token = at(reply?.body, 'access_token')
    if (reply?.status !== 200 || typeof token !== 'string') return `${reply?.status ?? 'no answer'} ${String(at(reply?.body, 'code'))}`
    this.#arena.ledger.handedOut({ connection: subject.connection, node: node.name, token, startedAt, receivedAt: performance.now(), cutOff: false })
    return null
  }
}

/** One node after the other is stopped as a deployment stops it, and started again, under load. */
export async function rollOver(arena: Arena, plan: RollingPlan): Promise<RollingReport> {
  const started = performance.now()
  const callers = new Callers(arena, plan.readEveryMs ?? READ_EVERY_MS)
  const findings = newFindings()
  callers.start(new Dice(plan.seed))
  let failedRestarts = 0
  let drainMax = 0
  for (let turn = 0; turn < plan.restarts; turn += 1) {
    const node = arena.nodes[turn % arena.nodes.length] ?? arena.first
    const before = performance.now()
    const { code } = await node.server.stop(120_000)
    drainMax = Math.max(drainMax, performance.now() - before)
    if (code !== 0) failedRestarts += 1
    if (code !== 0) plan.say(`${node.name} ended with ${code}:\n${node.server.output().slice(-2_000)}`)
    await node.server.start()
    await arena.ledger.judge()
    if ((turn + 1) % SAY_EVERY === 0) plan.say(`${turn + 1} restarts, ${callers.reads} reads, ${callers.failed.length} failed`)
  }
  await callers.stop()
  await until('every node to be ready', async () => (await fetch(`${arena.first.server.url}/health/ready`)).ok)
  plan.say(await settle(arena, findings, { profile: 'scaled', say: plan.say }))
  await arena.ledger.judge()
  for (const line of [...arena.ledger.wrong, ...findings.unexplained, ...callers.failed.slice(0, 20)]) plan.say(line)
  return {
    rolling: plan.restarts,
    nodes: arena.nodes.length,
    seed: plan.seed,
    refreshes: await presentationsOf(arena),
    reads: callers.reads,
    reads_retried: callers.retried,
    tokens_checked: arena.ledger.checked,
    grants: arena.subjects.reduce((sum, { grants }) => sum + grants.length, 0),
    drain_ms_max: Math.round(drainMax),
    seconds: Math.round((performance.now() - started) / 100) / 10,
    failed_restarts: failedRestarts,
    failed_reads: callers.failed.length,
    grants_lost: findings.lost,
    families_revoked_by_us: findings.revokedByUs,
    wrong_tokens_served: arena.ledger.wrong.length,
    unexplained_states: findings.unexplained.length,
  }
}
