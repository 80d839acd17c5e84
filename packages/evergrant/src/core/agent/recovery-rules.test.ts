import { expect, test } from 'vitest'
import { AGENT, installationRow, START, tokenRow } from '../../testing/sdk-games.ts'
import { DAY, HOUR, MINUTE } from '../time.ts'
import { BREAKER_FLOOR, COOLDOWN_MS, countRecovery, pressureSince, type RecoveryQuestion, remainingRecoveries, ruleRecovery } from './recovery-rules.ts'
import { AGENT_SETTINGS_DEFAULTS, RECOVERY_DEFAULTS, type RecoverySettings } from './recovery-settings.ts'

const NOW = START + DAY

const question = (changes: Partial<RecoveryQuestion> = {}): RecoveryQuestion => ({
  installation: installationRow(),
  agent: AGENT,
  settings: AGENT_SETTINGS_DEFAULTS,
  enabled: true,
  head: tokenRow(),
  pressure: { recoveries: 0, installations: 1 },
  approval: 'none',
  ...changes,
})

const under = (recovery: Partial<RecoverySettings>) => ({ settings: { ...AGENT_SETTINGS_DEFAULTS, recovery: { ...RECOVERY_DEFAULTS, ...recovery } } })
const healed = (...ago: readonly number[]) => ({ installation: installationRow({ recoveries: ago.map((ms) => NOW - ms) }) })

test('by default it is allowed and counted', () => {
  expect(ruleRecovery(question(), NOW)).toEqual({ kind: 'allowed', counted: true, approved: false })
})

test('each switch stops all of it at once, tickets and approvals too, and says where it is', () => {
  const eager = { head: tokenRow({ ticket: true }), approval: 'approved' } as const
  const off = (changes: Partial<RecoveryQuestion>) => ruleRecovery(question({ ...eager, ...changes }), NOW)
  expect(off({ enabled: false })).toEqual({ kind: 'disabled', by: 'server' })
  expect(off({ settings: { ...AGENT_SETTINGS_DEFAULTS, recoveryEnabled: false } })).toEqual({ kind: 'disabled', by: 'organization' })
  expect(off({ installation: installationRow({ status: 'recovery_blocked' }) })).toEqual({ kind: 'disabled', by: 'installation' })
  expect(off(under({ mode: 'off' }))).toEqual({ kind: 'disabled', by: 'mode' })
})

test('the installation says more than its agent, and the agent more than the organization', () => {
  const settings = under({ mode: 'off' })
  expect(ruleRecovery(question({ ...settings, agent: { recovery: { mode: 'relaxed' } } }), NOW).kind).toBe('allowed')
  const installation = installationRow({ recoveryMode: 'approve' })
  expect(ruleRecovery(question({ ...settings, agent: { recovery: { mode: 'relaxed' } }, installation }), NOW)).toMatchObject({ kind: 'ask', why: 'mode' })
})

test('what the agent or the organization switched off is not switched on by an installation', () => {
  const installation = installationRow({ recoveryMode: 'relaxed' })
  for (const parts of [under({ mode: 'off' }), { agent: { recovery: { mode: 'off' as const } } }])
    expect(ruleRecovery(question({ ...parts, installation }), NOW)).toEqual({ kind: 'disabled', by: 'mode' })
  expect(ruleRecovery(question({ installation }), NOW).kind).toBe('allowed')
})

test('the sixth recovery within thirty days is refused until the oldest leaves the window', () => {
  const five = healed(29 * DAY, 20 * DAY, 10 * DAY, 5 * DAY, 2 * DAY)
  expect(ruleRecovery(question(healed(20 * DAY, 10 * DAY, 5 * DAY, 2 * DAY)), NOW).kind).toBe('allowed')
  expect(ruleRecovery(question(five), NOW)).toEqual({ kind: 'limit', retryAt: NOW + DAY })
  expect(ruleRecovery(question(five), NOW + DAY).kind).toBe('allowed')
})

test('a limit that was lowered is refused until enough have left the window', () => {
  expect(ruleRecovery(question({ ...healed(20 * DAY, 10 * DAY, 5 * DAY), ...under({ limit: 2 }) }), NOW)).toEqual({ kind: 'limit', retryAt: NOW + 20 * DAY })
})

test('a limit of none refuses the first, and says when to ask again', () => {
  expect(ruleRecovery(question(under({ limit: 0 })), NOW)).toEqual({ kind: 'limit', retryAt: NOW + RECOVERY_DEFAULTS.windowMs })
})

test('a relaxed one has no limit, and keeps its pause', () => {
  const many = healed(...Array.from({ length: 50 }, (_, index) => index * HOUR))
  expect(ruleRecovery(question({ ...many, ...under({ mode: 'relaxed' }) }), NOW).kind).toBe('allowed')
  const pausing = { installation: installationRow({ cooldownUntil: NOW + 1 }) }
  expect(ruleRecovery(question({ ...pausing, ...under({ mode: 'relaxed' }) }), NOW)).toEqual({ kind: 'cooldown', retryAt: NOW + 1 })
})

test('the pause begins with ten minutes, doubles up to a day, and begins anew when the window is empty', () => {
  let installation = installationRow()
  const pauses: number[] = []
  for (let at = NOW, count = 0; count < 10; count++, at += 2 * DAY) {
    installation = { ...installation, ...countRecovery(installation, RECOVERY_DEFAULTS, at) }
    pauses.push((installation.cooldownUntil ?? 0) - at)
  }
  expect(pauses.slice(0, 4)).toEqual([10 * MINUTE, 20 * MINUTE, 40 * MINUTE, 80 * MINUTE])
  expect(pauses.slice(-2)).toEqual([DAY, DAY])
  const later = NOW + 100 * DAY
  expect(countRecovery(installation, RECOVERY_DEFAULTS, later)).toEqual({
    recoveries: [later],
    cooldownUntil: later + COOLDOWN_MS,
    cooldownMs: 2 * COOLDOWN_MS,
  })
})

test('a machine that was away for longer than the policy allows asks a person, and is not refused for good', () => {
  expect(ruleRecovery(question(), START + 30 * DAY).kind).toBe('allowed')
  expect(ruleRecovery(question(), START + 30 * DAY + 1)).toEqual({ kind: 'ask', why: 'offline', trips: false })
  expect(ruleRecovery(question({ approval: 'approved' }), START + 300 * DAY)).toEqual({ kind: 'allowed', counted: false, approved: true })
})

test.each([
  [BREAKER_FLOOR - 1, 1, false],
  [BREAKER_FLOOR, 1, true],
  [BREAKER_FLOOR, 100, false],
  [19, 100, false],
  [20, 100, true],
])('%i recoveries within an hour of %i installations: the breaker trips: %s', (recoveries, installations, trips) => {
  const ruling = ruleRecovery(question({ pressure: { recoveries, installations } }), NOW)
  expect(ruling).toEqual(trips ? { kind: 'ask', why: 'breaker', trips: true } : { kind: 'allowed', counted: true, approved: false })
})

test('while the breaker is open everybody asks, but those with a ticket; afterwards nobody', () => {
  const open = { settings: { ...AGENT_SETTINGS_DEFAULTS, breakerUntil: NOW + 1 } }
  expect(ruleRecovery(question(open), NOW)).toEqual({ kind: 'ask', why: 'breaker', trips: false })
  expect(ruleRecovery(question({ ...open, head: tokenRow({ ticket: true }) }), NOW).kind).toBe('allowed')
  expect(ruleRecovery(question(open), NOW + 1).kind).toBe('allowed')
})

test('what is left is told, so that a machine can warn before the last one', () => {
  expect(remainingRecoveries(installationRow(), RECOVERY_DEFAULTS, NOW)).toBe(5)
  expect(remainingRecoveries(healed(1, 2, 3, 4, 5, 6).installation, RECOVERY_DEFAULTS, NOW)).toBe(0)
  expect(remainingRecoveries(healed(31 * DAY).installation, RECOVERY_DEFAULTS, NOW)).toBe(5)
  expect(remainingRecoveries(installationRow(), { ...RECOVERY_DEFAULTS, mode: 'relaxed' }, NOW)).toBeNull()
})

test('what was written while the clock was a year ahead keeps no machine waiting once it is right again', () => {
  const [ahead, settled] = [NOW + 365 * DAY, RECOVERY_DEFAULTS]
  let installation = installationRow()
  for (let count = 0; count < 6; count++) installation = { ...installation, ...countRecovery(installation, settled, ahead + count * MINUTE) }
  const settings = { ...AGENT_SETTINGS_DEFAULTS, breakerUntil: ahead + HOUR }
  expect(ruleRecovery(question({ installation, settings }), NOW)).toEqual({ kind: 'allowed', counted: true, approved: false })
  expect(remainingRecoveries(installation, settled, NOW)).toBe(5)
  expect(countRecovery(installation, settled, NOW)).toEqual({ recoveries: [NOW], cooldownUntil: NOW + COOLDOWN_MS, cooldownMs: 2 * COOLDOWN_MS })
})

test('a breaker that was closed while the clock was a year ahead counts again once it is right', () => {
  expect(pressureSince({ breakerClosedAt: NOW + 365 * DAY }, NOW)).toBe(NOW - HOUR)
  for (const differs of [-HOUR / 2, 0, MINUTE]) expect(pressureSince({ breakerClosedAt: NOW + differs }, NOW)).toBe(NOW + differs)
})

test('a clock that goes back by less than a window forgives no recovery', () => {
  const installation = { ...installationRow(), ...countRecovery(installationRow(), RECOVERY_DEFAULTS, NOW) }
  expect(ruleRecovery(question({ installation }), NOW - MINUTE)).toEqual({ kind: 'cooldown', retryAt: NOW + COOLDOWN_MS })
  expect(remainingRecoveries(installation, RECOVERY_DEFAULTS, NOW - MINUTE)).toBe(4)
})
