import { jwt, recordFacts } from '../../testing/record-facts.ts'
import { twitch } from './twitch.ts'

const idToken = jwt({ iss: 'https://id.twitch.tv/oauth2', sub: '141981764', preferred_username: 'jo' })

recordFacts(twitch, {
  exchange: [
    { expect: { accessToken: 'access-1', refreshToken: 'refresh-1', accessSeconds: 14_400, scopes: ['openid'] } },
    {
      answer: { access_token: 'access-1', refresh_token: 'refresh-1', expires_in: 14_400, scope: ['openid'], id_token: idToken },
      expect: { accessToken: 'access-1', refreshToken: 'refresh-1', accessSeconds: 14_400, scopes: ['openid'], account: '141981764', label: 'jo' },
    },
  ],
  refresh: { expect: { accessToken: 'access-2', refreshToken: 'refresh-2', scopes: ['openid'] } },
  account: { answer: { client_id: 'client-1', login: 'jo', user_id: '141981764' }, account: '141981764', label: 'jo' },
  errors: [
    ['refresh', 400, { error: 'Bad Request', status: 400, message: 'Invalid refresh token' }, 'dead'],
    ['refresh', 401, { error: 'Unauthorized', status: 401, message: 'Invalid refresh token' }, 'dead'],
    ['refresh', 403, { status: 403, message: 'invalid client secret' }, 'config'],
    ['exchange', 400, { status: 400, message: 'Invalid authorization code' }, 'restart_flow'],
  ],
})
