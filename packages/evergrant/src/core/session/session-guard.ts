import { Fault } from '../fault/fault.ts'
import type { OrganizationId, SessionId, UserId } from '../ids.ts'
import { StoreOutage } from '../refresh/store-outage.ts'
import { type Clock, type Instant, SECOND, type Timers } from '../time.ts'
import type { Role } from '../user/user.ts'
import { type AccessClaims, type AccessTokens, isForEnrolment } from './access-token.ts'
import { RecentMap } from './recent-map.ts'
import { lacksFactor } from './second-factor.ts'
import type { Session } from './session.ts'
import { endedFault, refusalOf } from './session-refusals.ts'
import type { Sessions, SignedIn } from './sessions.ts'
import type { TokenRefusal } from './token-signer.ts'

const REMEMBERED = 20_000
/** While the change channel is deaf, a remembered session is believed no longer than this. */
const DEAF_TRUST_MS = SECOND
/** First sights of generations are written together. */
const FLUSH_MS = SECOND

interface SessionGuardPorts {
  readonly tokens: Pick<AccessTokens, 'peek' | 'read'>
  readonly sessions: Pick<Sessions, 'get' | 'markUsed'>
  readonly clock: Clock
  readonly timers: Pick<Timers, 'after'>
  /** False while changes made by other nodes may not reach us. */
  readonly changesFresh: () => boolean
  /** How long a remembered session counts while the store does not answer. */
  readonly withoutStoreMs: number
}

/** Who sent an access token, as it is now: the role is today's, not the token's. */
export interface ProvenPerson extends SignedIn {
  readonly role: Role
  /** Of the credential that the token came with. */
  readonly generation: number
  /** End of the token, not of the session. */
  readonly tokenExpiresAt: Instant
}

/**
 * Thumbprint of the key that the request was proven with (`core/proof`); null: with none, as ordinary bearers are. `not_asked`: for an answer
 * about the token itself, which gives nothing away that is not in the token.
 */
export type ProvenKey = string | null | 'not_asked'

interface Remembered {
  readonly signedIn: SignedIn
  readonly checkedAt: number
  /** The newest generation whose use was noted, so that it is noted once. */
  noted: number
}

interface Flight {
  readonly signedIn: Promise<SignedIn | undefined>
  /** A change came meanwhile: the answer is good for those who waited, and is not remembered. */
  stale: boolean
}

/** Lets a person in by an access token: genuine, of a live session, of an enabled user who still has a role. */
export class SessionGuard {
  readonly #ports: SessionGuardPorts
  readonly #known = new RecentMap<SessionId, Remembered>(REMEMBERED)
  readonly #flights = new Map<SessionId, Flight>()
  readonly #outage: StoreOutage
  #used = new Map<SessionId, { readonly generation: number; readonly at: Instant }>()
  #flushPlanned = false

  constructor(ports: SessionGuardPorts) {
    this.#ports = ports
    this.#outage = new StoreOutage(ports.clock, ports.withoutStoreMs)
  }

  /** From memory alone. `unknown`: ask {@link lookUp}. Synchronous: the hot path. */
  peek(token: string, proven: ProvenKey = null): ProvenPerson | Fault | 'unknown' {
    const claims = this.#ports.tokens.peek(token)
    if (claims === 'unknown') return 'unknown'
    if (claims === 'expired') return refused('expired')
    const known = this.#known.get(claims.sid)
    if (known === undefined) return 'unknown'
    if (this.#ports.changesFresh()) this.#outage.current()
    else if (this.#ports.clock.mono() - known.checkedAt > DEAF_TRUST_MS && !this.#outage.mayAnswerAtOnce()) return 'unknown'
    return this.#admit(claims, known.signedIn, proven, known)
  }

  /** As {@link peek}, asking the store. @throws Fault: one of the codes that sign out, `access_token_expired`, or `store_unavailable` when it cannot tell */
  async lookUp(token: string, proven: ProvenKey = null): Promise<ProvenPerson> {
    const reading = await this.#ports.tokens.read(token)
    if (reading.kind === 'refused') throw refused(reading.why)
    // The token may be new and its session known, as after every refresh.
    const known = this.peek(token, proven)
    if (known instanceof Fault) throw known
    if (known !== 'unknown') return known
    const { claims } = reading
    const signedIn = await this.#ask(claims.sid)
    if (signedIn === undefined) throw new Fault('session_expired', { detail: 'This session ended so long ago that nothing is known of it. Sign in again.' })
    const answer = this.#admit(claims, signedIn, proven, this.#known.get(claims.sid))
    if (answer instanceof Fault) throw answer
    return answer
  }

  /** A session changed, here or on another node. */
  forgetSession(id: SessionId): void {
    this.#known.delete(id)
    const flight = this.#flights.get(id)
    if (flight === undefined) return
    flight.stale = true
    this.#flights.delete(id)
  }

  /** A person changed, or what they are in an organization. */
  forgetUser(id: UserId): void {
    this.#known.deleteWhere(({ signedIn }) => signedIn.user.id === id)
    this.#dropFlights()
  }

  /** What it asks of the people in it changed. */
  forgetOrganization(id: OrganizationId): void {
    this.#known.deleteWhere(({ signedIn }) => signedIn.session.organization === id)
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
    if (this.#used.size === 0) return
    const marks = this.#used
    this.#used = new Map()
    try {
      await this.#ports.sessions.markUsed([...marks].map(([session, { generation, at }]) => ({ session, generation, at })))
    } catch (error) {
      // Theft is told by these marks, so none is lost: newer ones of the same session stay.
      for (const [session, mark] of marks) if (!this.#used.has(session)) this.#used.set(session, mark)
      this.#planFlush()
      throw error
    }
  }

  #admit(claims: AccessClaims, signedIn: SignedIn, proven: ProvenKey, known: Remembered | undefined): ProvenPerson | Fault {
    const { session, user, role } = signedIn
    const ended = refusalOf(signedIn, this.#ports.clock.wall())
    if (ended !== null || role === null) return ended ?? endedFault('membership_ended')
    if (claims.sub !== user.id) return refused('claims_incomplete')
    // What was issued for another organization says nothing about this one.
    if (claims.org !== session.organization) return refused('expired')
    // Nor does what was issued before a second factor was asked for, or shown.
    if (isForEnrolment(claims) !== lacksFactor(signedIn)) return refused('expired')
    const bound = claims.cnf?.jkt ?? session.keyThumbprint
    if (bound !== null && proven !== bound && proven !== 'not_asked') return proofMissing()
    this.#noteUse(claims, signedIn, known)
    return {
      session: asProven(session, claims),
      user,
      role,
      factorDemanded: signedIn.factorDemanded,
      generation: claims.gen,
      tokenExpiresAt: claims.exp * SECOND,
    }
  }

  async #ask(id: SessionId): Promise<SignedIn | undefined> {
    const checkedAt = this.#ports.clock.mono()
    const flight = this.#flights.get(id) ?? this.#take(id)
    try {
      const signedIn = await flight.signedIn
      this.#outage.current()
      if (!flight.stale && signedIn !== undefined && this.#known.get(id)?.signedIn !== signedIn)
        this.#known.set(id, { signedIn, checkedAt, noted: this.#used.get(id)?.generation ?? 0 })
      return signedIn
    } catch (error) {
      const known = this.#known.get(id)
      if (known === undefined || !this.#outage.mayAnswerFor(error)) throw error instanceof Fault ? error : new Fault('store_unavailable', { cause: error })
      return known.signedIn
    }
  }

  /** Those who ask for one session at the same time share one read. */
  #take(id: SessionId): Flight {
    const flight: Flight = { signedIn: this.#ports.sessions.get(id), stale: false }
    this.#flights.set(id, flight)
    const land = () => {
      if (this.#flights.get(id) === flight) this.#flights.delete(id)
    }
    flight.signedIn.then(land, land)
    return flight
  }

  #dropFlights(): void {
    for (const flight of this.#flights.values()) flight.stale = true
    this.#flights.clear()
  }

  /** The rule of rotation asks whether anybody was seen with the current generation: the first access token of it is such a sight. */
  #noteUse({ gen }: AccessClaims, { session }: SignedIn, known: Remembered | undefined): void {
    if (session.usedAt !== null || gen !== session.generation || known?.noted === gen) return
    if (known !== undefined) known.noted = gen
    if (this.#used.get(session.id)?.generation === gen) return
    this.#used.set(session.id, { generation: gen, at: this.#ports.clock.wall() })
    this.#planFlush()
  }

  #planFlush(): void {
    if (this.#flushPlanned) return
    this.#flushPlanned = true
    // What could not be written is kept, and written with the next batch.
    this.#ports.timers.after(FLUSH_MS, () => void this.flush().catch(() => {}))
  }
}

/**
 * What a sensitive change asks for is a token that was issued after the proof (RFC 9470): somebody with an older one, stolen before, gains nothing by
 * it that the person has just confirmed who they are.
 */
function asProven(session: Session, { auth_time: seconds }: AccessClaims): Session {
  return seconds >= Math.floor(session.authenticatedAt / SECOND) ? session : { ...session, authenticatedAt: seconds * SECOND }
}

/** A token that is not believed never signs anybody out: who holds the session gets a new one. */
function refused(why: TokenRefusal): Fault {
  const detail = why === 'expired' ? 'The access token is over.' : 'This is no access token that this server believes.'
  return new Fault('access_token_expired', { detail: `${detail} Refresh the session and send the request again: it was not executed.` })
}

function proofMissing(): Fault {
  return new Fault('dpop_proof_invalid', {
    detail: 'The session is bound to a key, and this request was not proven with it. Send `Authorization: DPoP <access token>` with a `DPoP` header.',
  })
}
