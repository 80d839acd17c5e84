import { recordFacts } from '../../testing/record-facts.ts'
import { netsuite } from './netsuite.ts'

recordFacts(netsuite, {
  exchange: {
    callback: { company: '1234567', entity: '7' },
    expect: { accessToken: 'access-1', refreshToken: 'refresh-1', accessSeconds: 3_600, scopes: ['rest_webservices'], account: '1234567:7' },
  },
  refresh: { expect: { accessToken: 'access-2', accessSeconds: 3_600 } },
  errors: [
    ['refresh', 400, { error: 'invalid_grant' }, 'dead'],
    ['exchange', 400, { error: 'invalid_grant' }, 'restart_flow'],
    ['refresh', 401, { error: 'invalid_client' }, 'config'],
  ],
})
