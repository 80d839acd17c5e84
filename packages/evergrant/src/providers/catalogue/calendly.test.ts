import { recordFacts } from '../../testing/record-facts.ts'
import { calendly } from './calendly.ts'

const owner = 'https://api.calendly.com/users/EBHAAFHDCAEQTSEZ'
const granted = {
  accessSeconds: 7_200,
  scopes: ['users:read'],
  account: owner,
  facts: { organization: 'https://api.calendly.com/organizations/EBHAAFHDCAEQTSEZ' },
}

recordFacts(calendly, {
  exchange: { expect: { accessToken: 'access-1', refreshToken: 'refresh-1', ...granted } },
  refresh: { expect: { accessToken: 'access-2', refreshToken: 'refresh-2', ...granted } },
  account: { answer: { resource: { uri: owner, email: 'jo@example.com' } }, account: owner, label: 'jo@example.com', scopes: ['users:read'] },
  errors: [
    ['refresh', 400, { error: 'invalid_grant' }, 'dead'],
    ['refresh', 401, { error: 'invalid_grant' }, 'dead'],
    ['exchange', 400, { error: 'invalid_grant' }, 'restart_flow'],
    ['refresh', 401, { error: 'invalid_client' }, 'config'],
  ],
})
