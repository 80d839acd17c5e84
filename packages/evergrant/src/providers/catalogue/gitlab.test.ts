import { recordFacts } from '../../testing/record-facts.ts'
import { gitlab } from './gitlab.ts'

const invalid =
  'The provided authorization grant is invalid, expired, revoked, does not match the redirection URI used in the authorization request, or was issued to another client.'

recordFacts(gitlab, {
  exchange: { expect: { accessToken: 'at-1', refreshToken: 'rt-1', accessSeconds: 7_200, scopes: ['read_user'] } },
  refresh: { expect: { accessToken: 'at-2', refreshToken: 'rt-2', accessSeconds: 7_200, scopes: ['read_user'] } },
  account: { answer: { id: 42, username: 'jo', name: 'Jo' }, account: '42', label: 'jo' },
  errors: [
    ['refresh', 400, { error: 'invalid_grant', error_description: invalid }, 'dead'],
    ['exchange', 400, { error: 'invalid_grant', error_description: invalid }, 'restart_flow'],
    ['refresh', 401, { error: 'invalid_client' }, 'config'],
    ['refresh', 502, '<html>GitLab is not responding</html>', 'unknown'],
  ],
  api: [[401, {}, { error: 'invalid_token', error_description: 'Token was revoked.' }, 'token_rejected']],
})
