import { recordFacts } from '../../testing/record-facts.ts'
import { github } from './github.ts'

recordFacts(github, {
  exchange: [
    { expect: { accessToken: 'gho_at-1', scopes: ['repo', 'gist'] } },
    { answer: 'access_token=gho_at-1&scope=repo%2Cgist&token_type=bearer', expect: { accessToken: 'gho_at-1', scopes: ['repo', 'gist'] } },
  ],
  account: { answer: { id: 583_231, login: 'octo' }, account: '583231', label: 'octo' },
  errors: [
    ['exchange', 200, { error: 'bad_verification_code' }, 'restart_flow'],
    ['exchange', 200, 'error=bad_verification_code&error_description=The+code+passed+is+incorrect+or+expired.', 'restart_flow'],
    ['exchange', 200, { error: 'incorrect_client_credentials' }, 'config'],
    ['exchange', 200, { error: 'redirect_uri_mismatch' }, 'config'],
  ],
  api: [
    [401, {}, { message: 'Bad credentials' }, 'token_rejected'],
    [403, { 'x-ratelimit-remaining': '0' }, { message: 'API rate limit exceeded for user ID 1.' }, 'throttled'],
    [403, {}, { message: 'Resource not accessible by integration' }, 'not_about_the_token'],
  ],
})
