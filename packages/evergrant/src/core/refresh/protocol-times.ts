import type { Reuse } from '../provider/reuse.ts'
import { DAY, HOUR, MINUTE, SECOND } from '../time.ts'

/** Every waiting time of the protocol, in milliseconds: a table, so that a test can run the protocol faster, declared. */
export interface ProtocolTimes {
  /** How long one exchange waits for its answer, by reuse class (refresh-protocol 2.8). */
  readonly drainMs: number
  readonly strictDrainMs: number
  readonly windowDrainMaxMs: number
  readonly leaseMs: number
  readonly strictLeaseMs: number
  /** Added to a P1 drain to make its lease. */
  readonly windowLeaseExtraMs: number
  /** After an unanswered presentation at a strict provider: drain plus quarantine, until the orphan request is dead. */
  readonly orphanWaitMs: number
  readonly probeBeforeExpiryMs: number
  /** After an answered error there is no orphan, and the probe comes earlier. */
  readonly answeredProbeBeforeExpiryMs: number
  readonly probeEveryMs: number
  /** A P1 presentation needs this much of its window left when it is sent. */
  readonly windowSlackMs: number
  readonly windowRetryMs: number
  /** From the claim to the socket: later than this, the lease is given back unsent. */
  readonly claimToSendMs: number
  readonly connectMs: number
  readonly backoffBaseMs: number
  readonly eagerBackoffBaseMs: number
  readonly backoffCapMs: number
  /** A caller waits this long for the one flight. */
  readonly callerWaitMs: number
  readonly blockedProbeMs: number
  readonly breakerBaseMs: number
  readonly breakerCapMs: number
  /** A half-open breaker waits this long for its probe: connect, claim, the longest drain and the commit. */
  readonly breakerProbeMaxMs: number
  /** A renewal waits this long for a place among those under way at its integration; then it makes room for other integrations. */
  readonly placePatienceMs: number
  /** Retries are counted over this long. */
  readonly retryWindowMs: number
  /** Deaths are counted over this long. */
  readonly deathWindowMs: number
  /** One held grant per integration is presented again this often, over all nodes; so is one grant of a provider that refuses everybody. */
  readonly heldProbeMs: number
  /** Probes of held grants that agree count once per this long. */
  readonly agreeEveryMs: number
  /** The normal rate of an integration is averaged over this long. */
  readonly normalRateMs: number
  /** After an outage, where the normal rate is not known, one parked connection leaves per this long, ... */
  readonly releaseEveryMs: number
  /** ... and twice as many after each of these. */
  readonly releaseDoubleMs: number
  /** How long a token that the journal already has waits for the database's word on it. */
  readonly databaseGraceMs: number
  readonly commitRetryBaseMs: number
  readonly commitRetryCapMs: number
}

const TRUE_TIMES: ProtocolTimes = {
  drainMs: 15 * SECOND,
  strictDrainMs: 75 * SECOND,
  windowDrainMaxMs: 10 * SECOND,
  leaseMs: 30 * SECOND,
  strictLeaseMs: 10 * MINUTE,
  windowLeaseExtraMs: 7 * SECOND,
  orphanWaitMs: 135 * SECOND,
  probeBeforeExpiryMs: 2 * MINUTE,
  answeredProbeBeforeExpiryMs: 10 * MINUTE,
  probeEveryMs: HOUR,
  windowSlackMs: 600,
  windowRetryMs: 500,
  claimToSendMs: 5 * SECOND,
  connectMs: 10 * SECOND,
  backoffBaseMs: 2 * SECOND,
  eagerBackoffBaseMs: SECOND,
  backoffCapMs: 15 * MINUTE,
  callerWaitMs: 5 * SECOND,
  blockedProbeMs: 5 * MINUTE,
  breakerBaseMs: 5 * SECOND,
  breakerCapMs: MINUTE,
  breakerProbeMaxMs: 2 * MINUTE,
  placePatienceMs: 5 * SECOND,
  retryWindowMs: MINUTE,
  deathWindowMs: 10 * MINUTE,
  heldProbeMs: MINUTE,
  agreeEveryMs: DAY,
  normalRateMs: 10 * MINUTE,
  releaseEveryMs: 100,
  releaseDoubleMs: MINUTE,
  databaseGraceMs: 250,
  commitRetryBaseMs: 50,
  commitRetryCapMs: 5 * SECOND,
}

/** Times that bound our own machine, not the provider's: a faster profile must not shrink them. */
const OWN_TIMES: readonly (keyof ProtocolTimes)[] = [
  'claimToSendMs',
  'connectMs',
  'callerWaitMs',
  'placePatienceMs',
  'databaseGraceMs',
  'commitRetryBaseMs',
  'commitRetryCapMs',
]

/** The table divided by `scale` (1 in production). Table 2.8 at 1/50 lets real processes live through it in seconds. */
export function protocolTimes(scale = 1): ProtocolTimes {
  if (scale === 1) return TRUE_TIMES
  const entries = Object.entries(TRUE_TIMES) as [keyof ProtocolTimes, number][]
  const scaled = entries.map(([name, ms]) => [name, OWN_TIMES.includes(name) ? ms : Math.max(1, Math.round(ms / scale))])
  const times: ProtocolTimes = Object.fromEntries(scaled)
  // Whoever claims late in its own time still sends, and hears, inside its lease: P2 relies on it.
  return { ...times, leaseMs: Math.max(times.leaseMs, times.claimToSendMs + times.drainMs + 1) }
}

/** P0 and P2: the same refresh token may be presented again at once, and a lost answer loses nothing. */
export function isReusable(reuse: Reuse): boolean {
  return reuse.class === 'P0' || reuse.class === 'P2'
}

/** P3, P4 and unknown: a second presentation may cost the grant. */
export function isStrict(reuse: Reuse): boolean {
  return reuse.class === 'P3' || reuse.class === 'P4' || reuse.class === 'PU'
}

/** How long the exchange waits for its answer, in whole milliseconds: leases made from it are stored. */
export function drainFor(reuse: Reuse, times: ProtocolTimes): number {
  if (reuse.class === 'P1') return Math.min(times.windowDrainMaxMs, Math.floor(reuse.windowMs / 3))
  return isStrict(reuse) ? times.strictDrainMs : times.drainMs
}

export function leaseFor(reuse: Reuse, times: ProtocolTimes): number {
  if (reuse.class === 'P1') return drainFor(reuse, times) + times.windowLeaseExtraMs
  return isStrict(reuse) ? times.strictLeaseMs : times.leaseMs
}
