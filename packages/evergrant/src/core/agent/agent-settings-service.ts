import { Fault } from '../fault/fault.ts'
import type { Clock, Entropy, Instant } from '../time.ts'
import { type AgentCaller, agentEvent } from './agent-caller.ts'
import type { Agents } from './agents.ts'
import { breakerUntil } from './recovery-rules.ts'
import type { AgentSettings, RecoverySettings } from './recovery-settings.ts'

/** Of a change that meets another. */
const TRIES = 5

interface AgentSettingsPorts {
  readonly agents: Pick<Agents, 'settings' | 'saveSettings'>
  readonly clock: Pick<Clock, 'wall'>
  readonly entropy: Entropy
  /** `EVERGRANT_RECOVERY`. */
  readonly recoveryEnabled: boolean
}

/** What is not named stays. */
interface AgentSettingsChange {
  readonly recoveryEnabled?: boolean
  readonly recovery?: Partial<RecoverySettings>
  /** True: a tripped breaker is put back, and machines recover by themselves again; those that did so far trip it no more. */
  readonly closesBreaker?: boolean
}

export interface CurrentSettings extends AgentSettings {
  /** Who keeps everything from recovering; null: nobody. */
  readonly offBecause: 'EVERGRANT_RECOVERY' | 'organization' | null
  /** Null once it is over. */
  readonly breakerUntil: Instant | null
}

/** What an organization says about all its agents. */
export class AgentSettingsService {
  readonly #ports: AgentSettingsPorts

  constructor(ports: AgentSettingsPorts) {
    this.#ports = ports
  }

  async get({ organization }: Pick<AgentCaller, 'organization'>): Promise<CurrentSettings> {
    return this.#current(await this.#ports.agents.settings(organization))
  }

  /**
   * Counts for the next recovery, on all nodes: it is read in the transaction that would mint. Two changes at once are both made, and a breaker that trips
   * meanwhile stays tripped. @throws Fault `conflict` */
  async change(caller: AgentCaller, change: AgentSettingsChange): Promise<CurrentSettings> {
    for (let attempt = 0; attempt < TRIES; attempt += 1) {
      const next = await this.#swap(caller, change)
      if (next !== null) return this.#current(next)
    }
    throw new Fault('conflict', { detail: 'The settings are being changed by somebody else. Try again.' })
  }

  /** Null: somebody was first. */
  async #swap({ organization, actor }: AgentCaller, { recoveryEnabled, recovery, closesBreaker }: AgentSettingsChange): Promise<AgentSettings | null> {
    const { agents, clock } = this.#ports
    const before = await agents.settings(organization)
    const closed = closesBreaker === true ? { breakerUntil: null, breakerClosedAt: clock.wall() } : {}
    const next: AgentSettings = {
      ...before,
      recoveryEnabled: recoveryEnabled ?? before.recoveryEnabled,
      recovery: { ...before.recovery, ...recovery },
      ...closed,
    }
    const switched = next.recoveryEnabled !== before.recoveryEnabled
    const data = switched
      ? { recovery_enabled: next.recoveryEnabled, recovery: { ...next.recovery } }
      : { recovery: { ...next.recovery }, before: { ...before.recovery }, breaker_closed: before.breakerUntil !== null && next.breakerUntil === null }
    const type = switched ? 'recovery.switch_changed' : 'agent.settings_changed'
    const event = agentEvent(this.#ports, { type, organization, actor, subject: organization, data })
    return (await agents.saveSettings(organization, next, clock.wall(), event, before)) === 'saved' ? next : null
  }

  #current(settings: AgentSettings): CurrentSettings {
    const { clock, recoveryEnabled } = this.#ports
    const offBecause = !recoveryEnabled ? 'EVERGRANT_RECOVERY' : settings.recoveryEnabled ? null : 'organization'
    return { ...settings, breakerUntil: breakerUntil(settings, clock.wall()), offBecause }
  }
}
