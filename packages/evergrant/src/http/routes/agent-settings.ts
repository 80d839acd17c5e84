import { Type } from 'typebox'
import type { CurrentSettings } from '../../core/agent/agent-settings-service.ts'
import { RECOVERY_MODES, type RecoveryMode, type RecoverySettings } from '../../core/agent/recovery-settings.ts'
import { DAY } from '../../core/time.ts'
import { agentCallerOf } from '../agent-caller.ts'
import { callerOf } from '../authentication.ts'
import { isoOrNull } from '../connection-view.ts'
import { requireRecent } from '../governing.ts'
import { type App, nullable, PROBLEMS, Time } from '../schema.ts'
import type { Services } from '../services.ts'
import { RecoveryBody, recoveryOf } from './agent-view.ts'

const TAGS = ['agents']
const SettingsView = Type.Object({
  recovery_enabled: Type.Boolean({ description: 'The switch of this organization.' }),
  recovery_works: Type.Boolean({ description: 'False while anything keeps the whole organization from recovering.' }),
  off_because: nullable(Type.String({ description: '`EVERGRANT_RECOVERY` (the configuration of this server) or `organization`; null: nothing.' })),
  recovery: Type.Object({
    mode: Type.Unsafe<RecoveryMode>({ type: 'string', enum: [...RECOVERY_MODES] }),
    limit: Type.Integer(),
    window_days: Type.Number(),
    max_offline_days: Type.Number(),
    on_clone: Type.Unsafe<RecoverySettings['onClone']>({ type: 'string', enum: ['lock', 'refuse_and_alert'] }),
  }),
  breaker_until: nullable(Time),
})

function settingsView({ recoveryEnabled, offBecause, recovery, breakerUntil }: CurrentSettings) {
  return {
    recovery_enabled: recoveryEnabled,
    recovery_works: offBecause === null,
    off_because: offBecause,
    recovery: {
      mode: recovery.mode,
      limit: recovery.limit,
      window_days: Math.round(recovery.windowMs / DAY),
      max_offline_days: Math.round(recovery.maxOfflineMs / DAY),
      on_clone: recovery.onClone,
    },
    breaker_until: isoOrNull(breakerUntil),
  }
}

/** What an organization says about all its agents: above all, whether anything heals. */
export function agentSettingsRoutes(app: App, { agentSettings, clock }: Services): void {
  app.get(
    '/api/v1/agent-settings',
    { config: { access: 'agents:read' }, schema: { summary: 'Read the settings of all agents', tags: TAGS, response: { 200: SettingsView, ...PROBLEMS } } },
    async (request) => settingsView(await agentSettings.get(callerOf(request))),
  )
  app.put(
    '/api/v1/agent-settings',
    {
      config: { access: 'agents:write' },
      schema: {
        summary: 'Change the settings of all agents',
        description: 'What is left out stays. Counts for the next recovery, on all nodes: it is read in the transaction that would mint.',
        tags: TAGS,
        body: Type.Object(
          {
            recovery_enabled: Type.Optional(Type.Boolean({ description: 'False: nothing in this organization recovers.' })),
            recovery: Type.Optional(RecoveryBody),
            close_breaker: Type.Optional(Type.Boolean({ description: 'True: after a breaker tripped, machines recover by themselves again.' })),
          },
          { additionalProperties: false, minProperties: 1 },
        ),
        response: { 200: SettingsView, ...PROBLEMS },
      },
    },
    async (request) => {
      const caller = callerOf(request)
      requireRecent(caller, clock)
      const { recovery_enabled: recoveryEnabled, recovery, close_breaker: closesBreaker } = request.body
      const change = {
        ...(recoveryEnabled === undefined ? {} : { recoveryEnabled }),
        ...(recovery === undefined ? {} : { recovery: recoveryOf(recovery) }),
        ...(closesBreaker === undefined ? {} : { closesBreaker }),
      }
      return settingsView(await agentSettings.change(agentCallerOf(caller), change))
    },
  )
}
