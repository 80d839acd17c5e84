import type { ClientRegistry, PracticeClient } from './client-registry.ts'
import type { HeldRequests } from './fault-delivery.ts'
import type { FaultQueue, FaultSpec } from './fault-queue.ts'
import { type ApiCall, fingerprint, type Grant, type GrantBook, type Issue, type Presentation, type RevocationCause } from './grant-book.ts'
import { newProfile, type ProfileSettings, withSettings } from './profile.ts'

/** The truth about one grant. Tokens appear only as fingerprints (SHA-256, base64url). Times are milliseconds UTC. */
export interface GrantView {
  readonly id: string
  readonly profile: string
  readonly client: string
  readonly account: string
  readonly scopes: readonly string[]
  readonly state: 'live' | 'revoked'
  readonly revoked: { readonly at: number; readonly cause: RevocationCause; readonly presentedGeneration: number | null } | null
  readonly consentedAt: number
  /** Generation of the newest refresh token; the exchange made 1. */
  readonly generation: number
  /** Of the newest refresh token; null once the grant is over. */
  readonly currentFingerprint: string | null
  readonly accessExpiresAt: number
  readonly refreshRequests: number
  /** Refresh requests that came while another with the same token was unanswered. */
  readonly overlaps: number
  readonly presentations: readonly Presentation[]
  readonly apiCalls: readonly ApiCall[]
}

export interface IssuedTokens {
  readonly grant: string
  readonly accessToken: string
  readonly refreshToken: string
  readonly expiresIn: number
}

/** Counters of one profile. `unknownTokens`: refresh requests with a token that was never issued here. */
export interface ProfileCounts {
  refresh: number
  exchange: number
  api: number
  revoke: number
  unknownTokens: number
}

interface ControlParts {
  readonly book: GrantBook
  readonly faults: FaultQueue
  readonly held: HeldRequests
  readonly clients: ClientRegistry
  readonly profiles: Map<string, ProfileSettings>
  readonly counts: Map<string, ProfileCounts>
  readonly clock: { ahead: number; readonly now: () => number }
}

const PROFILE_NAME = /^[a-z][a-z0-9-]{0,30}$/
const RESERVED = ['control', 'favicon']

/** Commands and truth of a running practice provider. The HTTP control plane is this, spoken in JSON. */
export class PracticeControl {
  readonly #parts: ControlParts

  constructor(parts: ControlParts) {
    this.#parts = parts
  }

  /** The provider's own time, milliseconds UTC. */
  now(): number {
    return this.#parts.clock.now()
  }

  /** Moves the provider's own clock forward: lifetimes and windows pass without waiting. */
  advanceClock(ms: number): void {
    if (!Number.isFinite(ms) || ms < 0) throw new TypeError('the clock moves forward only: ms must be 0 or more')
    this.#parts.clock.ahead += ms
  }

  profile(name: string): ProfileSettings {
    const settings = this.#parts.profiles.get(name)
    if (!settings) throw new RangeError(`there is no profile ${name}`)
    return settings
  }

  profiles(): Readonly<Record<string, ProfileSettings>> {
    return Object.fromEntries(this.#parts.profiles)
  }

  /** Changes settings of a profile at run time, or makes a new profile. */
  setProfile(name: string, changes: Readonly<Partial<ProfileSettings>>): ProfileSettings {
    if (!PROFILE_NAME.test(name) || RESERVED.includes(name)) throw new TypeError('a profile name is lower-case letters, digits and dashes')
    const held = this.#parts.profiles.get(name)
    const settings = held ? withSettings(held, changes) : newProfile(changes)
    this.#parts.profiles.set(name, settings)
    return settings
  }

  registerClient(client: PracticeClient): void {
    this.#parts.clients.register(client)
  }

  /** Queues a fault; returns its number. */
  addFault(spec: FaultSpec): number {
    if (spec.profile !== undefined && spec.profile !== '*') this.profile(spec.profile)
    return this.#parts.faults.add(spec)
  }

  clearFaults(which: { readonly id?: number; readonly profile?: string } = {}): void {
    this.#parts.faults.clear(which)
  }

  faults(): readonly { readonly id: number; readonly spec: FaultSpec; readonly left: number | null; readonly struck: number }[] {
    return this.#parts.faults.list().map(({ id, spec, left, struck }) => ({ id, spec, left, struck }))
  }

  /** Requests that a `hang` holds at this moment. */
  held(): ReturnType<HeldRequests['list']> {
    return this.#parts.held.list()
  }

  /** Lets held requests go on; returns how many. */
  release(profile?: string): number {
    return this.#parts.held.release(profile)
  }

  /** A grant without consent, for tests that start from tokens. `accessSeconds`: of the first access token only. */
  issueGrant(wanted: {
    readonly profile: string
    readonly account?: string
    readonly client?: string
    readonly scopes?: readonly string[]
    readonly accessSeconds?: number
  }): IssuedTokens {
    const settings = this.profile(wanted.profile)
    const grant = this.#parts.book.create({
      profile: wanted.profile,
      account: wanted.account ?? 'ada',
      client: wanted.client ?? 'practice',
      scopes: wanted.scopes ?? settings.scopes,
    })
    if (wanted.accessSeconds !== undefined) grant.latest.access.expiresAt = this.now() + wanted.accessSeconds * 1000
    return this.tokens(grant.id)
  }

  /** The newest tokens of a grant, in the clear: for planting and for grepping. */
  tokens(grantId: string): IssuedTokens {
    const grant = this.#find(grantId)
    const { access } = grant.latest
    return {
      grant: grant.id,
      accessToken: access.token,
      refreshToken: grant.current.token,
      expiresIn: Math.max(0, Math.round((access.expiresAt - this.now()) / 1000)),
    }
  }

  grant(grantId: string): GrantView {
    return view(this.#find(grantId))
  }

  grants(where: { readonly profile?: string; readonly account?: string } = {}): readonly GrantView[] {
    return [...this.#parts.book.grants()]
      .filter((grant) => (where.profile === undefined || grant.profile === where.profile) && (where.account === undefined || grant.account === where.account))
      .map(view)
  }

  counts(profile: string): Readonly<ProfileCounts> {
    this.profile(profile)
    return { ...(this.#parts.counts.get(profile) ?? { refresh: 0, exchange: 0, api: 0, revoke: 0, unknownTokens: 0 }) }
  }

  /** Access tokens that were really issued after this sequence number, oldest first. */
  issuedAfter(sequence: number): readonly Issue[] {
    return this.#parts.book.issuedAfter(sequence)
  }

  /** The owner takes the grant back at the provider. */
  revoke(grantId: string): void {
    this.#parts.book.revoke(this.#find(grantId), 'owner')
  }

  /** Ends the access tokens of a grant now; the refresh token stays good. */
  expireAccess(grantId: string): void {
    this.#parts.book.expireAccess(this.#find(grantId))
  }

  /** Ends the whole grant as if a lifetime had passed. */
  expireGrant(grantId: string): void {
    this.#parts.book.revoke(this.#find(grantId), 'expired')
  }

  /** Forgets grants, faults, counters and held requests. Profiles and clients stay. */
  reset(): void {
    this.release()
    this.#parts.faults.clear()
    this.#parts.counts.clear()
    this.#parts.book.clear()
  }

  #find(grantId: string): Grant {
    const grant = this.#parts.book.grant(grantId)
    if (!grant) throw new RangeError(`there is no grant ${grantId}`)
    return grant
  }
}

function view(grant: Grant): GrantView {
  return {
    id: grant.id,
    profile: grant.profile,
    client: grant.client,
    account: grant.account,
    scopes: grant.scopes,
    state: grant.revoked ? 'revoked' : 'live',
    revoked: grant.revoked,
    consentedAt: grant.consentedAt,
    generation: grant.generation,
    currentFingerprint: grant.revoked ? null : fingerprint(grant.current.token),
    accessExpiresAt: grant.latest.access.expiresAt,
    refreshRequests: grant.refreshRequests,
    overlaps: grant.overlaps,
    presentations: [...grant.presentations],
    apiCalls: [...grant.apiCalls],
  }
}
