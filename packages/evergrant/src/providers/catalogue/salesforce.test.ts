import { recordFacts } from '../../testing/record-facts.ts'
import { salesforce } from './salesforce.ts'

const who = { account: '00D000000000001EAA/005000000000001AAA', scopes: ['api', 'refresh_token'] }
const facts = { instance_url: 'https://acme.my.salesforce.com' }

recordFacts(salesforce, {
  variables: { login_host: 'acme.my.salesforce.com' },
  facts,
  exchange: { expect: { accessToken: 'at-1', refreshToken: 'rt-1', ...who, facts } },
  refresh: [
    { expect: { accessToken: 'at-2', ...who, facts } },
    {
      answer: { ...salesforce.samples.refresh, refresh_token: 'rt-2', instance_url: 'https://acme-2.my.salesforce.com' },
      expect: { accessToken: 'at-2', refreshToken: 'rt-2', ...who, facts: { instance_url: 'https://acme-2.my.salesforce.com' } },
    },
  ],
  errors: [
    ['refresh', 400, { error: 'invalid_grant', error_description: 'expired access/refresh token' }, 'dead'],
    ['refresh', 400, { error: 'inactive_user' }, 'dead'],
    ['refresh', 400, { error: 'rate_limit_exceeded' }, 'throttled'],
    ['refresh', 400, { error: 'invalid_grant', error_description: 'token request is already being processed' }, 'unknown'],
    ['refresh', 400, { error: 'invalid_grant', error_description: 'ip restricted' }, 'unknown'],
    ['refresh', 503, { error: 'invalid_grant', error_description: 'expired access/refresh token' }, 'unknown'],
    ['exchange', 400, { error: 'invalid_grant', error_description: 'expired authorization code' }, 'restart_flow'],
    ['refresh', 400, { error: 'invalid_client', error_description: 'invalid client credentials' }, 'config'],
  ],
  api: [
    [401, {}, [{ message: 'Session expired or invalid', errorCode: 'INVALID_SESSION_ID' }], 'token_rejected'],
    [401, {}, [{ message: 'This session is not valid for use with the REST API', errorCode: 'INVALID_SESSION_ID' }], 'not_about_the_token'],
    [401, {}, [{ message: 'Connected app is not attached to Agent', errorCode: 'UNKNOWN' }], 'not_about_the_token'],
    [403, {}, [{ message: 'TotalRequests Limit exceeded.', errorCode: 'REQUEST_LIMIT_EXCEEDED' }], 'throttled'],
  ],
})
