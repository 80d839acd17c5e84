import { recordFacts } from '../../testing/record-facts.ts'
import { box } from './box.ts'

recordFacts(box, {
  exchange: { expect: { accessToken: 'at-1', refreshToken: 'rt-1', accessSeconds: 3_600 } },
  refresh: { expect: { accessToken: 'at-2', refreshToken: 'rt-2', accessSeconds: 3_600 } },
  account: { answer: { type: 'user', id: '11446498', name: 'Jo', login: 'jo@example.com' }, account: '11446498', label: 'jo@example.com' },
  errors: [
    ['refresh', 400, { error: 'invalid_grant', error_description: 'Refresh token has expired' }, 'dead'],
    ['exchange', 400, { error: 'invalid_grant', error_description: 'The authorization code has expired' }, 'restart_flow'],
    ['refresh', 400, { error: 'invalid_client', error_description: 'The client credentials are invalid' }, 'config'],
  ],
  api: [[401, { 'www-authenticate': 'Bearer realm="Service", error="invalid_token"' }, null, 'token_rejected']],
})
