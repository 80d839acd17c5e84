import { recordFacts } from '../../testing/record-facts.ts'
import { zoho } from './zoho.ts'

const facts = { api_domain: 'https://www.zohoapis.eu' }
const granted = { accessSeconds: 3_600, facts }
const throttled = {
  error_description: 'You have made too many requests continuously. Please try again after some time.',
  error: 'Access Denied',
  status: 'failure',
}

recordFacts(zoho, {
  variables: { dc: 'com', 'accounts-server': 'https://accounts.zoho.eu' },
  facts: { ...facts, 'accounts-server': 'https://accounts.zoho.eu' },
  exchange: { expect: { accessToken: '1000.at-1', refreshToken: '1000.rt-1', scopes: ['AaaServer.profile.Read'], ...granted } },
  refresh: { expect: { accessToken: '1000.at-2', ...granted } },
  account: { answer: { ZUID: 1_234_567, Email: 'jo@example.com' }, account: '1234567', label: 'jo@example.com', scopes: ['AaaServer.profile.Read'] },
  errors: [
    ['refresh', 200, { error: 'invalid_code' }, 'dead'],
    ['exchange', 200, { error: 'invalid_code' }, 'restart_flow'],
    ['refresh', 200, throttled, 'throttled'],
    ['refresh', 400, throttled, 'throttled'],
    ['refresh', 200, { error: 'invalid_client' }, 'config'],
    ['refresh', 200, { error: 'general_error' }, 'unknown'],
  ],
  api: [
    [401, {}, { code: 'INVALID_OAUTHTOKEN', status: 'error' }, 'token_rejected'],
    [401, {}, { code: 'INVALID_TOKEN', status: 'error' }, 'token_rejected'],
  ],
})
