import { recordFacts } from '../../testing/record-facts.ts'
import { oura } from './oura.ts'

recordFacts(oura, {
  exchange: { expect: { accessToken: 'access-1', refreshToken: 'refresh-1', accessSeconds: 86_400, scopes: ['personal'] } },
  refresh: { expect: { accessToken: 'access-2', refreshToken: 'refresh-2', accessSeconds: 86_400, scopes: ['personal'] } },
  account: { answer: { id: 'e6c8b1', email: 'jo@example.com' }, account: 'e6c8b1', label: 'jo@example.com', scopes: ['personal'] },
  errors: [
    ['refresh', 400, { error: 'invalid_grant' }, 'dead'],
    ['refresh', 401, { error: 'invalid_client' }, 'config'],
  ],
})
