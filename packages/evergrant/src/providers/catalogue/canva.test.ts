import { recordFacts } from '../../testing/record-facts.ts'
import { canva } from './canva.ts'

const granted = { accessSeconds: 14_400, scopes: ['profile:read'] }

recordFacts(canva, {
  exchange: { expect: { accessToken: 'access-1', refreshToken: 'refresh-1', ...granted } },
  refresh: { expect: { accessToken: 'access-2', refreshToken: 'refresh-2', ...granted } },
  account: { answer: { team_user: { user_id: 'auDAbliZ2rQNNOsUl5OLu', team_id: 'Oi2RJILTrKk0KRhRUZozX' } }, account: 'auDAbliZ2rQNNOsUl5OLu' },
  errors: [
    ['refresh', 400, { code: 'invalid_grant', message: 'Invalid refresh token' }, 'dead'],
    ['exchange', 400, { code: 'invalid_grant', message: 'Invalid authorization code' }, 'restart_flow'],
    ['refresh', 401, { code: 'invalid_client', message: 'Invalid client' }, 'config'],
    ['refresh', 429, { code: 'too_many_requests' }, 'throttled'],
    ['refresh', 500, { code: 'internal_error' }, 'unknown'],
  ],
})
