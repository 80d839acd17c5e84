import { recordFacts } from '../../testing/record-facts.ts'
import { linear } from './linear.ts'

recordFacts(linear, {
  exchange: [
    { expect: { accessToken: 'at-1', refreshToken: 'rt-1', accessSeconds: 86_399, scopes: ['read'] } },
    // Before 2026-04-01: ten years, and no refresh token.
    {
      answer: { access_token: 'at-0', token_type: 'Bearer', expires_in: 315_360_000, scope: ['read', 'write'] },
      expect: { accessToken: 'at-0', accessSeconds: 315_360_000, scopes: ['read', 'write'] },
    },
  ],
  refresh: { expect: { accessToken: 'at-2', refreshToken: 'rt-2', accessSeconds: 86_399, scopes: ['read'] } },
  account: { answer: { data: { viewer: { id: 'u-1', name: 'Jo' }, organization: { id: 'o-1' } } }, account: 'u-1', label: 'Jo' },
  errors: [
    ['refresh', 400, { error: 'invalid_grant' }, 'dead'],
    ['exchange', 400, { error: 'invalid_grant' }, 'restart_flow'],
    ['refresh', 401, { error: 'invalid_client' }, 'config'],
  ],
  api: [
    [400, {}, { errors: [{ message: 'Rate limit exceeded', extensions: { code: 'RATELIMITED' } }] }, 'throttled'],
    [400, {}, { errors: [{ message: 'Authentication required', extensions: { code: 'AUTHENTICATION_ERROR' } }] }, 'token_rejected'],
    [200, {}, { data: { viewer: { id: 'u-1' } } }, 'ok'],
  ],
})
