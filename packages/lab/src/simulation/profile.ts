import type { Reuse } from '../../../evergrant/src/engine.ts'
import type { FaultLetter } from './faults.ts'
import { ALL_FAULTS, parseMask } from './faults.ts'
import { Streams } from './random.ts'
import type { ProfileName } from './seed-report.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

/** How often each fault strikes, and what the protocol may assume. Chances are per occasion, times in milliseconds. */
export interface Profile {
  readonly name: ProfileName
  readonly chance: Readonly<Record<'a' | 'b' | 'c' | 'd' | 'e' | 'f' | 'g' | 'k' | 'l' | 'r' | 'u' | 'v' | 'w' | 'z', number>>
  /** Mean time between two strikes: episodes of a provider or the database, and per node for crashes and pauses. */
  readonly everyMs: Readonly<Record<'h' | 'i' | 'j' | 'm' | 'n' | 'o' | 'p' | 'q' | 's' | 't' | 'u' | 'v' | 'x' | 'y', number>>
  readonly pauseMeanMs: number
  /** Assumption: no pause is longer. */
  readonly pauseMaxMs: number
  /** Assumption: a request is decided this long after it was sent, or never (window classes: a fifth of the window, if that is shorter). */
  readonly requestLifeMs: number
  readonly skewMs: number
}

const BRUTAL: Profile = {
  name: 'brutal',
  chance: { a: 0.01, b: 0.01, c: 0.06, d: 0.03, e: 0.005, f: 0.03, g: 0.01, k: 0.01, l: 0.01, r: 0.004, u: 0.05, v: 0.02, w: 0.01, z: 0.002 },
  everyMs: {
    h: 4 * HOUR,
    i: 8 * HOUR,
    j: 20 * HOUR,
    m: 2 * HOUR,
    n: 2 * HOUR,
    o: 3 * HOUR,
    p: 2 * HOUR,
    q: HOUR,
    s: HOUR,
    t: 2 * HOUR,
    u: HOUR,
    v: 6 * HOUR,
    x: 24 * HOUR,
    y: 3 * HOUR,
  },
  pauseMeanMs: 20 * SECOND,
  pauseMaxMs: 100 * SECOND,
  requestLifeMs: 120 * SECOND,
  skewMs: 4 * SECOND,
}

const REALISTIC: Profile = {
  ...BRUTAL,
  name: 'realistic',
  chance: { a: 1e-5, b: 1e-5, c: 1e-3, d: 1e-4, e: 1e-5, f: 1e-4, g: 1e-5, k: 1e-4, l: 1e-5, r: 0, u: 1e-3, v: 1e-5, w: 1e-4, z: 1e-6 },
  everyMs: {
    h: 90 * 24 * HOUR,
    i: 365 * 24 * HOUR,
    j: 365 * 24 * HOUR,
    m: 7 * 24 * HOUR,
    n: 2 * 24 * HOUR,
    o: 90 * 24 * HOUR,
    p: 24 * HOUR,
    q: 24 * HOUR,
    s: 24 * HOUR,
    t: 2 * 24 * HOUR,
    u: 24 * HOUR,
    v: 365 * 24 * HOUR,
    x: 300 * 24 * HOUR,
    y: 24 * HOUR,
  },
}

const PROFILES: Readonly<Record<ProfileName, Profile>> = {
  brutal: BRUTAL,
  realistic: REALISTIC,
  unbounded: { ...BRUTAL, name: 'unbounded', pauseMeanMs: 240 * SECOND, pauseMaxMs: Number.POSITIVE_INFINITY },
}

/** The assumption about how long a request may be on its way before it is decided, in milliseconds. */
export function requestLifeMs(profile: Pick<Profile, 'requestLifeMs'>, reuse: Reuse): number {
  return reuse.class === 'P1' ? Math.min(profile.requestLifeMs, Math.floor(0.2 * reuse.windowMs)) : profile.requestLifeMs
}

export function profileOf(name: ProfileName): Profile {
  return PROFILES[name]
}

/** Each fault is on with probability 1/2, unless the mask says which are. */
export function maskOf(seed: number, given: string | undefined): string {
  if (given !== undefined) return parseMask(given)
  const random = new Streams(seed).of('mask')
  return ALL_FAULTS.filter(() => random.chance(0.5)).join('') || '-'
}

/** Which faults strike now: none in the calm hours. */
export class Weather {
  calm = false
  readonly profile: Profile
  readonly #on: ReadonlySet<string>

  constructor(profile: Profile, mask: string) {
    this.profile = profile
    this.#on = new Set(mask)
  }

  has(fault: FaultLetter): boolean {
    return !this.calm && this.#on.has(fault)
  }

  /** Was it ever on? Its stream is drawn from either way. */
  enabled(fault: FaultLetter): boolean {
    return this.#on.has(fault)
  }
}
