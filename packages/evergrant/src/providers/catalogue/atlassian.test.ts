import { recordFacts } from '../../testing/record-facts.ts'
import { atlassian } from './atlassian.ts'

const granted = { accessSeconds: 3_600, scopes: ['offline_access', 'read:me'] }

recordFacts(atlassian, {
  exchange: { expect: { accessToken: 'at-1', refreshToken: 'rt-1', ...granted } },
  refresh: { expect: { accessToken: 'at-2', refreshToken: 'rt-2', ...granted } },
  account: {
    answer: { account_id: '5b10a2844c20165700ede21g', email: 'jo@example.com' },
    account: '5b10a2844c20165700ede21g',
    label: 'jo@example.com',
    scopes: ['read:me'],
  },
  errors: [
    ['refresh', 403, { error: 'invalid_grant', error_description: 'Unknown or invalid refresh token.' }, 'dead'],
    ['refresh', 403, { error: 'unauthorized_client', error_description: 'refresh_token is invalid' }, 'dead'],
    ['refresh', 403, { error: 'unauthorized_client', error_description: 'something else' }, 'config'],
    ['exchange', 403, { error: 'invalid_grant', error_description: 'Invalid authorization code' }, 'restart_flow'],
    ['refresh', 401, { error: 'access_denied', error_description: 'Unauthorized' }, 'config'],
  ],
  api: [[401, {}, { code: 401, message: 'Unauthorized' }, 'token_rejected']],
})
