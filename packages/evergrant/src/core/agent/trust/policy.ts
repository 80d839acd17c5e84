import { DAY } from '../../time.ts'
import type { KeyCustody } from '../installation.ts'

/** Points are counted in hundredths: 10,000 are 100 points. Every one of them is an integer. */
export type BasisPoints = number

/** The numbers of one version of the score. They never change: another number is another version, and comes with vectors of its own. */
export interface TrustPolicy {
  readonly version: number
  readonly custody: Readonly<Record<KeyCustody, BasisPoints>>
  readonly custodyAvailable: BasisPoints
  readonly possession: BasisPoints
  readonly keyAge: BasisPoints
  /** A key that is younger costs nothing; from then on it costs evenly until `keyOldMs`, when it earns nothing. */
  readonly keyFreshMs: number
  readonly keyOldMs: number
  readonly rotations: BasisPoints
  readonly healing: BasisPoints
  readonly healingEach: BasisPoints
  readonly incidents: BasisPoints
  readonly incidentWeights: Readonly<Record<TrustIncidentKind, BasisPoints>>
  readonly incidentHalvesMs: number
  /** Forgotten then. */
  readonly incidentOverMs: number
  /** How far back counts by day are read: what they cost is over then. */
  readonly daysMs: number
  /** So many proofs that failed on one day are a burst. */
  readonly proofBurst: number
  readonly owner: BasisPoints
  readonly review: BasisPoints
  readonly reviewMs: number
  readonly leastPrivilege: BasisPoints
  /** Before so much was seen, the absence of trouble proves nothing. */
  readonly exposureMs: number
  readonly exposureRequests: number
  /** What a factor looks back: uses of the key, and everything else. */
  readonly useWindowMs: number
  readonly windowMs: number
  readonly caps: {
    readonly noKeyBinding: BasisPoints
    readonly ownerInactive: BasisPoints
    readonly incidentOpen: BasisPoints
    readonly suspended: BasisPoints
  }
  /** Farther apart than this, floor and ceiling say too little for a word. */
  readonly ratedWithin: BasisPoints
  readonly bands: readonly (readonly [from: BasisPoints, band: 'High' | 'Good' | 'Fair' | 'Low'])[]
}

export type TrustIncidentKind = 'clone' | 'compromise' | 'proof_failures' | 'refused_uses'

const FIRST: TrustPolicy = {
  version: 1,
  custody: { hardware: 2_500, keychain: 2_000, workload: 2_000, file: 1_200, environment: 500 },
  custodyAvailable: 2_500,
  possession: 1_500,
  keyAge: 800,
  keyFreshMs: 180 * DAY,
  keyOldMs: 360 * DAY,
  rotations: 700,
  healing: 1_500,
  healingEach: 400,
  incidents: 2_000,
  incidentWeights: { clone: 2_000, compromise: 2_000, proof_failures: 600, refused_uses: 200 },
  incidentHalvesMs: 30 * DAY,
  incidentOverMs: 360 * DAY,
  daysMs: 90 * DAY,
  proofBurst: 10,
  owner: 400,
  review: 300,
  reviewMs: 90 * DAY,
  leastPrivilege: 300,
  exposureMs: 7 * DAY,
  exposureRequests: 100,
  useWindowMs: 7 * DAY,
  windowMs: 30 * DAY,
  caps: { noKeyBinding: 5_000, ownerInactive: 4_000, incidentOpen: 2_000, suspended: 1_000 },
  ratedWithin: 4_000,
  bands: [
    [8_000, 'High'],
    [6_000, 'Good'],
    [4_000, 'Fair'],
    [0, 'Low'],
  ],
}

/** Every version that a stored row may name. */
export const TRUST_POLICIES: readonly TrustPolicy[] = [FIRST]
export const TRUST_POLICY_VERSION = 1

/** @throws Error for a version that never was */
export function trustPolicy(version: number): TrustPolicy {
  const found = TRUST_POLICIES.find((policy) => policy.version === version)
  if (found === undefined) throw new Error(`there is no version ${version} of the trust score`)
  return found
}
