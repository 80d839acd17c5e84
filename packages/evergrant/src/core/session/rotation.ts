import { type Instant, SECOND } from '../time.ts'
import type { RecentGeneration, Session, SessionEnd } from './session.ts'

/** How long after a rotation those who are still on their way with an old generation are answered with the current one. */
export const REPLAY_WINDOW_MS = 30 * SECOND
/** No request and no answer of an honest client is under way for longer: it gives up. */
export const FLIGHT_MS = 10 * SECOND
/** That a generation was handed out again is noted once in this time. */
const NOTED_EVERY_MS = 5 * SECOND
/** More rotations than this inside one window are a loop, not a race. */
const RECENT_MAX = 50
/** The last one that a credential can be written for: at one a millisecond, 30,000 years. */
const GENERATION_MAX = 999_999_999_999_999

/** `replacement_unheard`: another session took its place so long ago that this browser cannot have got the answer. */
export type EndReason = SessionEnd | 'idle' | 'absolute' | 'replacement_unheard'

/** What a genuine refresh credential means for its session. Its MAC was checked before: nobody can make one up. */
export type Judgement =
  /** The current generation: its successor is issued. */
  | { readonly kind: 'rotate'; readonly next: Session }
  /** Overtaken on its way: the current generation is given again. `next`: that this happened has to be noted. */
  | { readonly kind: 'replay'; readonly next: Session | null }
  /** Its answer was lost: the successor that nobody seems to hold is taken back, and another one issued. */
  | { readonly kind: 'reissue'; readonly next: Session; readonly withdrawn: number }
  /** Ahead of the record, which is that of a restored database: the record follows. */
  | { readonly kind: 'roll_forward'; readonly next: Session }
  /** Two hold what only one was given. The session is over for both. */
  | { readonly kind: 'reuse'; readonly next: Session }
  | { readonly kind: 'ended'; readonly why: EndReason }

export interface Lifetimes {
  readonly idleMs: number
}

/** The whole rule of rotation. Pure, so that every interleaving can be tried. DESIGN section 7; decision 0034. */
export function judgePresentation(session: Session, generation: number, at: Instant, { idleMs }: Lifetimes): Judgement {
  if (session.revokedAt !== null) return { kind: 'ended', why: whyRevoked(session.end, session.revokedAt, at) }
  if (at >= session.expiresAt || generation >= GENERATION_MAX) return { kind: 'ended', why: 'absolute' }
  if (at >= session.idleExpiresAt) return { kind: 'ended', why: 'idle' }
  if (generation > session.generation) return { kind: 'roll_forward', next: issued(session, generation, generation + 1, at, idleMs) }
  if (generation === session.generation) return { kind: 'rotate', next: issued(session, generation, generation + 1, at, idleMs) }
  if (isUnderWay(session, generation, at)) return { kind: 'replay', next: givenAgain(session, at) }
  if (!mayBeHeld(session, generation, at)) return { kind: 'reuse', next: { ...session, revokedAt: at, end: 'reuse_detected' } }
  const withdrawn = session.generation
  return { kind: 'reissue', withdrawn, next: issued(session, generation, withdrawn + 1, at, idleMs) }
}

/** A jar that still says this when the answer with the new session must have arrived did not get it: nothing will come that could be waited for. */
function whyRevoked(end: SessionEnd | null, revokedAt: Instant, at: Instant): EndReason {
  return end === 'replaced' && Math.abs(at - revokedAt) > REPLAY_WINDOW_MS ? 'replacement_unheard' : (end ?? 'signed_out')
}

/**
 * Sent before the last rotation was heard of, which is less than a window ago. It need not be the generation that was rotated last: whoever may have
 * one by replay may have the next one by the next replay, so an end of the window at each step would keep nothing from anybody.
 */
function isUnderWay({ issuedAt, recent }: Session, generation: number, at: Instant): boolean {
  return at - issuedAt <= REPLAY_WINDOW_MS && recent.some((other) => other.from === generation || other.generation === generation)
}

/**
 * True for what an honest client may hold as its newest: the generation that the current one was issued for, until somebody is seen with the current
 * one and nothing from before can still be under way; and one that was handed out again so late that this answer may have come after a newer one.
 */
function mayBeHeld({ generation: current, usedAt, previous, recent }: Session, generation: number, at: Instant): boolean {
  if (generation === previous && (usedAt === null || recent.some((other) => other.generation === current && !isSettled(other, at)))) return true
  return recent.some((other) => other.generation === generation && other.againAt !== undefined)
}

/** Every answer with it arrived or is lost, and so is every request that was sent before one of them arrived. */
function isSettled({ issuedAt, againAt }: RecentGeneration, at: Instant): boolean {
  const lastGivenAt = againAt === undefined ? issuedAt : againAt + NOTED_EVERY_MS
  return at > lastGivenAt + 2 * FLIGHT_MS
}

/** Only a jar that several share gets an older answer after a newer one: in bearer mode one tab has one refresh at a time, and nothing is noted. */
function givenAgain(session: Session, at: Instant): Session | null {
  const current = session.recent.find((other) => other.generation === session.generation)
  if (session.mode === 'bearer' || current === undefined) return null
  if (current.againAt !== undefined && at - current.againAt < NOTED_EVERY_MS) return null
  return { ...session, recent: session.recent.map((other) => (other === current ? { ...other, againAt: at } : other)) }
}

/**
 * What is settled can be nobody's newest any more. It is kept for those who are under way with it: for the rest of its window, and until what came
 * after it is settled, too.
 */
function remembered(recent: readonly RecentGeneration[], at: Instant): readonly RecentGeneration[] {
  const isOver = (other: RecentGeneration | undefined) => other === undefined || (isSettled(other, at) && at - other.issuedAt > REPLAY_WINDOW_MS)
  return recent.flatMap((other, index) => {
    if (!isSettled(other, at)) return [other]
    const { generation, from, issuedAt } = other
    return isOver(other) && isOver(recent[index + 1]) ? [] : [{ generation, from, issuedAt }]
  })
}

/**
 * The idle lifetime is counted from the newest instant that this session saw: a rotation under a clock that stands behind must not end it once the clock is
 * right. Never past the absolute end, so a clock that was ahead lends no more than that.
 */
function idleEnd({ recent, expiresAt }: Session, at: Instant, idleMs: number): Instant {
  return Math.min(Math.max(at, ...recent.map(({ issuedAt }) => issuedAt)) + idleMs, expiresAt)
}

function issued(session: Session, presented: number, generation: number, at: Instant, idleMs: number): Session {
  return {
    ...session,
    generation,
    previous: presented,
    issuedAt: at,
    usedAt: null,
    recent: [...remembered(session.recent, at).slice(1 - RECENT_MAX), { generation, from: presented, issuedAt: at }],
    idleExpiresAt: idleEnd(session, at, idleMs),
  }
}
