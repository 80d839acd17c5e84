import type { NewCredential } from '../connection/credential.ts'
import type { IntegrationSettings } from '../connection/integration.ts'
import type { ProviderRecord } from '../provider/record.ts'
import type { Reuse } from '../provider/reuse.ts'
import { DAY, HOUR, type Instant, SECOND } from '../time.ts'
import { isStrict } from './protocol-times.ts'

/** A third of the shortest idle lifetime that is documented anywhere (7 days), for providers that document none. */
const KEEP_ALIVE_UNKNOWN_MS = 56 * HOUR
/** Keep-alives come this much of their time early at most: what was imported together is not renewed together. */
const KEEP_ALIVE_SPREAD = 0.2

export interface DueInput {
  readonly credential: Pick<NewCredential, 'refreshToken' | 'fingerprint' | 'obtainedAt' | 'accessExpiresAt' | 'refreshExpiresAt' | 'softAt'>
  readonly settings: Pick<IntegrationSettings, 'renewal'>
  readonly lifetimes: Pick<ProviderRecord['lifetimes'], 'refreshIdleSeconds'>
  readonly reuse: Reuse
  readonly lastReadAt: Instant | null
  readonly now: Instant
}

/** Read within max(24 h, 3 lifetimes): somebody counts on this connection (DESIGN section 5.1). */
function interested(input: Pick<DueInput, 'credential' | 'lastReadAt' | 'now'>): boolean {
  const { credential, lastReadAt, now } = input
  if (lastReadAt === null) return false
  const lifetime = credential.accessExpiresAt === null ? 0 : credential.accessExpiresAt - credential.obtainedAt
  return now - lastReadAt <= Math.max(DAY, 3 * lifetime)
}

/** When an unused grant must be renewed so that it does not die of idleness: after 27 to 33 % of its idle lifetime, always the same for one credential. */
function keepAliveAt(input: Pick<DueInput, 'credential' | 'lifetimes' | 'reuse'>): Instant | null {
  const { credential, lifetimes } = input
  if (credential.refreshToken === null || input.reuse.credentials === true) return null
  const idleMs = lifetimes.refreshIdleSeconds === null ? null : lifetimes.refreshIdleSeconds * SECOND
  const told = credential.refreshExpiresAt === null ? null : credential.refreshExpiresAt - credential.obtainedAt
  const shortest = Math.min(idleMs ?? Number.POSITIVE_INFINITY, told ?? Number.POSITIVE_INFINITY)
  const third = Number.isFinite(shortest) ? Math.round(shortest / 3) : KEEP_ALIVE_UNKNOWN_MS
  const early = KEEP_ALIVE_SPREAD * drawnFrom(credential.fingerprint ?? '')
  return credential.obtainedAt + Math.max(0, Math.round(third * (1 - early)))
}

/** Uniform in [0, 1), drawn by the text: a keyed fingerprint is as good as chance, and needs no column of its own (FNV-1a, 32 bit). */
function drawnFrom(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return (hash >>> 0) / 2 ** 32
}

/** When the worker should look at this connection next, after a success or a change. Null: never by itself. */
export function dueAfter(input: DueInput): Instant | null {
  const { credential, settings, reuse } = input
  if (credential.refreshToken === null) return credential.accessExpiresAt
  const keepAlive = keepAliveAt(input)
  // Credentials do not die of idleness: a token that nobody reads need not be asked for.
  const harmless = !isStrict(reuse) && reuse.credentials !== true
  const eager = settings.renewal === 'ahead' || (settings.renewal === 'auto' && (harmless || interested(input)))
  if (!eager || credential.softAt === null) return credential.softAt === null && reuse.class === 'P0' ? null : keepAlive
  return keepAlive === null ? credential.softAt : Math.min(credential.softAt, keepAlive)
}

/** The first due time of a new grant. Consent counts as interest. */
export function initialDueAt(
  credential: DueInput['credential'],
  settings: Pick<IntegrationSettings, 'renewal'>,
  now: Instant,
  record?: Pick<ProviderRecord, 'lifetimes'>,
): Instant | null {
  const lifetimes = record?.lifetimes ?? { refreshIdleSeconds: null }
  return dueAfter({ credential, settings, lifetimes, reuse: { class: 'PU', windowMs: 0, neverProbe: false }, lastReadAt: now, now })
}
