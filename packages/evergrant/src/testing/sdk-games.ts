import { type Agent, NEW_POLICY, NEW_POLICY_RECORD } from '../core/agent/agent.ts'
import type { Approval } from '../core/agent/approvals.ts'
import type { Installation } from '../core/agent/installation.ts'
import type { RecoveryAttempt, SdkRevocation } from '../core/agent/installations.ts'
import { pressureSince, type RecoveryPressure } from '../core/agent/recovery-rules.ts'
import { AGENT_SETTINGS_DEFAULTS, type AgentSettings } from '../core/agent/recovery-settings.ts'
import { applySdkPresentation, type SdkOutcome, type SdkReading } from '../core/agent/sdk-outcome.ts'
import type { SdkPresentation } from '../core/agent/sdk-presentation.ts'
import { isStranger, type SdkJudgement } from '../core/agent/sdk-rotation.ts'
import type { SdkToken } from '../core/agent/sdk-token.ts'
import type { NewEvent } from '../core/audit/event.ts'
import { DAY, type Instant, MINUTE } from '../core/time.ts'

export const START: Instant = Date.UTC(2026, 0, 1)
export const TOKEN_LIFE_MS = 60 * DAY
export const KEY = 'the key of the machine'
/** A nonce of the server is good for so long; a proof was made after its slot began. */
const SLOT_MS = 2 * MINUTE

const id = <Prefix extends string>(prefix: Prefix, number: number) => `${prefix}_01980000-0000-7000-8000-${String(number).padStart(12, '0')}` as const

export const AGENT: Agent = {
  id: id('agt', 1),
  organization: id('org', 1),
  owner: id('usr', 1),
  name: 'weather',
  description: null,
  status: 'verified',
  provenAt: START,
  acceptedAt: START,
  acceptedBy: { kind: 'user', id: id('usr', 1) },
  policy: { ...NEW_POLICY },
  policyRecord: NEW_POLICY_RECORD,
  suspendedBy: null,
  recovery: {},
  reviewedAt: null,
  reviewedBy: null,
  createdAt: START,
  updatedAt: START,
  version: 1,
}

export function installationRow(changes: Partial<Installation> = {}): Installation {
  return {
    id: id('ins', 1),
    organization: AGENT.organization,
    agent: AGENT.id,
    name: 'web-2',
    status: 'active',
    keyThumbprint: KEY,
    publicJwk: { kty: 'OKP' },
    keyCreatedAt: START,
    previousThumbprints: [],
    custody: 'file',
    enrolledVia: 'code',
    generation: 1,
    floorGeneration: 1,
    recoveryMode: null,
    recoveries: [],
    reissues: [],
    cooldownUntil: null,
    cooldownMs: 0,
    minGeneration: 0,
    lock: null,
    stoppedBy: null,
    workload: null,
    rekeyUntil: null,
    hints: { host: 'web-2', machine: null, platform: null, sdk: null },
    lastSeenAt: null,
    lastRefreshedAt: null,
    address: '192.0.2.7',
    userAgent: null,
    expiresAt: null,
    createdAt: START,
    head: id('sdk', 1),
    ...changes,
  }
}

export function tokenRow(changes: Partial<SdkToken> = {}): SdkToken {
  return {
    id: id('sdk', 1),
    installation: id('ins', 1),
    family: 'first family',
    parent: null,
    generation: 1,
    attempt: 'attempt of enrolment..',
    state: 'active',
    revokeClass: null,
    revokeReason: null,
    revokedBy: null,
    revokedAt: null,
    ticket: false,
    keyThumbprint: KEY,
    createdAt: START,
    activatedAt: null,
    supersededAt: null,
    expiresAt: START + TOKEN_LIFE_MS,
    address: '192.0.2.7',
    userAgent: null,
    metadata: { source: 'enrolment', recovered_from: null, recovery_reason: null },
    ...changes,
  }
}

/** The text of a refresh token, as far as the rule is concerned. */
export type Held = Pick<SdkToken, 'generation' | 'attempt'>

interface Shown {
  readonly verb?: SdkPresentation['verb']
  readonly key?: string
  readonly nextKey?: string
  /** When the nonce of the proof was given out; now, where nothing is said. */
  readonly provenAt?: Instant
  readonly recoveryEnabled?: boolean
}

export interface Judged {
  /** `stranger` where the key is not the installation's. */
  readonly kind: SdkJudgement['kind'] | 'stranger'
  readonly code: string | null
  readonly given: SdkToken | null
  readonly outcome: SdkOutcome | null
}

/** What a store does with the rule, without a store. */
export class SdkRecordKeeper {
  installation: Installation
  agent: Agent = AGENT
  ownerActive = true
  settings: AgentSettings = AGENT_SETTINGS_DEFAULTS
  tokens: ReadonlyMap<string, SdkToken>
  approvals: readonly Approval[] = []
  attempts: readonly RecoveryAttempt[] = []
  /** Beside what this installation does. */
  pressure: RecoveryPressure | null = null
  readonly events: NewEvent[] = []
  #count = 1

  constructor(installation: Installation = installationRow(), head: SdkToken = tokenRow()) {
    this.installation = installation
    this.tokens = new Map([[head.id, head]])
  }

  get head(): SdkToken {
    return this.#token(this.installation.head)
  }

  present(held: Held, attempt: string, at: Instant, shown: Shown = {}): Judged {
    const presentation = this.#presentation(held, attempt, at, shown)
    const own = [...this.tokens.values()].sort((left, right) => right.generation - left.generation)
    const reading: SdkReading = {
      agent: this.agent,
      ownerActive: this.ownerActive,
      ownerRole: this.ownerActive ? 'member' : null,
      ownerName: this.agent.owner,
      installation: this.installation,
      head: this.head,
      shown: own.find((token) => token.generation === held.generation && token.attempt === held.attempt) ?? null,
      made: own.find((token) => token.attempt === attempt) ?? null,
      settings: this.settings,
      pressure: this.pressure ?? this.#pressure(at),
      approval: this.approvals.findLast((approval) => approval.attempt === attempt) ?? null,
      newestAttempt: this.attempts.at(-1) ?? null,
    }
    if (isStranger(reading, presentation)) return { kind: 'stranger', code: null, given: null, outcome: null }
    const outcome = applySdkPresentation(reading, presentation, at)
    this.#apply(outcome)
    const { judgement } = outcome
    const given = judgement.kind === 'issue' || judgement.kind === 'again' ? judgement.token : null
    return { kind: judgement.kind, code: judgement.kind === 'refused' ? judgement.code : null, given, outcome }
  }

  /** An access token of this generation was seen. */
  use(generation: number, at: Instant): void {
    if (this.installation.generation === generation && this.head.activatedAt === null) this.#put({ ...this.head, activatedAt: at })
  }

  revoke(revocation: Partial<SdkRevocation>, at: Instant): void {
    const { class: revokeClass = 'hygiene', ticket = false, status = 'active' } = revocation
    this.#put({ ...this.head, state: 'revoked', revokeClass, revokedAt: at, ticket })
    this.installation = { ...this.installation, status, minGeneration: this.installation.generation + 1 }
  }

  unlock(rekeyUntil: Instant): void {
    this.installation = { ...this.installation, status: 'active', lock: null, rekeyUntil }
  }

  decide(status: 'approved' | 'denied', at: Instant): void {
    this.approvals = this.approvals.map((approval) => (approval.status === 'pending' ? { ...approval, status, decidedAt: at, expiresAt: at + DAY } : approval))
  }

  /** As a backup would keep it; events and approvals are not part of the game. */
  snapshot(): Pick<SdkRecordKeeper, 'installation' | 'tokens'> {
    const { installation, tokens } = this
    return { installation, tokens }
  }

  restore({ installation, tokens }: Pick<SdkRecordKeeper, 'installation' | 'tokens'>): void {
    this.installation = installation
    this.tokens = tokens
  }

  #presentation({ generation, attempt }: Held, nextAttempt: string, at: Instant, shown: Shown): SdkPresentation {
    const { verb = 'refresh', key = this.installation.keyThumbprint, nextKey, provenAt = at, recoveryEnabled = true } = shown
    this.#count += 1
    const number = this.#count
    return {
      verb,
      installation: this.installation.id,
      generation,
      attempt,
      nextAttempt,
      key,
      provenAfter: Math.floor(provenAt / SLOT_MS) * SLOT_MS,
      nextKey: nextKey === undefined ? null : { thumbprint: nextKey, jwk: { kty: 'OKP', x: nextKey }, custody: 'keychain' },
      tokenLifeMs: TOKEN_LIFE_MS,
      recoveryEnabled,
      ids: {
        token: id('sdk', 2 * number),
        adopted: id('sdk', 2 * number + 1),
        family: `family ${number}`,
        events: [id('evt', 2 * number), id('evt', 2 * number + 1)],
        attempt: id('rca', number),
        approval: id('apr', number),
        incident: id('inc', number),
      },
      address: '198.51.100.9',
      userAgent: null,
      hints: null,
      requestId: `request-${number}`,
    }
  }

  #apply({ installation, inserted, updated, attempt, asks, spends, breakerUntil, events }: SdkOutcome): void {
    for (const token of [...inserted, ...updated]) this.#put(token)
    if (installation !== null) this.installation = installation
    if (attempt !== null) this.attempts = [...this.attempts, attempt]
    if (asks !== null) this.approvals = [...this.approvals, asks]
    this.approvals = this.approvals.map((approval) => (approval.id === spends ? { ...approval, status: 'used' } : approval))
    if (breakerUntil !== null) this.settings = { ...this.settings, breakerUntil }
    this.events.push(...events)
  }

  #pressure(at: Instant): RecoveryPressure {
    return { recoveries: this.attempts.filter((attempt) => attempt.counted && attempt.at > pressureSince(this.settings, at)).length, installations: 1 }
  }

  #put(token: SdkToken): void {
    this.tokens = new Map(this.tokens).set(token.id, token)
  }

  #token(wanted: SdkToken['id']): SdkToken {
    const found = this.tokens.get(wanted)
    if (found === undefined) throw new Error(`${wanted} is not stored`)
    return found
  }
}
