/** How one profile answers a second presentation of the same refresh token. */
export type PracticeReuse = 'P0' | 'P1' | 'P2' | 'P3' | 'P4'
/** How one profile words its answers. */
export type PracticeShape = 'standard' | 'strava' | 'amazon'

/** One issuer with its own behaviour, under its own path prefix. Every field can be changed while it runs. */
export interface ProfileSettings {
  /**
   * P0 the same token keeps working; P1 the same answer for `windowSeconds` after the first use, then the family is
   * revoked; P2 the same answer until the successor or its access token is used, then the family is revoked;
   * P3 refused, the family lives; P4 refused and the family is revoked.
   */
  readonly reuse: PracticeReuse
  /** P1 only: seconds after the first use in which a replay is answered. */
  readonly windowSeconds: number
  /** P0 only: `same` returns the presented refresh token, `new` a further one (the old one keeps working), `omit` none at all (RFC 6749 section 6). */
  readonly rotation: 'same' | 'new' | 'omit'
  readonly accessSeconds: number
  /** Seconds without a refresh after which the grant ends; null: never. */
  readonly refreshIdleSeconds: number | null
  /** Seconds after consent at which the grant ends, whatever happens; null: never. */
  readonly refreshAbsoluteSeconds: number | null
  readonly codeSeconds: number
  /** With more than this left, a refresh returns the tokens it returned before; null: every refresh makes new ones. */
  readonly noopAboveSeconds: number | null
  /** A refresh also ends the access tokens handed out before it. */
  readonly refreshEndsAccessToken: boolean
  readonly shape: PracticeShape
  /** `required`: S256 or nothing (OAuth 2.1). `optional`: a challenge is checked when there is one. */
  readonly pkce: 'required' | 'optional'
  readonly scopes: readonly string[]
}

const BASE: ProfileSettings = {
  reuse: 'P4',
  windowSeconds: 10,
  rotation: 'same',
  accessSeconds: 3600,
  refreshIdleSeconds: null,
  refreshAbsoluteSeconds: null,
  codeSeconds: 60,
  noopAboveSeconds: null,
  refreshEndsAccessToken: false,
  shape: 'standard',
  pkce: 'required',
  scopes: ['openid', 'profile', 'email', 'offline_access', 'notes:read', 'notes:write'],
}

/** The profiles that a practice provider starts with, by path prefix. */
export const DEFAULT_PROFILES: Readonly<Record<string, ProfileSettings>> = {
  p0: { ...BASE, reuse: 'P0' },
  p1: { ...BASE, reuse: 'P1' },
  p2: { ...BASE, reuse: 'P2' },
  p3: { ...BASE, reuse: 'P3' },
  p4: { ...BASE, reuse: 'P4' },
  strava: {
    ...BASE,
    reuse: 'P3',
    shape: 'strava',
    pkce: 'optional',
    accessSeconds: 21_600,
    noopAboveSeconds: 3600,
    scopes: ['read', 'read_all', 'profile:read_all', 'activity:read', 'activity:read_all', 'activity:write'],
  },
  amazon: {
    ...BASE,
    reuse: 'P0',
    shape: 'amazon',
    pkce: 'optional',
    codeSeconds: 300,
    refreshAbsoluteSeconds: 365 * 86_400,
    scopes: ['advertising::campaign_management', 'advertising::audiences', 'profile'],
  },
}

type Check = (value: unknown) => boolean
const seconds: Check = (value) => typeof value === 'number' && Number.isFinite(value) && value >= 0
const secondsOrNull: Check = (value) => value === null || seconds(value)
const oneOf =
  (...allowed: readonly string[]): Check =>
  (value) =>
    typeof value === 'string' && allowed.includes(value)

const CHECKS: Readonly<Record<keyof ProfileSettings, Check>> = {
  reuse: oneOf('P0', 'P1', 'P2', 'P3', 'P4'),
  windowSeconds: seconds,
  rotation: oneOf('same', 'new', 'omit'),
  accessSeconds: seconds,
  refreshIdleSeconds: secondsOrNull,
  refreshAbsoluteSeconds: secondsOrNull,
  codeSeconds: seconds,
  noopAboveSeconds: secondsOrNull,
  refreshEndsAccessToken: (value) => typeof value === 'boolean',
  shape: oneOf('standard', 'strava', 'amazon'),
  pkce: oneOf('required', 'optional'),
  scopes: (value) => Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'string' && item !== ''),
}

/** `base` with the given fields replaced. Throws a TypeError that names the first bad field. */
export function withSettings(base: ProfileSettings, changes: Readonly<Partial<ProfileSettings>>): ProfileSettings {
  for (const [field, value] of Object.entries(changes)) {
    const check = Object.hasOwn(CHECKS, field) ? CHECKS[field as keyof ProfileSettings] : undefined
    if (!check) throw new TypeError(`profile setting ${field} is not known`)
    if (!check(value)) throw new TypeError(`profile setting ${field} has a value that is not allowed`)
  }
  return { ...base, ...changes }
}

/** A profile made from nothing but changes. */
export function newProfile(changes: Readonly<Partial<ProfileSettings>>): ProfileSettings {
  return withSettings(BASE, changes)
}
