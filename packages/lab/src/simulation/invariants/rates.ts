import type { ConnectionTruth } from '../ledger.ts'
import type { Life } from '../life.ts'
import type { Presentation, Site } from '../provider-truth.ts'
import type { HttpAnswer } from '../sim-provider.ts'
import { EPOCH } from '../world.ts'
import type { OracleParts } from './oracle-parts.ts'

const MINUTE = 60_000
/** So long after its first try in an outage a node asks once a minute; its two breakers and a little drift of its clock are forgiven. */
const SETTLED_MS = 12 * MINUTE
const PER_MINUTE = 3
/** Those that open a breaker, however rarely they come, and those that bring its pause to a minute. */
const TRIES_TO_SETTLE = 12
/** What passed the gate before the answer was read may still be connecting. */
const ALREADY_ADMITTED_MS = 11_000
const CLOCK_SLACK_MS = 500

interface Patience {
  readonly since: number
  readonly until: number
}

/** I9: a provider that is away is asked ever more rarely, and what it says about patience is a floor. */
export class RateWatch {
  readonly #parts: OracleParts
  readonly #tries = new Map<string, { since: number; total: number; minute: number; count: number; told: number }>()
  readonly #patience = new Map<string, Patience>()

  constructor(parts: OracleParts) {
    this.#parts = parts
  }

  unreachable(life: Life, site: Site): void {
    const { world } = this.#parts
    if (!site.mood.down) return
    const key = `${life.identity.incarnation} ${site.index} ${site.mood.downSince}`
    const minute = Math.floor(world.now / MINUTE)
    const tries = this.#tries.get(key)
    const since = tries?.since ?? world.now
    const count = tries?.minute === minute ? tries.count + 1 : 1
    const total = (tries?.total ?? 0) + 1
    const tooMany = world.now - since >= SETTLED_MS && total > TRIES_TO_SETTLE && count > PER_MINUTE && tries?.told !== minute
    this.#tries.set(key, { since, total, minute, count, told: tooMany ? minute : (tries?.told ?? -1) })
    if (tooMany) world.violate('I9', `${life.identity.id} asks provider ${site.index} ${count} times a minute, long after it went away`)
  }

  read(life: Life, { token }: Presentation, { status, headers }: HttpAnswer): void {
    const connection = this.#parts.ledger.connections[token.family.connection]
    const seconds = Number(headers['retry-after'])
    if (connection === undefined || status !== 429 || !Number.isFinite(seconds)) return
    const { now } = this.#parts.world
    this.#patience.set(this.#key(life, connection), { since: now, until: now + seconds * 1_000 })
  }

  /** A running replay window does not wait for the end of a Retry-After: its grant would be lost by waiting. */
  sent(life: Life, connection: ConnectionTruth): void {
    const patience = this.#patience.get(this.#key(life, connection))
    const { world } = this.#parts
    const { suspicion } = connection.row.credential
    const { reuse } = connection.site
    if (reuse.class === 'P1' && suspicion !== null && EPOCH + world.now - suspicion.at < reuse.windowMs + CLOCK_SLACK_MS) return
    if (patience === undefined || world.now >= patience.until - CLOCK_SLACK_MS || world.now - patience.since < ALREADY_ADMITTED_MS) return
    world.violate('I9', `${life.identity.id} sends c${connection.index} ${patience.until - world.now} ms before the Retry-After of its integration is over`)
  }

  #key(life: Life, connection: ConnectionTruth): string {
    return `${life.identity.incarnation} ${connection.integration}`
  }
}
