import { recordFacts } from '../../testing/record-facts.ts'
import { bullhorn } from './bullhorn.ts'

const account = 'https://rest91.bullhornstaffing.com/rest-services/abc123/'

recordFacts(bullhorn, {
  facts: { restUrl: account },
  exchange: { expect: { accessToken: 'access-1', refreshToken: 'refresh-1', accessSeconds: 600, account } },
  refresh: { expect: { accessToken: 'access-2', refreshToken: 'refresh-2', accessSeconds: 600, account } },
  errors: [
    ['refresh', 400, { error: 'invalid_grant' }, 'dead'],
    ['exchange', 400, { error: 'invalid_grant' }, 'restart_flow'],
    ['refresh', 401, { error: 'invalid_client' }, 'config'],
  ],
})
