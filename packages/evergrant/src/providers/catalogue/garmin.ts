import { defineProvider } from '../define.ts'

const rest = 'https://apis.garmin.com/partner-gateway/rest/user'

export const garmin = defineProvider({
  id: 'garmin',
  name: 'Garmin Health (OAuth 2.0 with PKCE)',
  docs: 'https://developerportal.garmin.com',
  setup: [
    'Ask for access to the Garmin Connect Developer Program and create an app of the OAuth 2.0 kind at https://developerportal.garmin.com.',
    'Enter the redirect URI {redirect_uri} and copy the consumer key (client id) and secret into the integration.',
    'To hear of people who disconnect: enter the push address of the integration for deregistrations.',
  ],
  authorize: { url: 'https://connect.garmin.com/oauth2Confirm', pkce: 'required' },
  token: { url: 'https://diauth.garmin.com/di-oauth2-service/oauth/token' },
  answer: { paths: { scope: null } },
  afterConnect: [{ finds: 'the permissions that the user granted', request: { url: `${rest}/permissions` }, scopes: 'permissions', needed: false }],
  reuse: { evidence: 'Whether refresh tokens rotate, and what an old one does, is not documented.' },
  lifetimes: { refreshIdleSeconds: 7_776_000 },
  revoke: { url: `${rest}/registration`, method: 'DELETE', clientAuth: 'bearer', format: 'query', token: 'access', parameter: null, reach: 'grant' },
  account: [{ from: 'request', url: `${rest}/id`, path: 'userId', label: null }],
  api: { base: 'https://apis.garmin.com' },
  check: { request: { url: `${rest}/id` }, where: { userId: '*' } },
  push: { rules: [{ list: 'deregistrations', means: 'revoked', account: 'userId' }] },
  samples: {
    exchange: {
      access_token: 'access-1',
      refresh_token: 'refresh-1',
      expires_in: 86_400,
      refresh_token_expires_in: 7_776_000,
      token_type: 'bearer',
    },
    refresh: {
      access_token: 'access-2',
      refresh_token: 'refresh-2',
      expires_in: 86_400,
      refresh_token_expires_in: 7_776_000,
      token_type: 'bearer',
    },
    check: { userId: '9876543210' },
  },
  notes: [
    'What the user really permitted is asked for after the consent; the scope of the token does not say it.',
    'Data comes by push from Garmin; an app that disconnects a user must delete the registration, which Evergrant does.',
    'Apps of the OAuth 1.0a kind use other addresses and do not fit this record.',
  ],
  unverified: ['afterConnect', 'lifetimes.refreshIdleSeconds', 'authorize.pkce', 'docs', 'push', 'setup', 'samples', 'check'],
  sources: [
    'github:the-momentum/open-wearables backend/app/services/providers/garmin/oauth.py',
    'github:NangoHQ/nango@2f4c0af packages/providers/providers.yaml#garmin-oauth2',
  ],
})
