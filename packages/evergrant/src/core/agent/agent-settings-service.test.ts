import { beforeEach, expect, test } from 'vitest'
import { openVolatileStore } from '../../store/memory/volatile-store.ts'
import { systemEntropy } from '../../system.ts'
import { createManualTime } from '../../testing/manual-time.ts'
import { newId } from '../ids.ts'
import { HOUR } from '../time.ts'
import type { AgentCaller } from './agent-caller.ts'
import { AgentSettingsService } from './agent-settings-service.ts'
import type { Agents } from './agents.ts'
import type { AgentSettings } from './recovery-settings.ts'

const caller: AgentCaller = { organization: newId('org', systemEntropy), actor: { kind: 'cli', id: null }, user: null, own: null, gives: [] }

function open() {
  const { clock, timers } = createManualTime()
  const { agents, events } = openVolatileStore({ clock, timers })
  let before: (() => Promise<unknown>) | null = null
  const raced: Pick<Agents, 'settings' | 'saveSettings'> = {
    settings: async (organization) => {
      const found = await agents.settings(organization)
      const meanwhile = before
      before = null
      await meanwhile?.()
      return found
    },
    saveSettings: (...given) => agents.saveSettings(...given),
  }
  const service = new AgentSettingsService({ agents: raced, clock, entropy: systemEntropy, recoveryEnabled: true })
  const meanwhile = (work: () => Promise<unknown>): void => {
    before = work
  }
  return { service, agents, events, clock, meanwhile }
}

let lab: ReturnType<typeof open>
beforeEach(() => {
  lab = open()
})

test('a switch that was thrown while a limit was changed stays thrown, and both are told', async () => {
  const { service, events, meanwhile } = lab
  meanwhile(() => service.change(caller, { recoveryEnabled: false }))
  expect(await service.change(caller, { recovery: { limit: 2 } })).toMatchObject({ recoveryEnabled: false, recovery: { limit: 2 } })
  expect(await service.get(caller)).toMatchObject({ recoveryEnabled: false, recovery: { limit: 2 }, offBecause: 'organization' })
  const { items } = await events.list(caller.organization, {}, { limit: 10, cursor: null })
  expect(items.map(({ type }) => type).sort()).toEqual(['agent.settings_changed', 'recovery.switch_changed'])
})

/** Past the service, as the transaction does it that trips the breaker. */
async function put(change: Partial<AgentSettings>): Promise<void> {
  const { agents, clock } = lab
  const at = clock.wall()
  const { organization } = caller
  const event = { id: newId('evt', systemEntropy), organization, type: 'agent.settings_changed', at, actor: { kind: 'system', id: null } } as const
  const next = { ...(await agents.settings(organization)), ...change }
  await agents.saveSettings(organization, next, at, { ...event, connection: null, subject: null, data: {} })
}

test('a breaker that trips while an operator changes a limit stays tripped', async () => {
  const until = lab.clock.wall() + HOUR
  lab.meanwhile(() => put({ breakerUntil: until }))
  expect(await lab.service.change(caller, { recovery: { limit: 2 } })).toMatchObject({ breakerUntil: until, recovery: { limit: 2 } })
})

test('settings that somebody changes again and again are a conflict, not an endless loop', async () => {
  let breakerClosedAt = 0
  const again = (): void =>
    lab.meanwhile(async () => {
      breakerClosedAt += 1
      await put({ breakerClosedAt })
      again()
    })
  again()
  await expect(lab.service.change(caller, { recoveryEnabled: false })).rejects.toMatchObject({ code: 'conflict' })
  expect(await lab.agents.settings(caller.organization)).toMatchObject({ recoveryEnabled: true, breakerClosedAt: 5 })
})
