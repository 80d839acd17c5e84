import type { Command } from 'commander'
import type { JsonObject } from '../../core/json.ts'
import { CommandFailure, EXIT } from '../exit-code.ts'
import { formatFacts } from '../output.ts'
import { withApi } from '../reach.ts'
import type { Shell } from '../shell.ts'

export interface RecoveryOptions {
  readonly recoveryMode?: string
  readonly recoveryLimit?: string
  readonly windowDays?: string
  readonly maxOfflineDays?: string
  readonly onClone?: string
}

interface SettingsOptions extends RecoveryOptions {
  readonly recovery?: string
  readonly closeBreaker?: boolean
}

/** Of one agent, or of all. */
export function recoveryOptions(command: Command): Command {
  return command
    .option('--recovery-mode <mode>', 'off, approve, standard or relaxed')
    .option('--recovery-limit <count>', 'counted recoveries in a window')
    .option('--window-days <days>', 'how long the window is')
    .option('--max-offline-days <days>', 'after a longer silence a person is asked')
    .option('--on-clone <verb>', 'lock or refuse_and_alert')
}

/** Null: nothing was said. */
export function recoveryFrom({ recoveryMode, recoveryLimit, windowDays, maxOfflineDays, onClone }: RecoveryOptions): JsonObject | null {
  const said = {
    ...(recoveryMode === undefined ? {} : { mode: recoveryMode }),
    ...(recoveryLimit === undefined ? {} : { limit: Number(recoveryLimit) }),
    ...(windowDays === undefined ? {} : { window_days: Number(windowDays) }),
    ...(maxOfflineDays === undefined ? {} : { max_offline_days: Number(maxOfflineDays) }),
    ...(onClone === undefined ? {} : { on_clone: onClone }),
  }
  return Object.keys(said).length === 0 ? null : said
}

/** `evergrant agents settings`: of the whole organization. */
export function agentSettingsCommand(group: Command, { output }: Shell): void {
  const command = group
    .command('settings')
    .description('shows what holds for all agents; with options, changes it')
    .option('--recovery <switch>', 'on or off: off stops every recovery of the organization at once')
    .option('--close-breaker', 'after a breaker tripped: machines recover by themselves again')
  recoveryOptions(command).action((options: SettingsOptions) =>
    withApi(async (api) => {
      const wanted = settingsFrom(options)
      const settings = wanted === null ? await api.call('GET', 'agent-settings') : await api.call('PUT', 'agent-settings', wanted)
      output.result(settings, () => formatFacts(settings))
    }),
  )
}

function settingsFrom(options: SettingsOptions): JsonObject | null {
  const { recovery: position, closeBreaker } = options
  if (position !== undefined && position !== 'on' && position !== 'off') throw new CommandFailure(EXIT.usage, '--recovery: on or off', { code: 'usage' })
  const recovery = recoveryFrom(options)
  const said = {
    ...(position === undefined ? {} : { recovery_enabled: position === 'on' }),
    ...(recovery === null ? {} : { recovery }),
    ...(closeBreaker === true ? { close_breaker: true } : {}),
  }
  return Object.keys(said).length === 0 ? null : said
}
