import { NONCE_SLOT_MS } from './fake-proofs.ts'

export type RevokeClass = 'hygiene' | 'policy' | 'key_rollover' | 'owner_request' | 'compromise' | 'offboarding'

export interface FakeToken {
  readonly generation: number
  readonly attempt: string
  readonly parent: FakeToken | null
  readonly thumbprint: string
  readonly createdAt: number
  expiresAt: number
  state: 'active' | 'superseded' | 'withdrawn' | 'revoked'
  revoked: RevokeClass | null
  /** Healing from it counts against nothing. */
  ticket: boolean
  activatedAt: number | null
  supersededAt: number | null
  readonly source: string
  readonly reason: string | null
}

export interface FakeInstallation {
  readonly id: string
  readonly name: string
  readonly agent: { readonly id: string; readonly name: string; status: 'pending' | 'verified' | 'suspended' | 'revoked' }
  status: 'active' | 'locked' | 'retired' | 'recovery_blocked'
  thumbprint: string
  readonly previousThumbprints: string[]
  head: FakeToken
  readonly tokens: FakeToken[]
  rekey: boolean
  recoveries: number[]
  reissues: number[]
}

export interface FakePolicy {
  mode: 'off' | 'approve' | 'standard' | 'relaxed'
  limit: number
  windowMs: number
  tokenLifeMs: number
}

interface Presentation {
  readonly verb: 'refresh' | 'recover'
  /** The thumbprint that the request was proven with. */
  readonly by: string
  readonly provenAfter: number
  readonly generation: number
  readonly shownAttempt: string
  readonly attempt: string
  readonly nextThumbprint: string | null
}

export type Outcome =
  | { readonly kind: 'granted'; readonly token: FakeToken; readonly again: boolean }
  | { readonly kind: 'refused'; readonly status: number; readonly code: string; readonly retryAt?: number }
  | { readonly kind: 'pending' }

const CROSSING_MS = 30_000
const HOUR_MS = 3_600_000
const REISSUES_MAX = 5
const HEALS: ReadonlySet<RevokeClass | null> = new Set(['hygiene', 'policy', 'key_rollover'])

/** The table of `docs/reference/sdk-protocol.md`, row by row. Whoever gets here has proven the key. */
export function present(installation: FakeInstallation, shown: Presentation, policy: FakePolicy, approved: boolean, at: number): Outcome {
  const standing = standingOf(installation)
  if (standing !== null) return refuse(403, standing)
  const { head } = installation
  const made = installation.tokens.find(({ attempt }) => attempt === shown.attempt)
  if (made !== undefined) {
    if (made === head && made.activatedAt === null && made.state === 'active' && at < made.expiresAt) return { kind: 'granted', token: made, again: true }
    if (made !== head || made.activatedAt !== null) return refuse(409, 'attempt_over')
  }
  const nextThumbprint = shown.nextThumbprint === installation.thumbprint ? null : shown.nextThumbprint
  return presentNew(installation, { ...shown, nextThumbprint }, policy, approved, at)
}

/** Not the repetition of an attempt. */
function presentNew(installation: FakeInstallation, shown: Presentation, policy: FakePolicy, approved: boolean, at: number): Outcome {
  const { head } = installation
  if (shown.nextThumbprint !== null && installation.previousThumbprints.includes(shown.nextThumbprint)) return refuse(409, 'rekey_required')
  if (installation.rekey)
    return shown.nextThumbprint === null ? refuse(409, 'rekey_required') : issue(installation, null, shown, policy, at, { source: 're_key' })
  const token = installation.tokens.find(({ generation, attempt }) => generation === shown.generation && attempt === shown.shownAttempt)
  if (token === undefined) return presentUnknown(installation, shown, policy, at)
  if (token === head || (head.activatedAt === null && head.parent === token)) return presentHead(installation, token, shown, policy, approved, at)
  const since = token.supersededAt ?? token.createdAt
  if ((token === head.parent && at - since < CROSSING_MS) || shown.provenAfter <= since) return refuse(409, 'reload_credentials')
  return lock(installation)
}

/** The record follows a token that is ahead of it, as after a database was restored. */
function presentUnknown(installation: FakeInstallation, shown: Presentation, policy: FakePolicy, at: number): Outcome {
  if (shown.generation >= installation.head.generation) return issue(installation, null, shown, policy, at, { source: 'roll_forward' })
  return shown.provenAfter <= installation.head.createdAt ? refuse(409, 'reload_credentials') : lock(installation)
}

function lock(installation: FakeInstallation): Outcome {
  installation.status = 'locked'
  return refuse(403, 'installation_locked')
}

function presentHead(installation: FakeInstallation, token: FakeToken, shown: Presentation, policy: FakePolicy, approved: boolean, at: number): Outcome {
  const { head } = installation
  const recovering = shown.verb === 'recover'
  if (head.state === 'revoked') {
    if (!HEALS.has(head.revoked)) return refuse(403, 'recovery_forbidden')
    if (!recovering) return refuse(401, 'sdk_token_rotated')
  } else if (at >= head.expiresAt && !recovering) return refuse(401, 'sdk_token_expired')
  // A request that was under way for long takes nothing back.
  if (token !== head && shown.provenAfter <= head.createdAt) return { ...refuse(409, 'reload_credentials'), retryAt: head.createdAt + NONCE_SLOT_MS }
  if (head.state === 'revoked' || at >= head.expiresAt) return recover(installation, token, shown, policy, approved, at)
  if (token !== head) {
    installation.reissues = installation.reissues.filter((then) => at - then < HOUR_MS)
    const oldest = installation.reissues[0]
    if (oldest !== undefined && installation.reissues.length >= REISSUES_MAX) return { ...refuse(429, 'reissued_too_often'), retryAt: oldest + HOUR_MS }
    installation.reissues.push(at)
    head.state = 'withdrawn'
    return issue(installation, token, shown, policy, at, { source: 'token_reissue' })
  }
  return recovering ? refuse(409, 'use_refresh') : issue(installation, token, shown, policy, at, { source: 'token_rotation' })
}

function recover(installation: FakeInstallation, token: FakeToken, shown: Presentation, policy: FakePolicy, approved: boolean, at: number): Outcome {
  const { head } = installation
  if (policy.mode === 'off' || installation.status === 'recovery_blocked') return refuse(403, 'recovery_disabled')
  const reason = approved ? 'approved' : head.state === 'revoked' ? head.revoked : 'expired'
  const grant = (): Outcome => issue(installation, token, shown, policy, at, { source: 'token_recovery', reason })
  if (head.ticket || approved) return grant()
  if (policy.mode === 'approve') return { kind: 'pending' }
  installation.recoveries = installation.recoveries.filter((then) => at - then < policy.windowMs)
  const oldest = installation.recoveries[0]
  if (policy.mode === 'standard' && installation.recoveries.length >= policy.limit)
    return { ...refuse(429, 'recovery_limit_reached'), retryAt: (oldest ?? at) + policy.windowMs }
  installation.recoveries.push(at)
  return grant()
}

interface How {
  readonly source: string
  readonly reason?: string | null
}

function issue(
  installation: FakeInstallation,
  parent: FakeToken | null,
  shown: Presentation,
  { tokenLifeMs }: FakePolicy,
  at: number,
  { source, reason = null }: How,
): Outcome {
  if (shown.nextThumbprint !== null) {
    installation.previousThumbprints.unshift(installation.thumbprint)
    installation.thumbprint = shown.nextThumbprint
  }
  const token: FakeToken = {
    generation: Math.max(installation.head.generation, shown.generation) + 1,
    attempt: shown.attempt,
    parent,
    thumbprint: installation.thumbprint,
    createdAt: at,
    expiresAt: at + tokenLifeMs,
    state: 'active',
    revoked: null,
    ticket: false,
    activatedAt: null,
    supersededAt: null,
    source,
    reason,
  }
  const before = parent ?? installation.head
  // Who shows a token has it.
  before.activatedAt ??= at
  before.supersededAt = at
  if (before.state === 'active' || before.state === 'revoked') before.state = 'superseded'
  installation.rekey = false
  installation.head = token
  installation.tokens.push(token)
  return { kind: 'granted', token, again: false }
}

function standingOf({ status, agent }: FakeInstallation): string | null {
  if (agent.status === 'revoked') return 'agent_revoked'
  if (status === 'retired') return 'installation_retired'
  if (status === 'locked') return 'installation_locked'
  return agent.status === 'suspended' ? 'agent_suspended' : null
}

function refuse(status: number, code: string): Extract<Outcome, { kind: 'refused' }> {
  return { kind: 'refused', status, code }
}
