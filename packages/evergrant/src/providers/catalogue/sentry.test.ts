import { recordFacts } from '../../testing/record-facts.ts'
import { sentry } from './sentry.ts'

const account = 'a8e5d37a-696c-4c54-adb5-b3f28d64c7de'

recordFacts(sentry, {
  facts: { installation_uuid: account },
  exchange: { status: 201, expect: { accessToken: 'access-1', refreshToken: 'refresh-1', accessSeconds: 28_800, scopes: ['event:read'], account } },
  refresh: { status: 201, expect: { accessToken: 'access-2', refreshToken: 'refresh-2', accessSeconds: 28_800, scopes: ['event:read'], account } },
  errors: [
    ['refresh', 400, { error: 'invalid_grant' }, 'dead'],
    ['exchange', 400, { error: 'invalid_grant' }, 'restart_flow'],
    ['refresh', 401, { detail: 'Authentication credentials were not provided.' }, 'config'],
  ],
})
