import { Fault } from '../fault/fault.ts'
import type { AgentId, InstallationId, UserId } from '../ids.ts'
import { StoreOutage } from '../refresh/store-outage.ts'
import { RecentMap } from '../session/recent-map.ts'
import type { TokenRefusal } from '../session/token-signer.ts'
import { type Clock, type Instant, MINUTE, SECOND, type Timers } from '../time.ts'
import type { AgentClaims, AgentTokens } from './agent-tokens.ts'
import type { InstallationStanding } from './installation-standing.ts'
import type { Installations, SeenMark } from './installations.ts'
import { standingRefusal } from './sdk-rotation.ts'
import { stoppedFault } from './stopped.ts'

const REMEMBERED = 20_000
/** While the change channel is deaf, a remembered installation is believed no longer than this. */
const DEAF_TRUST_MS = SECOND
/** First sights of generations are written together. */
const FLUSH_MS = SECOND
/** How old the last sign of life in the record may be, while requests come. */
const SEEN_EVERY_MS = 5 * MINUTE

interface InstallationGuardPorts {
  readonly tokens: Pick<AgentTokens, 'peek' | 'read'>
  readonly installations: Pick<Installations, 'get' | 'markSeen'>
  readonly clock: Clock
  readonly timers: Pick<Timers, 'after'>
  /** False while changes made by other nodes may not reach us. */
  readonly changesFresh: () => boolean
  /** How long a remembered installation counts while the store does not answer. */
  readonly withoutStoreMs: number
}

/** Which installation sent an access token, as it is now: its rights are those of the agent's policy today. */
export interface ProvenInstallation extends InstallationStanding {
  /** Of the refresh token that the access token came with. */
  readonly generation: number
  /** The request was proven with its key. */
  readonly bound: boolean
  /** End of the access token. */
  readonly tokenExpiresAt: Instant
}

/** How a request came: thumbprint of the key that it was proven with, null without a proof; and from where. */
export interface InstallationShown {
  readonly key: string | null
  readonly address: string | null
}

interface Remembered {
  readonly standing: InstallationStanding
  readonly checkedAt: number
  /** The newest generation whose use was noted, and when. */
  noted: number
  notedAt: Instant
}

interface Flight {
  readonly standing: Promise<InstallationStanding | undefined>
  /** A change came meanwhile: the answer is good for those who waited, and is not remembered. */
  stale: boolean
}

/** Lets an installation in by an access token: genuine, proven with its key, and of one that nobody has stopped. */
export class InstallationGuard {
  readonly #ports: InstallationGuardPorts
  readonly #known = new RecentMap<InstallationId, Remembered>(REMEMBERED)
  readonly #flights = new Map<InstallationId, Flight>()
  readonly #outage: StoreOutage
  #seen = new Map<InstallationId, SeenMark>()
  #flushPlanned = false

  constructor(ports: InstallationGuardPorts) {
    this.#ports = ports
    this.#outage = new StoreOutage(ports.clock, ports.withoutStoreMs)
  }

  /** From memory alone. `unknown`: ask {@link lookUp}. Synchronous: the hot path. */
  peek(token: string, shown: InstallationShown): ProvenInstallation | Fault | 'unknown' {
    const claims = this.#ports.tokens.peek(token)
    if (claims === 'unknown') return 'unknown'
    if (claims === 'expired') return refused('expired')
    const known = this.#known.get(claims.ins)
    if (known === undefined) return 'unknown'
    if (this.#ports.changesFresh()) this.#outage.current()
    else if (this.#ports.clock.mono() - known.checkedAt > DEAF_TRUST_MS && !this.#outage.mayAnswerAtOnce()) return 'unknown'
    return this.#admit(claims, known.standing, shown, known)
  }

  /** As {@link peek}, asking the store. @throws Fault `access_token_expired`, one that says who stopped it, or `store_unavailable` when it cannot tell */
  async lookUp(token: string, shown: InstallationShown): Promise<ProvenInstallation> {
    const reading = await this.#ports.tokens.read(token)
    if (reading.kind === 'refused') throw refused(reading.why)
    // The token may be new and its installation known.
    const known = this.peek(token, shown)
    if (known instanceof Fault) throw known
    if (known !== 'unknown') return known
    const { claims } = reading
    const standing = await this.#ask(claims.ins)
    if (standing === undefined)
      throw new Fault('installation_retired', {
        detail: 'This installation is over, and its record is gone. Enrol the machine again: npx @evergrant/sdk enroll <code>.',
      })
    const answer = this.#admit(claims, standing, shown, this.#known.get(claims.ins))
    if (answer instanceof Fault) throw answer
    return answer
  }

  /** An installation changed, here or on another node. */
  forgetInstallation(id: InstallationId): void {
    this.#known.delete(id)
    const flight = this.#flights.get(id)
    if (flight === undefined) return
    flight.stale = true
    this.#flights.delete(id)
  }

  forgetAgent(id: AgentId): void {
    this.#known.deleteWhere(({ standing }) => standing.agent.id === id)
    this.#dropFlights()
  }

  /** A person changed, or what they are in an organization: some agents have no owner now. */
  forgetUser(id: UserId): void {
    this.#known.deleteWhere(({ standing }) => standing.agent.owner === id)
    this.#dropFlights()
  }

  /** Changes may have been missed. */
  forgetAll(): void {
    this.#known.clear()
    this.#dropFlights()
  }

  /** Writes the first sights of generations. Called by itself within a second, and once at shutdown. */
  async flush(): Promise<void> {
    this.#flushPlanned = false
    if (this.#seen.size === 0) return
    const marks = this.#seen
    this.#seen = new Map()
    try {
      await this.#ports.installations.markSeen([...marks.values()])
    } catch (error) {
      // Theft is told by these marks, so none is lost: newer ones of the same installation stay.
      for (const [installation, mark] of marks) if (!this.#seen.has(installation)) this.#seen.set(installation, mark)
      this.#planFlush()
      throw error
    }
  }

  #admit(claims: AgentClaims, standing: InstallationStanding, shown: InstallationShown, known: Remembered | undefined): ProvenInstallation | Fault {
    const { installation, agent } = standing
    const stopped = standingRefusal(standing, this.#ports.clock.wall())
    if (stopped !== null) return stoppedFault(stopped, standing)
    if (claims.sub !== agent.id || claims.org !== installation.organization) return refused('claims_incomplete')
    // What came before a rotation or a lock, and whoever has not brought the new key yet, waits for a refresh.
    if (claims.gen < installation.minGeneration || installation.rekeyUntil !== null) return refused('expired')
    const jkt = claims.cnf?.jkt ?? null
    if (jkt === null && !agent.policy.bearer) return refused('expired')
    if (jkt !== null && shown.key !== jkt) return proofMissing()
    this.#noteUse(claims, standing, shown, known)
    return { ...standing, generation: claims.gen, bound: jkt !== null, tokenExpiresAt: claims.exp * SECOND }
  }

  async #ask(id: InstallationId): Promise<InstallationStanding | undefined> {
    const checkedAt = this.#ports.clock.mono()
    const flight = this.#flights.get(id) ?? this.#take(id)
    try {
      const standing = await flight.standing
      this.#outage.current()
      if (!flight.stale && standing !== undefined && this.#known.get(id)?.standing !== standing)
        this.#known.set(id, { standing, checkedAt, noted: this.#seen.get(id)?.generation ?? 0, notedAt: standing.installation.lastSeenAt ?? 0 })
      return standing
    } catch (error) {
      const known = this.#known.get(id)
      if (known === undefined || !this.#outage.mayAnswerFor(error)) throw error instanceof Fault ? error : new Fault('store_unavailable', { cause: error })
      return known.standing
    }
  }

  /** Those who ask for one installation at the same time share one read. */
  #take(id: InstallationId): Flight {
    const flight: Flight = { standing: this.#ports.installations.get(id), stale: false }
    this.#flights.set(id, flight)
    const land = () => {
      if (this.#flights.get(id) === flight) this.#flights.delete(id)
    }
    flight.standing.then(land, land)
    return flight
  }

  #dropFlights(): void {
    for (const flight of this.#flights.values()) flight.stale = true
    this.#flights.clear()
  }

  /** The rule of rotation asks whether anybody was seen with the newest generation: the first access token of it is such a sight. */
  #noteUse({ gen }: AgentClaims, { installation }: InstallationStanding, { address }: InstallationShown, known: Remembered | undefined): void {
    const at = this.#ports.clock.wall()
    const isFirst = gen === installation.generation && known?.noted !== gen
    if (!isFirst && at - (known?.notedAt ?? installation.lastSeenAt ?? 0) < SEEN_EVERY_MS) return
    if (known !== undefined) {
      known.noted = Math.max(known.noted, gen)
      known.notedAt = at
    }
    const waiting = this.#seen.get(installation.id)
    if (waiting !== undefined && waiting.generation >= gen) return
    this.#seen.set(installation.id, { installation: installation.id, generation: gen, at, address })
    this.#planFlush()
  }

  #planFlush(): void {
    if (this.#flushPlanned) return
    this.#flushPlanned = true
    // What could not be written is kept, and written with the next batch.
    this.#ports.timers.after(FLUSH_MS, () => void this.flush().catch(() => {}))
  }
}

/** A token that is not believed costs the machine a refresh, which says what is the matter. */
function refused(why: TokenRefusal): Fault {
  const detail = why === 'expired' ? 'The access token is over.' : 'This is no access token that this server believes.'
  return new Fault('access_token_expired', { detail: `${detail} Refresh the credentials of the installation and send the request again: it was not executed.` })
}

function proofMissing(): Fault {
  return new Fault('dpop_proof_invalid', {
    detail: 'The access token is bound to a key, and this request was not proven with it. Send `Authorization: DPoP <access token>` with a `DPoP` header.',
  })
}
