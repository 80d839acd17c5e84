import { recordFacts } from '../../testing/record-facts.ts'
import { zendesk } from './zendesk.ts'

const granted = { accessSeconds: 1_800, refreshSeconds: 2_592_000, scopes: ['read'] }

recordFacts(zendesk, {
  exchange: [
    { expect: { accessToken: 'access-1', refreshToken: 'refresh-1', ...granted } },
    // An older client: a token without an end, and none to refresh it with.
    { answer: { access_token: 'access-1', token_type: 'bearer', scope: 'read' }, expect: { accessToken: 'access-1', scopes: ['read'] } },
  ],
  refresh: { expect: { accessToken: 'access-2', refreshToken: 'refresh-2', ...granted } },
  account: { answer: { user: { id: 35_436, email: 'jo@example.com' } }, account: '35436', label: 'jo@example.com' },
  errors: [
    ['refresh', 400, { error: 'invalid_grant' }, 'dead'],
    ['exchange', 400, { error: 'invalid_grant' }, 'restart_flow'],
    ['refresh', 401, { error: 'invalid_client' }, 'config'],
  ],
})
