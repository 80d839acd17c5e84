import { recordFacts } from '../../testing/record-facts.ts'
import { snowflake } from './snowflake.ts'

recordFacts(snowflake, {
  exchange: {
    expect: {
      accessToken: 'access-1',
      refreshToken: 'refresh-1',
      accessSeconds: 600,
      scopes: ['refresh_token', 'session:role:ANALYST'],
      account: 'JO',
      label: 'JO',
    },
  },
  refresh: { expect: { accessToken: 'access-2', accessSeconds: 600 } },
  errors: [
    ['refresh', 400, { error: 'invalid_grant' }, 'dead'],
    ['exchange', 400, { error: 'invalid_grant' }, 'restart_flow'],
    ['refresh', 401, { error: 'invalid_client' }, 'config'],
  ],
})
