import { describe, expect, test } from 'vitest'
import type { ConnectionStatus, StoredFault } from '../connection/connection.ts'
import type { ConnectionDetails } from '../connection/connection-service.ts'
import { newConnection } from '../connection/new-connection.ts'
import { FAULTS } from '../fault/table.ts'
import { DAY, HOUR } from '../time.ts'
import { connectionReport, sessionReport } from './connection-report.ts'

const NOW = Date.UTC(2026, 10, 21)
const LINK = 'https://evergrant.example/connect/repair/x'

const faultOf = (code: StoredFault['code']): StoredFault => ({
  code,
  at: NOW - HOUR,
  evidence: { intent: null, httpStatus: 400, providerCode: 'invalid_grant', providerText: 'planted provider text', answerHash: null },
})

interface World {
  readonly status: ConnectionStatus
  readonly fault?: StoredFault['code']
  readonly blocked?: StoredFault['code']
  readonly endsAt?: number
  readonly nextAttemptAt?: number
}

function details({ status, fault, blocked, endsAt, nextAttemptAt }: World): ConnectionDetails {
  const connection = {
    ...newConnection(NOW, { id: 'con_1', organization: 'org_1', integration: 'int_1', owner: 'ana', account: '4711', accountLabel: 'ana@example.com' }),
    fault: fault === undefined ? null : faultOf(fault),
  }
  const row = { connection, credential: {}, health: { endsAt: endsAt ?? null, nextAttemptAt: nextAttemptAt ?? null } }
  const integration = { slug: 'google', blocked: blocked === undefined ? null : faultOf(blocked) }
  return { row, integration, status, providerName: 'Google' } as unknown as ConnectionDetails
}

const report = (world: World) => connectionReport(details(world), LINK, NOW)

describe('a connection in the words of its owner', () => {
  test('a connection that works has nothing to say', () => {
    expect(report({ status: 'active' })).toEqual({
      id: 'con_1',
      integration: 'google',
      provider: 'Google',
      account: 'ana@example.com',
      status: 'valid',
      connectionStatus: 'active',
      code: null,
      title: null,
      message: null,
      action: 'none',
      expiresAt: null,
      reconnectUrl: null,
      retryAt: null,
    })
  })

  test.each([
    [
      { status: 'active', fault: 'provider_unavailable' },
      { status: 'valid', code: null, action: 'none' },
    ],
    [
      { status: 'active', endsAt: NOW + 6 * DAY },
      { status: 'expiring', code: 'connection_expiring', action: 'reconnect', expiresAt: NOW + 6 * DAY },
    ],
    [
      { status: 'active', endsAt: NOW + 8 * DAY },
      { status: 'valid', code: null, expiresAt: NOW + 8 * DAY },
    ],
    [
      { status: 'degraded', fault: 'provider_rate_limited', nextAttemptAt: NOW + HOUR },
      { status: 'refreshing', code: 'provider_rate_limited', action: 'wait', retryAt: NOW + HOUR },
    ],
    [{ status: 'degraded' }, { status: 'refreshing', code: 'outcome_unknown', action: 'wait' }],
    [
      { status: 'needs_reauth', fault: 'connection_revoked' },
      { status: 'needs_reauth', code: 'connection_revoked', action: 'reconnect', reconnectUrl: LINK },
    ],
    [
      { status: 'needs_reauth', fault: 'new_credentials_needed' },
      { status: 'needs_reauth', code: 'new_credentials_needed', action: 'contact_admin' },
    ],
    [
      { status: 'blocked', blocked: 'client_rejected' },
      { status: 'unavailable', code: 'client_rejected', action: 'contact_admin', reconnectUrl: null },
    ],
    [{ status: 'paused' }, { status: 'unavailable', code: 'connection_paused', action: 'contact_admin' }],
    [{ status: 'disconnected' }, { status: 'disconnected', code: 'connection_disconnected', reconnectUrl: null, retryAt: null }],
  ] as const)('%o is told as %o', (world, told) => {
    expect(report(world)).toMatchObject(told)
  })

  test.each(['needs_reauth', 'degraded', 'blocked', 'paused', 'disconnected'] as const)(
    '%s speaks with the words for the end user, with the names in them, and never with those of the provider or the operator',
    (status) => {
      const told = report({ status, fault: 'connection_revoked', blocked: 'client_rejected' })
      expect(told.title ?? '').not.toMatch(/[{}]/)
      expect(told.message ?? '').not.toMatch(/[{}]/)
      expect(JSON.stringify(told)).not.toMatch(/planted|invalid_grant/)
      const row = told.code === null ? null : FAULTS[told.code]
      expect(told.message).not.toBe(row?.operator)
      expect(told.message?.length).toBeGreaterThan(10)
    },
  )

  test('a connection without a label is called by its account', () => {
    const { row, ...rest } = details({ status: 'active' })
    const unlabelled = { ...rest, row: { ...row, connection: { ...row.connection, accountLabel: null } } }
    expect(connectionReport(unlabelled, null, NOW).account).toBe('4711')
  })
})

describe('a session in the same words', () => {
  test.each([
    [{ expiresAt: NOW + 30 * DAY, idleExpiresAt: NOW + 2 * HOUR }, 'valid'],
    [{ expiresAt: NOW + 30 * DAY, idleExpiresAt: NOW + HOUR }, 'expiring'],
    [{ expiresAt: NOW + HOUR / 2, idleExpiresAt: NOW + HOUR / 2 }, 'expiring'],
  ] as const)('%o is %s', (ends, status) => {
    expect(sessionReport(ends, NOW)).toEqual({ status, ...ends })
  })
})
