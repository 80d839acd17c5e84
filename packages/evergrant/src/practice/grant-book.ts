import { createHash, randomBytes } from 'node:crypto'
import type { ProfileSettings } from './profile.ts'

/** What was decided about one presented refresh token. */
export type Decision =
  | 'rotated'
  | 'reissued'
  | 'unchanged'
  | 'replayed'
  | 'refused_spent'
  | 'refused_reuse'
  | 'refused_revoked'
  | 'refused_expired'
  | 'refused_client'

/** Why a grant ended. `reuse`: a spent refresh token was presented and the class says that costs the family. */
export type RevocationCause = 'reuse' | 'code_reuse' | 'owner' | 'client' | 'expired' | 'fault'

export interface Presentation {
  readonly at: number
  readonly generation: number
  readonly fingerprint: string
  readonly decision: Decision
  /** Another request with the same refresh token was still unanswered. */
  readonly overlapping: boolean
}

export interface ApiCall {
  readonly at: number
  readonly method: string
  readonly path: string
  readonly generation: number
}

interface RefreshToken {
  readonly token: string
  readonly grant: Grant
  readonly generation: number
  spentAt: number | null
  successor: Issued | null
}

export interface AccessToken {
  readonly token: string
  readonly grant: Grant
  readonly generation: number
  readonly sequence: number
  readonly issuedAt: number
  expiresAt: number
  usedAt: number | null
}

export interface Issued {
  readonly access: AccessToken
  /** Null when this answer carries no refresh token. */
  readonly refreshToken: string | null
  readonly generation: number
}

export interface Grant {
  readonly id: string
  readonly profile: string
  readonly client: string
  readonly account: string
  readonly scopes: readonly string[]
  readonly consentedAt: number
  lastRefreshedAt: number
  generation: number
  revoked: { readonly at: number; readonly cause: RevocationCause; readonly presentedGeneration: number | null } | null
  current: RefreshToken
  latest: Issued
  /** Access tokens up to this sequence number have been ended. */
  accessEnded: number
  readonly presentations: Presentation[]
  readonly apiCalls: ApiCall[]
  refreshRequests: number
  overlaps: number
}

interface NewGrant {
  readonly profile: string
  readonly client: string
  readonly account: string
  readonly scopes: readonly string[]
}

type RefreshOutcome =
  | { readonly granted: true; readonly issued: Issued; readonly grant: Grant; readonly decision: Decision }
  | { readonly granted: false; readonly decision: Decision | 'unknown_token'; readonly grant: Grant | null }

/** One access token that was really issued. `sequence` grows with every token of this provider, whatever its grant. */
export interface Issue {
  readonly sequence: number
  readonly at: number
  readonly grant: string
  readonly profile: string
  readonly generation: number
  readonly fingerprint: string
}

const KEPT = 1000
const ISSUES_KEPT = 50_000
const SWEEP_EVERY = 5000

/** SHA-256 of a token, base64url. The truth speaks of tokens only by this. */
export function fingerprint(token: string): string {
  return createHash('sha256').update(token).digest('base64url')
}

/** Every grant of every profile, and what happened to each: the truth that tests compare a client's belief with. */
export class GrantBook {
  readonly #settings: (profile: string) => ProfileSettings
  readonly #now: () => number
  readonly #grants = new Map<string, Grant>()
  readonly #refresh = new Map<string, RefreshToken>()
  readonly #access = new Map<string, AccessToken>()
  readonly #outstanding = new Map<string, number>()
  #issues: AccessToken[] = []
  #issued = 0

  constructor(settings: (profile: string) => ProfileSettings, now: () => number) {
    this.#settings = settings
    this.#now = now
  }

  grants(): IterableIterator<Grant> {
    return this.#grants.values()
  }

  grant(id: string): Grant | undefined {
    return this.#grants.get(id)
  }

  create(wanted: NewGrant): Grant {
    const now = this.#now()
    const grant = {
      ...wanted,
      id: `grant_${randomBytes(9).toString('base64url')}`,
      consentedAt: now,
      lastRefreshedAt: now,
      generation: 0,
      revoked: null,
      accessEnded: 0,
      presentations: [],
      apiCalls: [],
      refreshRequests: 0,
      overlaps: 0,
    } as unknown as Grant
    grant.current = this.#newRefreshToken(grant)
    grant.latest = { access: this.#newAccessToken(grant), refreshToken: grant.current.token, generation: 1 }
    this.#grants.set(grant.id, grant)
    return grant
  }

  /** Marks a request with this refresh token as unanswered; call the result when it is answered or its socket is gone. */
  begin(token: string): { readonly overlapping: boolean; readonly end: () => void } {
    const before = this.#outstanding.get(token) ?? 0
    this.#outstanding.set(token, before + 1)
    const grant = this.#refresh.get(token)?.grant
    if (grant) {
      grant.refreshRequests += 1
      if (before > 0) grant.overlaps += 1
    }
    let open = true
    const end = () => {
      if (!open) return
      open = false
      const left = (this.#outstanding.get(token) ?? 1) - 1
      if (left <= 0) this.#outstanding.delete(token)
      else this.#outstanding.set(token, left)
    }
    return { overlapping: before > 0, end }
  }

  /** Spends a refresh token as the profile's class says. */
  refresh(profile: string, client: string, token: string, overlapping: boolean): RefreshOutcome {
    const held = this.#refresh.get(token)
    if (!held || held.grant.profile !== profile) return { granted: false, decision: 'unknown_token', grant: null }
    const outcome = this.#decide(held, client)
    const at = this.#now()
    keep(held.grant.presentations, { at, generation: held.generation, fingerprint: fingerprint(token), decision: outcome.decision, overlapping })
    if (outcome.issued) return { granted: true, issued: outcome.issued, grant: held.grant, decision: outcome.decision }
    return { granted: false, decision: outcome.decision, grant: held.grant }
  }

  #decide(held: RefreshToken, client: string): { decision: Decision; issued: Issued | null } {
    const { grant } = held
    if (grant.revoked) return { decision: grant.revoked.cause === 'expired' ? 'refused_expired' : 'refused_revoked', issued: null }
    if (grant.client !== client) return { decision: 'refused_client', issued: null }
    if (this.#ended(grant)) {
      this.revoke(grant, 'expired')
      return { decision: 'refused_expired', issued: null }
    }
    if (held.spentAt !== null) return this.#secondPresentation(held)
    return this.#firstPresentation(held)
  }

  #firstPresentation(held: RefreshToken): { decision: Decision; issued: Issued } {
    const { grant } = held
    const settings = this.#settings(grant.profile)
    const now = this.#now()
    grant.lastRefreshedAt = now
    const noop = settings.noopAboveSeconds
    if (noop !== null && held === grant.current && grant.latest.access.expiresAt - now > noop * 1000) {
      return { decision: 'unchanged', issued: { ...grant.latest, refreshToken: held.token } }
    }
    if (settings.refreshEndsAccessToken) this.expireAccess(grant)
    if (settings.reuse === 'P0') return { decision: 'reissued', issued: this.#reissue(held, settings) }
    held.spentAt = now
    grant.current = this.#newRefreshToken(grant)
    const issued = { access: this.#newAccessToken(grant), refreshToken: grant.current.token, generation: grant.generation }
    held.successor = issued
    grant.latest = issued
    return { decision: 'rotated', issued }
  }

  #reissue(held: RefreshToken, settings: ProfileSettings): Issued {
    const { grant } = held
    if (settings.rotation === 'new') grant.current = this.#newRefreshToken(grant)
    const refreshToken = settings.rotation === 'omit' ? null : settings.rotation === 'new' ? grant.current.token : held.token
    grant.latest = { access: this.#newAccessToken(grant), refreshToken, generation: grant.generation }
    return grant.latest
  }

  #secondPresentation(held: RefreshToken): { decision: Decision; issued: Issued | null } {
    const { grant, successor } = held
    const { reuse, windowSeconds } = this.#settings(grant.profile)
    if (reuse === 'P0' && successor) return { decision: 'replayed', issued: successor }
    if (reuse === 'P3') return { decision: 'refused_spent', issued: null }
    const inWindow = reuse === 'P1' && this.#now() - (held.spentAt ?? 0) < windowSeconds * 1000
    const unused = reuse === 'P2' && successor !== null && !this.#used(successor)
    if (successor && (inWindow || unused)) return { decision: 'replayed', issued: successor }
    this.revoke(grant, 'reuse', held.generation)
    return { decision: 'refused_reuse', issued: null }
  }

  #used(issued: Issued): boolean {
    if (issued.access.usedAt !== null) return true
    const next = issued.refreshToken === null ? undefined : this.#refresh.get(issued.refreshToken)
    return next !== undefined && next.spentAt !== null
  }

  #ended(grant: Grant): boolean {
    const { refreshIdleSeconds, refreshAbsoluteSeconds } = this.#settings(grant.profile)
    const now = this.#now()
    if (refreshIdleSeconds !== null && now - grant.lastRefreshedAt >= refreshIdleSeconds * 1000) return true
    return refreshAbsoluteSeconds !== null && now - grant.consentedAt >= refreshAbsoluteSeconds * 1000
  }

  /** The live access token, marked as used; undefined when it is unknown, expired or revoked. */
  useAccess(profile: string, token: string, method: string, path: string): AccessToken | undefined {
    const held = this.peekAccess(profile, token)
    if (!held) return undefined
    held.usedAt ??= this.#now()
    keep(held.grant.apiCalls, { at: this.#now(), method, path, generation: held.generation })
    return held
  }

  peekAccess(profile: string, token: string): AccessToken | undefined {
    const held = this.#access.get(token)
    if (!held || held.grant.profile !== profile || held.grant.revoked || held.sequence <= held.grant.accessEnded || held.expiresAt <= this.#now())
      return undefined
    return held
  }

  /** A refresh token that would be accepted as the newest one now. */
  peekRefresh(profile: string, token: string): Grant | undefined {
    const held = this.#refresh.get(token)
    if (!held || held.grant.profile !== profile || held.grant.revoked || held.spentAt !== null || this.#ended(held.grant)) return undefined
    return held.grant
  }

  /** The grant of any token this book ever issued. */
  grantOf(profile: string, token: string): Grant | undefined {
    const grant = this.#refresh.get(token)?.grant ?? this.#access.get(token)?.grant
    return grant?.profile === profile ? grant : undefined
  }

  revoke(grant: Grant, cause: RevocationCause, presentedGeneration: number | null = null): void {
    grant.revoked ??= { at: this.#now(), cause, presentedGeneration }
  }

  /** Ends every access token of the grant now; the refresh token stays good. */
  expireAccess(grant: Grant): void {
    grant.accessEnded = this.#issued
    const { access } = grant.latest
    access.expiresAt = Math.min(access.expiresAt, this.#now())
  }

  /** Every access token issued after this sequence number, oldest first, as far back as 50,000 tokens. */
  issuedAfter(sequence: number): readonly Issue[] {
    const from = this.#issues.findIndex((issue) => issue.sequence > sequence)
    const issues = from < 0 ? [] : this.#issues.slice(from)
    return issues.map(({ token, grant, generation, sequence: number, issuedAt }) => {
      return { sequence: number, at: issuedAt, grant: grant.id, profile: grant.profile, generation, fingerprint: fingerprint(token) }
    })
  }

  clear(): void {
    this.#issues = []
    this.#grants.clear()
    this.#refresh.clear()
    this.#access.clear()
  }

  #newRefreshToken(grant: Grant): RefreshToken {
    grant.generation += 1
    const token: RefreshToken = { token: mint(this.#settings(grant.profile), 'refresh'), grant, generation: grant.generation, spentAt: null, successor: null }
    this.#refresh.set(token.token, token)
    return token
  }

  #newAccessToken(grant: Grant): AccessToken {
    const settings = this.#settings(grant.profile)
    const issuedAt = this.#now()
    this.#issued += 1
    const access: AccessToken = {
      token: mint(settings, 'access'),
      grant,
      generation: grant.generation,
      sequence: this.#issued,
      issuedAt,
      expiresAt: issuedAt + settings.accessSeconds * 1000,
      usedAt: null,
    }
    this.#access.set(access.token, access)
    this.#issues.push(access)
    if (this.#issues.length >= 2 * ISSUES_KEPT) this.#issues = this.#issues.slice(-ISSUES_KEPT)
    if (this.#issued % SWEEP_EVERY === 0) this.#sweep(issuedAt)
    return access
  }

  #sweep(now: number): void {
    for (const [token, held] of this.#access) {
      if (held.expiresAt < now) this.#access.delete(token)
    }
  }
}

function mint(settings: ProfileSettings, kind: 'access' | 'refresh'): string {
  if (settings.shape === 'strava') return randomBytes(20).toString('hex')
  const secret = randomBytes(32).toString('base64url')
  if (settings.shape === 'amazon') return `${kind === 'access' ? 'Atza' : 'Atzr'}|${secret}`
  return `practice_${kind === 'access' ? 'at' : 'rt'}_${secret}`
}

function keep<Item>(list: Item[], item: Item): void {
  list.push(item)
  if (list.length > KEPT) list.shift()
}
