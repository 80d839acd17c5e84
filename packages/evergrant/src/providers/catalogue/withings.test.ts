import { recordFacts } from '../../testing/record-facts.ts'
import { withings } from './withings.ts'

const granted = { accessSeconds: 10_800, scopes: ['user.info'], account: '363' }

recordFacts(withings, {
  exchange: { expect: { accessToken: 'access-1', refreshToken: 'refresh-1', ...granted } },
  refresh: { expect: { accessToken: 'access-2', refreshToken: 'refresh-2', ...granted } },
  errors: [
    ['refresh', 200, { status: 503, body: {}, error: 'Invalid Params: invalid refresh_token' }, 'dead'],
    ['exchange', 200, { status: 503, body: {}, error: 'Invalid Params: invalid code' }, 'restart_flow'],
    ['refresh', 200, { status: 503, body: {}, error: 'Invalid Params: invalid client_id' }, 'config'],
    ['refresh', 200, { status: 601, body: {}, error: 'Too Many Requests' }, 'throttled'],
    // Any other status that is not 0 proves nothing.
    ['refresh', 200, { status: 2554, error: 'Unknown action' }, 'unknown'],
    ['refresh', 200, { status: 2555, error: 'An unknown error occurred' }, 'unknown'],
  ],
  api: [
    [200, {}, { status: 0, body: {} }, 'ok'],
    [200, {}, { status: 401, error: 'The access token provided is invalid' }, 'token_rejected'],
    [200, {}, { status: 601 }, 'throttled'],
  ],
})
