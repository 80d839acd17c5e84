import { expect, test } from 'vitest'
import { machineVerdict } from './grant-verdict.ts'
import type { Verdict } from './verdict.ts'

const said = (httpStatus: number, code: string | null) => ({ httpStatus, code, text: null })
const OWN = { client_id: 'own', client_secret: 's' }

test.each([
  [said(401, 'invalid_client'), 'new_credentials_needed', 'config'],
  [said(400, 'unauthorized_client'), 'new_credentials_needed', 'config'],
  [said(401, null), 'new_credentials_needed', 'config'],
  [said(400, 'invalid_scope'), 'config', 'config'],
  [said(404, null), 'config', 'config'],
] as const)('a refused client (%j) ends a connection with a client of its own: %s; else it is %s', (told, own, shared) => {
  const verdict: Verdict = { kind: 'config', said: told }
  const meaning = (credentials: Readonly<Record<string, string>>) => {
    const read = machineVerdict(verdict, 'client_credentials', credentials)
    return read.kind === 'dead' ? read.code : read.kind
  }
  expect([meaning(OWN), meaning({})]).toEqual([own, shared])
})

test('whatever ends a grant asks for new credentials, except what an administrator has to allow', () => {
  for (const code of ['connection_revoked', 'connection_expired'] as const)
    expect(machineVerdict({ kind: 'dead', code, said: said(400, null) }, 'jwt_bearer', {})).toMatchObject({ kind: 'dead', code: 'new_credentials_needed' })
  const approval: Verdict = { kind: 'dead', code: 'admin_approval_required', said: said(400, null) }
  expect(machineVerdict(approval, 'jwt_bearer', {})).toBe(approval)
})

test('what says nothing about the credentials stays as it is', () => {
  const verdicts: readonly Verdict[] = [
    { kind: 'pre_send', cause: 'ECONNREFUSED', said: said(0, null) },
    { kind: 'throttled', retryAfterMs: 1_000, said: said(429, null) },
    { kind: 'unknown', answered: true, cause: 'http_500', retryAfterMs: null, said: said(500, null) },
  ]
  for (const verdict of verdicts) expect(machineVerdict(verdict, 'client_credentials', OWN)).toBe(verdict)
})
