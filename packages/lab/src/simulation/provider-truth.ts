import type { ProviderRecord, Reuse } from '../../../evergrant/src/engine.ts'

/** Why a family of tokens is over. Only `reuse` and `sibling` can be our doing. */
type EndReason = 'user' | 'provider' | 'expired' | 'revoked_by_us' | 'reuse' | 'sibling'

/** All tokens of one consent. */
export interface Family {
  readonly id: number
  readonly site: Site
  /** Index of the connection that holds it. */
  readonly connection: number
  readonly owner: string
  readonly consentedAt: number
  readonly absoluteEnd: number | null
  /** Its place among the consents of its connection, in the order in which the database took them; the first is 0. */
  place: number
  current: RefreshTruth
  end: { readonly reason: EndReason; readonly at: number; readonly by: Presentation | null } | null
}

export interface RefreshTruth {
  readonly text: string
  readonly family: Family
  readonly number: number
  usedAt: number | null
  successor: RefreshTruth | null
  /** It, or an access token that came with it, was used: where that ends the predecessor, it is over. */
  taken: boolean
  /** Every time it was sent, oldest first. */
  readonly presentations: Presentation[]
}

export interface AccessTruth {
  readonly text: string
  readonly family: Family
  readonly expiresAt: number
  readonly refresh: RefreshTruth
}

/** The network's own doing: a second delivery of a request that was sent once. */
export const DELIVERED_TWICE = 'the network delivered it twice'

/** What the node learned from one presentation. `unread`: nothing (yet). */
type Learned = 'unread' | 'granted' | 'definite' | 'unclear'

/** One sending of one refresh token, and everything that became of it. */
export interface Presentation {
  readonly id: number
  readonly node: string
  readonly incarnation: number
  readonly token: RefreshTruth
  readonly intent: string | null
  readonly sentAt: number
  /** The provider will decide nothing about it any more. */
  settled: boolean
  /** The answer is in the kernel of the node. */
  arrived: boolean
  /** The node has an answer, or has given up. */
  over: boolean
  decidedAt: number | null
  /** What the provider did with it. */
  effect: 'none' | 'rotated' | 'again' | 'refused' | 'config' | 'mistaken_death'
  /** The successor that the answer carried, if it carried one that could be read. */
  carried: RefreshTruth | null
  learned: Learned
  /** How the answer was destroyed, when it was. */
  destroyed: string | null
  journaled: boolean
  /** The process that sent it is gone. */
  abandoned: boolean
  /** The database has answered for it, whatever it said. */
  concluded: boolean
  /** When the node had its answer. */
  readAt: number | null
  /** It was sent by what a database said that had gone back in time. */
  readonly misled: boolean
}

/** One token endpoint with its rules, its client and its moods. */
export interface Site {
  readonly index: number
  readonly url: string
  readonly revokeUrl: string | null
  readonly reuse: Reuse
  readonly record: ProviderRecord
  /** What a refresh does to the refresh token when the class leaves the choice. */
  readonly rotation: 'always' | 'sometimes' | 'never'
  readonly lifetimeMs: number
  readonly refreshEndsAccess: boolean
  /** One answer in how many comes from the slow mode, when slow answers are on. */
  readonly families: Family[]
  mood: Mood
}

interface Mood {
  down: boolean
  /** Since when. */
  downSince?: number
  clientRejected: boolean
  mistakenDeath: boolean
}

/** True when the provider would answer this refresh token with a grant, now. */
export function wouldHonour(token: RefreshTruth, now: number): boolean {
  const { family } = token
  expire(family, now)
  if (family.end !== null) return false
  if (token.usedAt === null) return true
  switch (family.site.reuse.class) {
    case 'P0':
      return true
    case 'P1':
      return now - token.usedAt <= family.site.reuse.windowMs
    case 'P2':
      return token.successor?.taken === false
    case 'P3':
    case 'P4':
    case 'PU':
      return false
  }
}

type ProviderDecision =
  | { readonly kind: 'granted'; readonly refresh: RefreshTruth; readonly rotated: boolean; readonly again: boolean }
  | { readonly kind: 'refused' }

/** The provider acts on a refresh token: the one place where grants are rotated and killed. */
export function decide(token: RefreshTruth, now: number, by: Presentation, rotate: (family: Family) => RefreshTruth | null): ProviderDecision {
  const { family } = token
  if (wouldHonour(token, now)) {
    token.taken = true
    if (token.usedAt !== null && token.successor !== null && family.site.reuse.class !== 'P0') {
      return { kind: 'granted', refresh: token.successor, rotated: true, again: true }
    }
    const successor = rotate(family)
    if (successor === null) return { kind: 'granted', refresh: token, rotated: false, again: false }
    token.usedAt = now
    token.successor = successor
    family.current = successor
    return { kind: 'granted', refresh: successor, rotated: true, again: false }
  }
  if (family.end === null) punish(family, now, by)
  return { kind: 'refused' }
}

function punish(family: Family, now: number, by: Presentation): void {
  const { reuse, families } = family.site
  if (reuse.class === 'P2' || reuse.class === 'P3') return
  endFamily(family, 'reuse', now, by)
  if (!reuse.neverProbe) return
  for (const sibling of families) if (sibling.owner === family.owner) endFamily(sibling, 'sibling', now, by)
}

export function endFamily(family: Family, reason: EndReason, at: number, by: Presentation | null = null): void {
  family.end ??= { reason, at, by }
}

function expire(family: Family, now: number): void {
  if (family.absoluteEnd !== null && now >= family.absoluteEnd) endFamily(family, 'expired', family.absoluteEnd)
}

/** The API behind the provider: 200 or 401. */
export function useAccess(access: AccessTruth, now: number): boolean {
  expire(access.family, now)
  if (access.family.end !== null || now >= access.expiresAt) return false
  if (access.family.site.refreshEndsAccess && access.refresh.number < access.family.current.number) return false
  access.refresh.taken = true
  return true
}
