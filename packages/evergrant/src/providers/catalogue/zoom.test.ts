import { recordFacts } from '../../testing/record-facts.ts'
import { zoom } from './zoom.ts'

recordFacts(zoom, {
  exchange: { expect: { accessToken: 'at-1', refreshToken: 'rt-1', accessSeconds: 3_599, scopes: ['user:read:user'] } },
  refresh: { expect: { accessToken: 'at-2', refreshToken: 'rt-2', accessSeconds: 3_599, scopes: ['user:read:user'] } },
  account: { answer: { id: 'z8dsdsdsdsdCfp8uQ', email: 'jo@example.com', account_id: 'q6g' }, account: 'z8dsdsdsdsdCfp8uQ', label: 'jo@example.com' },
  errors: [
    ['refresh', 400, { reason: 'Invalid Token!', error: 'invalid_grant' }, 'dead'],
    ['refresh', 400, { reason: 'Invalid Token!', error: 'invalid_request' }, 'dead'],
    ['refresh', 401, { reason: 'Invalid Token!' }, 'dead'],
    ['refresh', 400, { reason: 'Bad Request', error: 'invalid_request' }, 'unknown'],
    ['exchange', 400, { reason: 'Invalid authorization code', error: 'invalid_request' }, 'restart_flow'],
    ['refresh', 401, { reason: 'Invalid client_id or client_secret', error: 'invalid_client' }, 'config'],
  ],
})
