import type { Approval } from '../../core/agent/approvals.ts'
import type { Incident } from '../../core/agent/incident.ts'
import { HEALING_CLASSES, type Installation, keepsWorkloadOut } from '../../core/agent/installation.ts'
import type {
  InstallationChanges,
  InstallationFilter,
  Installations,
  InstallationTarget,
  RecoveryAttempt,
  SdkPresented,
  SdkRevocation,
  SeenMark,
} from '../../core/agent/installations.ts'
import { pressureSince } from '../../core/agent/recovery-rules.ts'
import { applySdkPresentation, recoveryApprovalOf, type SdkOutcome, type SdkReading } from '../../core/agent/sdk-outcome.ts'
import type { SdkPresentation } from '../../core/agent/sdk-presentation.ts'
import { isStranger } from '../../core/agent/sdk-rotation.ts'
import type { SdkToken } from '../../core/agent/sdk-token.ts'
import type { NewEvent } from '../../core/audit/event.ts'
import type { InstallationId, OrganizationId } from '../../core/ids.ts'
import type { Instant } from '../../core/time.ts'
import { agentSettings, installationStanding } from './agents-part.ts'
import type { Tables } from './tables.ts'

const SAME_INCIDENT_MS = 3_600_000

function present(tables: Tables, presentation: SdkPresentation): SdkPresented {
  const installation = tables.installations.get(presentation.installation)
  if (installation === undefined) return { kind: 'stranger', known: null }
  const { id, organization, agent } = installation
  const at = tables.now()
  const reading = readingOf(tables, installation, presentation, at)
  if (isStranger(reading, presentation)) return { kind: 'stranger', known: { id, organization, agent } }
  const outcome = applySdkPresentation(reading, presentation, at)
  const approval = write(tables, reading, presentation, outcome)
  const standing = installationStanding(tables, outcome.installation ?? installation)
  return { kind: 'known', judgement: outcome.judgement, standing, settings: reading.settings, approval }
}

function readingOf(tables: Tables, installation: Installation, presentation: SdkPresentation, at: Instant): SdkReading {
  const { generation, attempt, nextAttempt, verb } = presentation
  const own = tokensOf(tables, installation.id)
  const head = tables.sdkTokens.get(installation.head)
  if (head === undefined) throw new Error(`${installation.id} has no newest token`)
  const asked = recoveryApprovals(tables, installation.id)
  const recovering = verb === 'recover'
  return {
    ...installationStanding(tables, installation),
    head,
    shown: own.find((token) => token.generation === generation && token.attempt === attempt) ?? null,
    made: own.find((token) => token.attempt === nextAttempt) ?? null,
    settings: agentSettings(tables, installation.organization),
    pressure: recovering
      ? pressure(tables, installation.organization, pressureSince(agentSettings(tables, installation.organization), at))
      : { recoveries: 0, installations: 0 },
    approval: recovering ? recoveryApprovalOf(asked, nextAttempt, at) : null,
    newestAttempt: recovering ? (attemptsOf(tables, installation.id)[0] ?? null) : null,
  }
}

function recoveryApprovals(tables: Tables, id: InstallationId): readonly Approval[] {
  return [...tables.approvals.values()]
    .filter(({ installation, connection }) => installation === id && connection === null)
    .sort((left, right) => (left.id < right.id ? 1 : -1))
}

function write(
  tables: Tables,
  { installation: { organization }, approval }: SdkReading,
  { nextAttempt }: SdkPresentation,
  outcome: SdkOutcome,
): Approval | null {
  const { installation, inserted, updated, recoveredAt, attempt, asks, joins, spends, incident, breakerUntil, events } = outcome
  for (const token of [...inserted, ...updated]) tables.sdkTokens.set(token.id, token)
  if (installation !== null) put(tables, installation)
  if (installation !== null && recoveredAt !== null) tables.healed.set(installation.id, recoveredAt)
  if (attempt !== null) tables.recoveryAttempts.set(attempt.id, attempt)
  if (asks !== null) tables.approvals.set(asks.id, asks)
  const joined = joins === null ? undefined : tables.approvals.get(joins)
  if (joined?.status === 'pending') tables.approvals.set(joined.id, { ...joined, attempt: nextAttempt })
  const spent = spends === null ? undefined : tables.approvals.get(spends)
  if (spent?.status === 'approved') tables.approvals.set(spent.id, { ...spent, status: 'used' })
  if (incident !== null) open(tables, incident)
  if (breakerUntil !== null) tables.agentSettings.set(organization, { ...agentSettings(tables, organization), breakerUntil })
  for (const event of events) tables.append(event)
  return outcome.judgement.kind === 'pending' ? (asks ?? approval) : null
}

function put(tables: Tables, installation: Installation): void {
  tables.installations.set(installation.id, installation)
  tables.changed({ kind: 'installation', installation: installation.id })
}

/** Of one kind, about one installation, within an hour: one incident. */
function open(tables: Tables, incident: Incident): void {
  const { agent, installation, kind, at } = incident
  const known = [...tables.incidents.values()].some(
    (other) =>
      other.agent === agent &&
      other.installation === installation &&
      installation !== null &&
      other.kind === kind &&
      other.at > at - SAME_INCIDENT_MS &&
      !tables.closures.has(other.id),
  )
  if (known) return
  tables.incidents.set(incident.id, incident)
  tables.trustDue.delete(agent)
}

/** Newest first. */
function tokensOf(tables: Tables, id: InstallationId): readonly SdkToken[] {
  return [...tables.sdkTokens.values()]
    .filter(({ installation }) => installation === id)
    .sort((left, right) => right.generation - left.generation || (left.attempt < right.attempt ? 1 : -1))
}

/** Newest first. */
function attemptsOf(tables: Tables, id: InstallationId): readonly RecoveryAttempt[] {
  return [...tables.recoveryAttempts.values()].filter(({ installation }) => installation === id).sort((left, right) => right.at - left.at)
}

function pressure(tables: Tables, organization: OrganizationId, since: Instant) {
  const now = tables.now()
  const pressing = (one: RecoveryAttempt): boolean => one.organization === organization && one.counted && one.at > since && one.at <= now
  const recoveries = [...tables.recoveryAttempts.values()].filter(pressing).length
  return { recoveries, installations: ofOrganization(tables, organization).length }
}

function ofOrganization(tables: Tables, organization: OrganizationId): readonly Installation[] {
  return [...tables.installations.values()].filter((installation) => installation.organization === organization)
}

function list(tables: Tables, organization: OrganizationId, { agent, status, owner, healedSince, limit, after }: InstallationFilter) {
  return ofOrganization(tables, organization)
    .filter(
      (one) =>
        (agent === undefined || one.agent === agent) &&
        (status === undefined || one.status === status) &&
        (owner === undefined || tables.agents.get(one.agent)?.owner === owner) &&
        (healedSince === undefined || (tables.healed.get(one.id) ?? 0) >= healedSince) &&
        (after === null || one.id < after),
    )
    .sort((left, right) => (left.id < right.id ? 1 : -1))
    .slice(0, limit)
    .map((installation) => ({ installation, head: headOf(tables, installation) }))
}

function headOf(tables: Tables, { id, head }: Installation): SdkToken {
  const token = tables.sdkTokens.get(head)
  if (token === undefined) throw new Error(`${id} has no newest token`)
  return token
}

function markSeen(tables: Tables, { installation: id, generation, at, address }: SeenMark): void {
  const installation = tables.installations.get(id)
  if (installation === undefined) return
  tables.installations.set(id, { ...installation, lastSeenAt: at, address: address ?? installation.address })
  const head = headOf(tables, installation)
  if (installation.generation === generation && head.activatedAt === null) tables.sdkTokens.set(head.id, { ...head, activatedAt: at })
}

function isTargeted(tables: Tables, installation: Installation, target: InstallationTarget): boolean {
  if ('installation' in target) return installation.id === target.installation
  if ('agent' in target) return installation.agent === target.agent
  if ('owner' in target) return tables.agents.get(installation.agent)?.owner === target.owner
  return true
}

function isRevocable(tables: Tables, installation: Installation, { class: revokeClass, status }: SdkRevocation): boolean {
  if (status === 'retired') return installation.status !== 'retired'
  if (installation.status !== 'active' && installation.status !== 'recovery_blocked') return false
  return !HEALING_CLASSES.has(revokeClass) || headOf(tables, installation).state === 'active'
}

function revoke(
  tables: Tables,
  organization: OrganizationId,
  target: InstallationTarget,
  revocation: SdkRevocation,
  { at, event }: { readonly at: Instant; readonly event: NewEvent },
): readonly InstallationId[] {
  const { class: revokeClass, reason, by, ticket, status, lock, stopper = null } = revocation
  const found = ofOrganization(tables, organization)
    .filter((one) => isTargeted(tables, one, target) && isRevocable(tables, one, revocation))
    .sort((left, right) => (left.id < right.id ? -1 : 1))
  for (const installation of found) {
    const head = headOf(tables, installation)
    tables.sdkTokens.set(head.id, { ...head, state: 'revoked', revokeClass, revokeReason: reason, revokedBy: by, revokedAt: at, ticket })
    const minGeneration = installation.generation + 1
    put(
      tables,
      status === 'active'
        ? { ...installation, minGeneration }
        : {
            ...installation,
            status,
            lock,
            minGeneration,
            rekeyUntil: null,
            stoppedBy: installation.stoppedBy?.whole === true || (stopper === null && installation.status === 'locked') ? installation.stoppedBy : stopper,
          },
    )
  }
  const [first] = found
  if (lock !== null && lock.incident !== null && first !== undefined)
    open(tables, {
      id: lock.incident,
      organization,
      agent: first.agent,
      installation: found.length === 1 ? first.id : null,
      kind: lock.code === 'clone' ? 'clone' : 'compromise',
      at,
      message: lock.message,
      event: event.id,
    })
  if (first !== undefined) tables.append(event)
  return found.map(({ id }) => id)
}

function change(
  tables: Tables,
  organization: OrganizationId,
  id: InstallationId,
  { name, recoveryMode, status, stoppedBy, whole = false }: InstallationChanges,
): 'updated' | 'held' | 'gone' {
  const installation = tables.installations.get(id)
  if (installation === undefined || installation.organization !== organization) return 'gone'
  const held = !whole && installation.stoppedBy?.whole === true
  if (held && stoppedBy === null) return 'held'
  const live = installation.status === 'active' || installation.status === 'recovery_blocked'
  put(tables, {
    ...installation,
    ...(name === undefined ? {} : { name }),
    ...(recoveryMode === undefined ? {} : { recoveryMode }),
    ...(status === undefined || !live ? {} : { status }),
    ...(stoppedBy === undefined || held || installation.status === 'retired' ? {} : { stoppedBy }),
  })
  return 'updated'
}

function unlock(
  tables: Tables,
  organization: OrganizationId,
  id: InstallationId,
  { whole, rekeyUntil }: { readonly whole: boolean; readonly rekeyUntil: Instant },
): 'unlocked' | 'not_locked' | 'held' | 'gone' {
  const installation = tables.installations.get(id)
  if (installation === undefined || installation.organization !== organization) return 'gone'
  if (installation.status !== 'locked') return 'not_locked'
  if (!whole && installation.stoppedBy?.whole === true) return 'held'
  put(tables, { ...installation, status: 'active', lock: null, stoppedBy: null, rekeyUntil })
  return 'unlocked'
}

function lift(tables: Tables, organization: OrganizationId, id: InstallationId, whole: boolean): 'lifted' | 'not_kept_out' | 'held' | 'gone' {
  const installation = tables.installations.get(id)
  if (installation === undefined || installation.organization !== organization) return 'gone'
  const { agent, workload } = installation
  const barring = [...tables.installations.values()].filter(
    (one) => one.agent === agent && one.workload?.subject === workload?.subject && one.status === 'retired' && keepsWorkloadOut(one),
  )
  if (barring.length === 0) return 'not_kept_out'
  if (!whole && barring.some(({ stoppedBy }) => stoppedBy?.whole === true)) return 'held'
  for (const one of barring) tables.installations.set(one.id, { ...one, stoppedBy: null })
  return 'lifted'
}

function purge(tables: Tables, before: Instant, limit: number): number {
  const old = [...tables.sdkTokens.values()].filter((token) => {
    const installation = tables.installations.get(token.installation)
    if (installation === undefined || token.supersededAt === null || token.supersededAt >= before) return false
    const head = headOf(tables, installation)
    return token.id !== head.id && (head.activatedAt !== null || head.parent !== token.id)
  })
  for (const { id, installation: whose, generation } of old.slice(0, limit)) {
    const installation = tables.installations.get(whose)
    tables.sdkTokens.delete(id)
    if (installation !== undefined)
      tables.installations.set(whose, { ...installation, floorGeneration: Math.max(installation.floorGeneration, generation + 1) })
  }
  return Math.min(old.length, limit)
}

function removeInstallation(tables: Tables, id: InstallationId): void {
  tables.installations.delete(id)
  for (const [key, token] of tables.sdkTokens) if (token.installation === id) tables.sdkTokens.delete(key)
  for (const [key, attempt] of tables.recoveryAttempts) if (attempt.installation === id) tables.recoveryAttempts.delete(key)
  for (const [key, approval] of tables.approvals) if (approval.installation === id) tables.approvals.delete(key)
  for (const [key, day] of tables.installationDays) if (day.installation === id) tables.installationDays.delete(key)
}

export function installationsPart(tables: Tables): Installations {
  return {
    get: async (id) => {
      const installation = tables.installations.get(id)
      return installation === undefined ? undefined : installationStanding(tables, installation)
    },
    list: async (organization, filter) => list(tables, organization, filter),
    present: async (presentation) => present(tables, presentation),
    markSeen: async (marks) => {
      for (const mark of marks) markSeen(tables, mark)
    },
    revoke: async (organization, target, revocation, at, event) => revoke(tables, organization, target, revocation, { at, event }),
    unlock: async (organization, id, whole, rekeyUntil, event) => {
      const outcome = unlock(tables, organization, id, { whole, rekeyUntil })
      if (outcome === 'unlocked') tables.append(event)
      return outcome
    },
    lift: async (organization, id, whole, event) => {
      const outcome = lift(tables, organization, id, whole)
      if (outcome === 'lifted') tables.append(event)
      return outcome
    },
    update: async (organization, id, changes, event) => {
      const outcome = change(tables, organization, id, changes)
      if (outcome === 'updated') tables.append(event)
      return outcome
    },
    tokensOf: async (id, limit) => tokensOf(tables, id).slice(0, limit),
    attemptsOf: async (id, limit) => attemptsOf(tables, id).slice(0, limit),
    recoveryPressure: async (organization, since) => pressure(tables, organization, since),
    purge: async (before, limit) => purge(tables, before, limit),
    excuse: async (from, to, limit) => {
      const missed = [...tables.sdkTokens.values()].filter(
        ({ state, ticket, expiresAt }) => state === 'active' && !ticket && expiresAt > from && expiresAt <= to,
      )
      for (const token of missed.slice(0, limit)) tables.sdkTokens.set(token.id, { ...token, ticket: true })
      return Math.min(missed.length, limit)
    },
    forgetEnded: async (before, limit) => {
      const ended = [...tables.installations.values()].filter(
        (one) => one.enrolledVia === 'workload' && one.expiresAt !== null && one.expiresAt < before && !keepsWorkloadOut(one),
      )
      for (const { id } of ended.slice(0, limit)) removeInstallation(tables, id)
      return Math.min(ended.length, limit)
    },
    forgetAttempts: async (before, limit) => {
      const old = [...tables.recoveryAttempts.values()].filter(({ at }) => at < before).slice(0, limit)
      for (const { id } of old) tables.recoveryAttempts.delete(id)
      return old.length
    },
  }
}
