import fc from 'fast-check'
import { expect, test } from 'vitest'
import { AGENT, installationRow, START, TOKEN_LIFE_MS, tokenRow } from '../../testing/sdk-games.ts'
import { DAY, HOUR, MINUTE } from '../time.ts'
import { INSTALLATION_STATUSES, REVOKE_CLASSES } from './installation.ts'
import { type OutlookQuestion, recoveryOutlook } from './recovery-outlook.ts'
import { AGENT_SETTINGS_DEFAULTS, RECOVERY_DEFAULTS, RECOVERY_MODES } from './recovery-settings.ts'
import type { SdkPresentation } from './sdk-presentation.ts'
import { judgeSdkToken, type SdkJudgement } from './sdk-rotation.ts'

const AT = START + 20 * DAY
const instant = fc.integer({ min: START, max: START + 40 * DAY })
/** Mostly nothing: else one rule would hide all that come after it. */
const rarely = fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: instant })
/** As far ahead as a wait can be. */
const soon = fc.integer({ min: -DAY, max: DAY }).map((ms) => AT + ms)

/** Any state that a record may be in, likely or not. */
const questions: fc.Arbitrary<OutlookQuestion> = fc
  .record({
    status: fc.constantFrom(...INSTALLATION_STATUSES, 'active' as const, 'active' as const),
    agentStatus: fc.constantFrom('verified' as const, 'verified' as const, 'pending' as const, 'suspended' as const, 'revoked' as const),
    ownerActive: fc.constantFrom(true, true, true, false),
    recoveryMode: fc.option(fc.constantFrom(...RECOVERY_MODES), { nil: null }),
    mode: fc.constantFrom(...RECOVERY_MODES),
    recoveries: fc.array(instant, { maxLength: 6 }).map((times) => times.sort((left, right) => left - right)),
    cooldownUntil: fc.oneof(rarely, soon),
    rekeyUntil: rarely,
    expiresAt: rarely,
    revokeClass: fc.option(fc.constantFrom(...REVOKE_CLASSES), { nil: null }),
    ticket: fc.boolean(),
    maxOfflineMs: fc.constantFrom(30 * DAY, 365 * DAY),
    tokenAge: fc.integer({ min: 0, max: 100 * DAY }),
    breakerUntil: fc.oneof(rarely, rarely, soon),
    recoveryEnabled: fc.constantFrom(true, true, false),
    enabled: fc.constantFrom(true, true, false),
    pressed: fc.oneof(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 10, max: 30 })),
    size: fc.integer({ min: 1, max: 200 }),
  })
  .map((of) => ({
    installation: installationRow({
      status: of.status,
      recoveryMode: of.recoveryMode,
      recoveries: of.recoveries,
      cooldownUntil: of.cooldownUntil,
      rekeyUntil: of.rekeyUntil,
      expiresAt: of.expiresAt,
    }),
    agent: { ...AGENT, status: of.agentStatus, recovery: {} },
    ownerActive: of.ownerActive,
    ownerRole: 'operator' as const,
    ownerName: 'ana',
    head: tokenRow({
      createdAt: AT - of.tokenAge,
      expiresAt: AT - of.tokenAge + TOKEN_LIFE_MS,
      activatedAt: AT - of.tokenAge,
      ...(of.revokeClass === null ? {} : { state: 'revoked' as const, revokeClass: of.revokeClass, revokedAt: AT - MINUTE, ticket: of.ticket }),
    }),
    settings: {
      ...AGENT_SETTINGS_DEFAULTS,
      recoveryEnabled: of.recoveryEnabled,
      recovery: { ...RECOVERY_DEFAULTS, mode: of.mode, maxOfflineMs: of.maxOfflineMs },
      breakerUntil: of.breakerUntil,
    },
    pressure: { recoveries: of.pressed, installations: of.size },
    enabled: of.enabled,
  }))

function judged(question: OutlookQuestion): SdkJudgement {
  const { head, enabled } = question
  const rekeyed = question.installation.rekeyUntil !== null && AT < question.installation.rekeyUntil
  const presentation = {
    verb: 'recover',
    installation: question.installation.id,
    generation: head.generation,
    attempt: head.attempt,
    nextAttempt: 'another attempt',
    key: question.installation.keyThumbprint,
    provenAfter: AT,
    nextKey: rekeyed ? { thumbprint: 'a new key', jwk: {}, custody: 'file' } : null,
    tokenLifeMs: TOKEN_LIFE_MS,
    recoveryEnabled: enabled,
    ids: { token: 'sdk_01980000-0000-7000-8000-000000000002', family: 'second' },
    address: null,
    userAgent: null,
    hints: null,
    requestId: 'r',
  } as unknown as SdkPresentation
  return judgeSdkToken({ ...question, shown: head, made: null, approval: 'none' }, presentation, AT)
}

test('what is foretold is what a recovery gets, in every state of the record', () => {
  const seen = new Set<string>()
  fc.assert(
    fc.property(questions, (question) => {
      const outlook = recoveryOutlook(question, AT)
      const judgement = judged(question)
      seen.add(outlook.rule)
      expect(outlook.sentence).toMatch(/^[A-Z].*\.$/)
      // Its token is good: what is foretold is about the day when it is not.
      const good = judgement.kind === 'refused' && judgement.code === 'use_refresh'
      if (good) expect(outlook.needed).toBe(false)
      if (good) return
      const got = { issue: 'granted', pending: 'asks', refused: 'refused' }[judgement.kind as 'issue' | 'pending' | 'refused']
      expect(outlook.verdict).toBe(got)
      if (judgement.kind === 'issue') expect(outlook.counted).toBe(judgement.counted)
      if (judgement.kind === 'pending') expect(outlook.rule).toBe(judgement.why)
      if (judgement.kind === 'refused') expect([outlook.rule, outlook.retryAt]).toEqual([judgement.code, judgement.retryAt])
    }),
    { numRuns: 4_000, seed: 20_261_121 },
  )
  // Else the property would have looked at little.
  expect([...seen].sort()).toEqual([
    'agent_revoked',
    'agent_suspended',
    'breaker',
    'installation_expired',
    'installation_locked',
    'installation_retired',
    'mode',
    'offline',
    'owner_inactive',
    're_key',
    'recovery_cooldown',
    'recovery_disabled',
    'recovery_forbidden',
    'recovery_limit_reached',
    'ticket',
    'within_limits',
  ])
})

test('each switch is named', () => {
  const settings = { ...AGENT_SETTINGS_DEFAULTS }
  const base = {
    agent: AGENT,
    ownerActive: true,
    ownerRole: 'operator',
    ownerName: 'ana',
    head: tokenRow(),
    settings,
    pressure: { recoveries: 0, installations: 1 },
    enabled: true,
  } as const
  const told = (changes: Partial<OutlookQuestion>) => recoveryOutlook({ ...base, installation: installationRow(), ...changes }, START + HOUR).sentence
  expect(told({ enabled: false })).toContain('EVERGRANT_RECOVERY')
  expect(told({ settings: { ...settings, recoveryEnabled: false } })).toContain('whole organization')
  expect(told({ installation: installationRow({ status: 'recovery_blocked' }) })).toContain('for this installation')
  expect(told({ installation: installationRow({ recoveryMode: 'off' }) })).toContain('recovery mode')
})
