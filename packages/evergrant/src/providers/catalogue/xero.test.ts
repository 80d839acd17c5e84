import { recordFacts } from '../../testing/record-facts.ts'
import { xero } from './xero.ts'

const accessToken = 'eyJhbGciOiJSUzI1NiJ9.eyJ4ZXJvX3VzZXJpZCI6IngtMSJ9.c2ln'
const granted = { accessToken, accessSeconds: 1_800, scopes: ['openid', 'offline_access'], account: 'x-1' }

recordFacts(xero, {
  exchange: { expect: { ...granted, refreshToken: 'rt-1', label: 'jo@example.com' } },
  refresh: { expect: { ...granted, refreshToken: 'rt-2' } },
  errors: [
    ['refresh', 400, { error: 'invalid_grant' }, 'dead'],
    ['exchange', 400, { error: 'invalid_grant' }, 'restart_flow'],
    ['refresh', 400, { error: 'invalid_client' }, 'config'],
  ],
  api: [
    [401, {}, { Title: 'Unauthorized', Status: 401, Detail: 'TokenExpired: token expired at 11/21/2026 06:30:00' }, 'token_rejected'],
    [429, { 'retry-after': '12' }, null, 'throttled'],
  ],
})
