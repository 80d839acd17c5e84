import type { NewEvent } from '../audit/event.ts'
import type { AgentId, InstallationId, OrganizationId } from '../ids.ts'
import { newId } from '../ids.ts'
import type { Log } from '../log.ts'
import type { CallerFacts } from '../session/session-events.ts'
import { type Clock, type Entropy, MINUTE, type Timers } from '../time.ts'

/** Installations that are counted at the same time; more are not told of. */
const COUNTED_MAX = 10_000

/** A genuine token that came with another key than its installation's. */
interface ProofFailure extends CallerFacts {
  readonly organization: OrganizationId
  readonly agent: AgentId
  readonly installation: InstallationId
}

interface ProofFailurePorts {
  readonly clock: Pick<Clock, 'wall'>
  readonly timers: Pick<Timers, 'after'>
  readonly entropy: Entropy
  readonly append: (event: NewEvent) => Promise<void>
  readonly log: Log
}

/**
 * The token has leaked and the key has not: nothing works without it, and nothing is locked, since whoever holds an old token must not stop its owner. The next
 * refresh replaces it. The owner is told by an event: one at once, and one a minute with a count.
 */
export class ProofFailures {
  readonly #ports: ProofFailurePorts
  readonly #counts = new Map<InstallationId, number>()

  constructor(ports: ProofFailurePorts) {
    this.#ports = ports
  }

  note(failure: ProofFailure): void {
    const counted = this.#counts.get(failure.installation)
    if (counted !== undefined) return void this.#counts.set(failure.installation, counted + 1)
    if (this.#counts.size >= COUNTED_MAX) return
    this.#tell(failure, 1)
  }

  #tell(failure: ProofFailure, count: number): void {
    const { clock, timers, entropy, append, log } = this.#ports
    const { organization, agent, installation, address, userAgent } = failure
    this.#counts.set(installation, 0)
    const reason = 'token_presented_without_key'
    log.warn({ organization, agent, installation, address, count }, 'a refresh token was presented without the key of its installation: the token has leaked')
    const event: NewEvent = {
      id: newId('evt', entropy),
      organization,
      type: 'installation.proof_failed',
      at: clock.wall(),
      actor: { kind: 'system', id: null },
      connection: null,
      subject: installation,
      data: { agent, reason, count, address, user_agent: userAgent },
    }
    // What cannot be written now is in the log, and the next one is written again.
    append(event).catch(() => {})
    timers.after(MINUTE, () => this.#close(failure))
  }

  #close(failure: ProofFailure): void {
    const more = this.#counts.get(failure.installation) ?? 0
    this.#counts.delete(failure.installation)
    if (more > 0) this.#tell(failure, more)
  }
}
