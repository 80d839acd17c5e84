import { expect, test } from 'vitest'
import { AGENT, installationRow, START } from '../../testing/sdk-games.ts'
import { MINUTE } from '../time.ts'
import { REVOKE_CLASSES } from './installation.ts'
import { stoppedDetail, stoppedFault, type TokenEnd } from './stopped.ts'

const STOPS = ['installation_retired', 'installation_locked', 'installation_expired', 'agent_suspended', 'agent_revoked', 'owner_inactive'] as const
const standing = (changes = {}) => ({ agent: AGENT, installation: installationRow(changes) })
const end = (changes: Partial<TokenEnd> = {}): TokenEnd => ({ class: 'owner_request', at: START, ...changes })
const WHEN = /on \d{4}-\d\d-\d\d \d\d:\d\d UTC/

test.each(STOPS)('%s: whoever runs the program hears what happened and the next step, and no command that only an operator has', (code) => {
  for (const detail of [stoppedDetail(code, standing(), end()), stoppedDetail(code, { agent: AGENT })]) {
    expect(detail).toMatch(/\b(Ask|ask|enrol|enroll)\b/)
    expect(detail).not.toMatch(/evergrant agents|installation_|agent_/)
  }
  expect(stoppedFault(code, standing()).message).toBe(stoppedDetail(code, standing()))
})

test.each(REVOKE_CLASSES)('cut off (%s): it is said by whose hand and when, and who it was is not', (revokeClass) => {
  const detail = stoppedDetail('installation_retired', standing(), end({ class: revokeClass })) ?? ''
  expect(detail).toMatch(/by (somebody who looks after Evergrant|Evergrant itself)/)
  expect(detail).toMatch(WHEN)
  expect(detail).not.toContain('usr_')
})

test.each([
  ['clone', 'by Evergrant itself'],
  ['operator', 'by somebody'],
  ['compromise', 'reported as compromised'],
] as const)('locked (%s): the hand and the time are those of the lock, and the other machine is not named', (code, words) => {
  const lock = { code, at: START + MINUTE, message: 'Seen on web-2 (192.0.2.7) and web-3.', incident: null }
  const detail = stoppedDetail('installation_locked', standing({ lock })) ?? ''
  expect(detail).toContain(words)
  expect(detail).toMatch(WHEN)
  expect(detail).not.toMatch(/web-3|192\.0/)
})

test('a refusal that is about a token, and no stop, has no words here', () => {
  for (const code of ['use_refresh', 'recovery_disabled', 'sdk_token_expired'] as const) expect(stoppedDetail(code, standing())).toBeNull()
})
