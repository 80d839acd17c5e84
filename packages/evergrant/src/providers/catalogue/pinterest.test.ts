import { recordFacts } from '../../testing/record-facts.ts'
import { pinterest } from './pinterest.ts'

const granted = { accessSeconds: 2_592_000, refreshSeconds: 5_184_000, scopes: ['user_accounts:read'] }

recordFacts(pinterest, {
  exchange: { expect: { accessToken: 'pina_at-1', refreshToken: 'pinr_rt-1', ...granted } },
  refresh: [
    { expect: { accessToken: 'pina_at-2', refreshToken: 'pinr_rt-2', ...granted } },
    { answer: { access_token: 'pina_at-3', expires_in: 2_592_000 }, expect: { accessToken: 'pina_at-3', accessSeconds: 2_592_000 } },
  ],
  account: { answer: { id: '2783136121146311751', username: 'jo' }, account: '2783136121146311751', label: 'jo', scopes: ['user_accounts:read'] },
  errors: [
    ['refresh', 401, { code: 2, message: 'Authentication failed.' }, 'config'],
    ['refresh', 400, { code: 1, message: 'Bad request' }, 'unknown'],
    ['exchange', 400, { code: 283, message: 'Invalid authorization code' }, 'unknown'],
    ['refresh', 429, { code: 8, message: 'You have exceeded your rate limit.' }, 'throttled'],
  ],
  api: [[401, {}, { code: 2, message: 'Authentication failed.' }, 'token_rejected']],
})
