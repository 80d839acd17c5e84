import type { EventType, NewEvent } from '../audit/event.ts'
import type { Events } from '../audit/events.ts'
import { Fault } from '../fault/fault.ts'
import { type AgentId, type InstallationId, newId } from '../ids.ts'
import type { JsonObject } from '../json.ts'
import { type Clock, DAY, type Entropy } from '../time.ts'
import { type AgentCaller, agentEvent, agentNotFound, requireOwn, requireUndoing, stoppedAlso, stopperOf } from './agent-caller.ts'
import type { Agents } from './agents.ts'
import type { Installation, InstallationLock, InstallationStatus } from './installation.ts'
import type {
  InstallationChanges,
  InstallationFilter,
  InstallationStanding,
  Installations,
  InstallationTarget,
  RecoveryAttempt,
  SdkRevocation,
} from './installations.ts'
import { type RecoveryOutlook, recoveryOutlook } from './recovery-outlook.ts'
import { pressureSince, recoverySettingsOf, remainingRecoveries } from './recovery-rules.ts'
import type { RecoverySettings } from './recovery-settings.ts'
import type { SdkToken } from './sdk-token.ts'
import { type TimelineEntry, timelineOf } from './timeline.ts'

interface InstallationServicePorts {
  readonly agents: Pick<Agents, 'get' | 'settings'>
  readonly installations: Pick<Installations, 'get' | 'list' | 'revoke' | 'unlock' | 'lift' | 'update' | 'tokensOf' | 'attemptsOf' | 'recoveryPressure'>
  readonly events: Pick<Events, 'list'>
  readonly clock: Pick<Clock, 'wall'>
  readonly entropy: Entropy
  /** `EVERGRANT_RECOVERY`. */
  readonly recoveryEnabled: boolean
}

export interface ListedInstallation {
  readonly id: InstallationId
  readonly installation: Installation
  readonly head: SdkToken
}

/** An installation as an operator looks at it. */
export interface InstallationDetails extends InstallationStanding {
  readonly head: SdkToken
  /** What counts for it: its own, else its agent's, else the organization's. */
  readonly recovery: RecoverySettings
  /** Counted recoveries that are left in this window; null: none is counted. */
  readonly remaining: number | null
}

/** Why the last recoveries ended as they did, and what the next one would get. */
export interface RecoveryExplanation {
  readonly attempts: readonly RecoveryAttempt[]
  readonly next: RecoveryOutlook
}

/** Classes of a cut-off. `compromise` opens an incident, too. Nothing said is `owner_request`. */
export const CUT_OFF_CLASSES = ['owner_request', 'offboarding', 'compromise'] as const
export type CutOffClass = (typeof CUT_OFF_CLASSES)[number]

/** Which installations something is done to. */
export type ChosenInstallations = 'own' | 'all' | { readonly agent: AgentId } | { readonly installation: InstallationId }

/** After an unlock, the machine has so long to bring its new key. */
const REKEY_MS = DAY
const COUNTED_PAGE = 1_000
/** Attempts that an explanation shows. */
const EXPLAINED = 20

/** Installations as operators and owners see them, and what they do to them. Two verbs: Rotate heals by itself, Cut off is for good. */
export class InstallationService {
  readonly #ports: InstallationServicePorts

  constructor(ports: InstallationServicePorts) {
    this.#ports = ports
  }

  /** Newest first, each with its newest token. */
  async list({ organization, own }: AgentCaller, filter: InstallationFilter): Promise<readonly ListedInstallation[]> {
    if (own !== null && filter.owner !== undefined && filter.owner !== own.user) return []
    const found = await this.#ports.installations.list(organization, own === null ? filter : { ...filter, owner: own.user })
    return found.map((one) => ({ id: one.installation.id, ...one }))
  }

  /** How many the caller reaches, by status. */
  async count(caller: AgentCaller): Promise<Readonly<Record<InstallationStatus, number>>> {
    const counts = { active: 0, recovery_blocked: 0, locked: 0, retired: 0 }
    for (let after: InstallationId | null = null; ; ) {
      const page: readonly ListedInstallation[] = await this.list(caller, { limit: COUNTED_PAGE, after })
      for (const { installation } of page) counts[installation.status] += 1
      const last = page.at(-1)
      if (last === undefined || page.length < COUNTED_PAGE) return counts
      after = last.id
    }
  }

  /** @throws Fault `not_found` */
  async get(caller: AgentCaller, id: InstallationId): Promise<InstallationDetails> {
    const standing = await this.#standing(caller, id)
    const [tokens, settings] = await Promise.all([this.#ports.installations.tokensOf(id, 10), this.#ports.agents.settings(caller.organization)])
    const { installation, agent } = standing
    const recovery = recoverySettingsOf({ installation, agent, settings })
    return { ...standing, head: headOf(installation, tokens), recovery, remaining: remainingRecoveries(installation, recovery, this.#ports.clock.wall()) }
  }

  /** Tokens, recoveries and events together, newest first. @throws Fault `not_found` */
  async timeline(caller: AgentCaller, id: InstallationId, limit: number): Promise<readonly TimelineEntry[]> {
    const { installations, events } = this.#ports
    await this.#standing(caller, id)
    const [tokens, attempts, told] = await Promise.all([
      installations.tokensOf(id, limit),
      installations.attemptsOf(id, limit),
      events.list(caller.organization, { subject: id }, { limit, cursor: null }),
    ])
    return timelineOf({ tokens, attempts, events: told.items }, limit)
  }

  /** @throws Fault `not_found` */
  async why(caller: AgentCaller, id: InstallationId): Promise<RecoveryExplanation> {
    const { installations, agents, clock, recoveryEnabled: enabled } = this.#ports
    const standing = await this.#standing(caller, id)
    const at = clock.wall()
    const [attempts, tokens, settings] = await Promise.all([
      installations.attemptsOf(id, EXPLAINED),
      installations.tokensOf(id, 10),
      agents.settings(caller.organization),
    ])
    const pressure = await installations.recoveryPressure(caller.organization, pressureSince(settings, at))
    const head = headOf(standing.installation, tokens)
    return { attempts, next: recoveryOutlook({ ...standing, head, settings, pressure, enabled }, at) }
  }

  /**
   * New tokens: the old ones are over at once, and the machines recover by themselves, against no limit. Returns how many had a token to replace: who was
   * rotated already, is locked or is over is left as it is. @throws Fault `not_found`
   */
  async rotate(caller: AgentCaller, chosen: ChosenInstallations, reason: string | null): Promise<number> {
    const { target, subject } = await this.#target(caller, chosen)
    const revocation = { class: 'hygiene', reason, by: byOf(caller), ticket: true, status: 'active', lock: null } as const
    return (await this.#revoke(caller, target, revocation, this.#event('sdk_token.rotated', caller, subject, { class: 'hygiene', reason }))).length
  }

  /** For good: only a new enrolment brings the machine back. Returns how many were ended now. @throws Fault `not_found` */
  async cutOff(caller: AgentCaller, chosen: ChosenInstallations, revokeClass: CutOffClass, reason: string | null): Promise<number> {
    const { target, subject } = await this.#target(caller, chosen)
    const lock = revokeClass === 'compromise' ? this.#compromised(caller) : null
    const revocation = { class: revokeClass, reason, by: byOf(caller), ticket: false, status: 'retired', lock, stopper: stopperOf(caller) } as const
    const event = this.#event('installation.retired', caller, subject, { class: revokeClass, reason, incident: lock?.incident ?? null })
    return (await this.#revoke(caller, target, revocation, event)).length
  }

  /** Nothing works until it is unlocked with a new key. Repeating it changes nothing. @throws Fault `not_found`, `conflict` for one that is over */
  async lock(caller: AgentCaller, id: InstallationId, reason: string | null): Promise<InstallationDetails> {
    const { installation } = await this.#standing(caller, id)
    if (installation.status === 'retired') throw over(installation)
    const event = this.#event('installation.locked', caller, id, { code: 'operator', reason })
    const stopper = stoppedAlso(installation.stoppedBy, caller)
    if (installation.status === 'locked') {
      // From now on it is theirs to unlock.
      if (stopper.whole && installation.stoppedBy?.whole !== true)
        await this.#ports.installations.update(caller.organization, id, { stoppedBy: stopper, whole: true }, event)
      return this.get(caller, id)
    }
    const message = reason ?? 'An operator locked it.'
    const lock: InstallationLock = { code: 'operator', at: this.#ports.clock.wall(), message, incident: null }
    const revocation = { class: 'owner_request', reason: message, by: byOf(caller), ticket: false, status: 'locked', lock, stopper } as const
    await this.#revoke(caller, { installation: id }, revocation, event)
    return this.get(caller, id)
  }

  /** One shot: within a day, the machine brings a new key beside a proof of its old one, and goes on. @throws Fault `not_found`, `conflict` when it is not locked */
  async unlock(caller: AgentCaller, id: InstallationId): Promise<InstallationDetails> {
    const { installation } = await this.#standing(caller, id)
    if (installation.status === 'retired') throw over(installation)
    requireUndoing(caller, installation.stoppedBy, 'unlock it')
    const rekeyUntil = this.#ports.clock.wall() + REKEY_MS
    const event = this.#event('installation.unlocked', caller, id, { rekey_until: rekeyUntil, lock: installation.lock?.code ?? null })
    const outcome = await this.#ports.installations.unlock(caller.organization, id, caller.own === null, rekeyUntil, event)
    if (outcome === 'held') requireUndoing(caller, { actor: caller.actor, whole: true }, 'unlock it')
    if (outcome === 'not_locked') throw new Fault('conflict', { detail: `The installation ${installation.name} is not locked.` })
    if (outcome === 'gone') throw installationNotFound(id)
    return this.get(caller, id)
  }

  /** A workload that was cut off may enrol again. @throws Fault `not_found`; `conflict` when it keeps nobody out; `role_missing` */
  async lift(caller: AgentCaller, id: InstallationId): Promise<InstallationDetails> {
    const { installation } = await this.#standing(caller, id)
    if (installation.status === 'locked') throw new Fault('conflict', { detail: `The installation ${installation.name} is locked. Unlock it instead.` })
    const event = this.#event('installation.updated', caller, id, { workload_lifted: true })
    const outcome = await this.#ports.installations.lift(caller.organization, id, caller.own === null, event)
    if (outcome === 'gone') throw installationNotFound(id)
    if (outcome === 'held') requireUndoing(caller, { actor: caller.actor, whole: true }, 'lift it')
    if (outcome === 'not_kept_out') throw new Fault('conflict', { detail: `The installation ${installation.name} keeps no workload out.` })
    return this.get(caller, id)
  }

  /** @throws Fault `not_found`; `conflict` for the recovery of one that is locked or over; `role_missing` */
  async update(caller: AgentCaller, id: InstallationId, wanted: Omit<InstallationChanges, 'stoppedBy' | 'whole'>): Promise<InstallationDetails> {
    const { installation: before } = await this.#standing(caller, id)
    const changes = { ...wanted, ...recoverySwitch(caller, before, wanted.status), whole: caller.own === null }
    const { name, recoveryMode, status } = changes
    const data = {
      ...(name === undefined ? {} : { name, name_before: before.name }),
      ...(recoveryMode === undefined ? {} : { recovery_mode: recoveryMode, recovery_mode_before: before.recoveryMode }),
      ...(status === undefined ? {} : { status, status_before: before.status }),
    }
    const type = recoveryMode === undefined && status === undefined ? 'installation.updated' : 'recovery.switch_changed'
    const outcome = await this.#ports.installations.update(caller.organization, id, changes, this.#event(type, caller, id, data))
    if (outcome === 'gone') throw installationNotFound(id)
    if (outcome === 'held') requireUndoing(caller, { actor: caller.actor, whole: true }, 'allow its recovery')
    return this.get(caller, id)
  }

  /** Somebody else's is answered exactly as one that never was. @throws Fault `not_found` */
  async #standing(caller: AgentCaller, id: InstallationId): Promise<InstallationStanding> {
    const standing = await this.#ports.installations.get(id)
    if (standing === undefined || standing.installation.organization !== caller.organization) throw installationNotFound(id)
    if (caller.own !== null && standing.agent.owner !== caller.own.user) throw installationNotFound(id)
    return standing
  }

  /** Which installations are meant, and the subject of the event. Said by a person who reaches only their own, `all` means their own. */
  async #target(caller: AgentCaller, chosen: ChosenInstallations): Promise<{ readonly target: InstallationTarget; readonly subject: string }> {
    const { organization, own } = caller
    if (chosen === 'own' || (chosen === 'all' && own !== null)) {
      const owner = own?.user ?? caller.user
      if (owner === null)
        throw new Fault('forbidden', { detail: 'This is about the person who is signed in: send an access token of a session, not an API key.' })
      return { target: { owner }, subject: owner }
    }
    if (chosen === 'all') return { target: { organization: true }, subject: organization }
    if ('installation' in chosen) {
      await this.#standing(caller, chosen.installation)
      return { target: chosen, subject: chosen.installation }
    }
    const found = await this.#ports.agents.get(organization, chosen.agent)
    if (found === undefined) throw agentNotFound(chosen.agent)
    requireOwn(caller, found.agent)
    return { target: chosen, subject: chosen.agent }
  }

  #revoke({ organization }: AgentCaller, target: InstallationTarget, revocation: SdkRevocation, event: NewEvent): Promise<readonly InstallationId[]> {
    return this.#ports.installations.revoke(organization, target, revocation, this.#ports.clock.wall(), event)
  }

  #compromised({ actor }: AgentCaller): InstallationLock {
    const { clock, entropy } = this.#ports
    const message = `Marked as compromised by ${actor.kind === 'cli' ? 'the command line' : (actor.id ?? actor.kind)}.`
    return { code: 'compromise', at: clock.wall(), message, incident: newId('inc', entropy) }
  }

  #event(type: EventType, { organization, actor }: AgentCaller, subject: string, data: JsonObject): NewEvent {
    return agentEvent(this.#ports, { type, organization, actor, subject, data })
  }
}

function installationNotFound(id: InstallationId): Fault {
  return new Fault('not_found', { field: 'id', detail: `There is no installation ${id} in this organization. GET installations lists them.` })
}

/** Whether the installation may heal, and who said so. @throws Fault `conflict`, `role_missing` */
function recoverySwitch(caller: AgentCaller, before: Installation, status: InstallationChanges['status']): Pick<InstallationChanges, 'stoppedBy'> {
  if (status === undefined) return {}
  if (before.status === 'retired') throw over(before)
  if (before.status === 'locked') throw new Fault('conflict', { detail: `The installation ${before.name} is locked. Unlock it first.` })
  if (status === 'recovery_blocked') return { stoppedBy: stoppedAlso(before.stoppedBy, caller) }
  requireUndoing(caller, before.stoppedBy, 'allow its recovery')
  return { stoppedBy: null }
}

function over({ name }: Installation): Fault {
  return new Fault('conflict', { detail: `The installation ${name} is over. Enrol the machine again: npx @evergrant/sdk enroll <code>.` })
}

/** The one that the installation names; where a refresh came between the two reads, the newest. */
function headOf({ id, head }: Installation, tokens: readonly SdkToken[]): SdkToken {
  const found = tokens.find((token) => token.id === head) ?? tokens[0]
  if (found === undefined) throw new Fault('internal', { detail: `${id} has no token` })
  return found
}

function byOf({ actor }: AgentCaller): string {
  return actor.id ?? actor.kind
}
