import { defineProvider } from '../define.ts'

const site = 'https://{account_identifier}.snowflakecomputing.com'

export const snowflake = defineProvider({
  id: 'snowflake',
  name: 'Snowflake OAuth',
  docs: 'https://docs.snowflake.com/en/user-guide/oauth-custom',
  setup: [
    "As ACCOUNTADMIN run CREATE SECURITY INTEGRATION with TYPE = OAUTH, OAUTH_CLIENT = CUSTOM, OAUTH_CLIENT_TYPE = 'CONFIDENTIAL', OAUTH_REDIRECT_URI = '{redirect_uri}' and OAUTH_ISSUE_REFRESH_TOKENS = TRUE.",
    'Read client id and secret with SYSTEM$SHOW_OAUTH_CLIENT_SECRETS and copy them into the integration.',
    "With OAUTH_SINGLE_USE_REFRESH_TOKENS_REQUIRED refresh tokens rotate: set the integration's reuse to P3 then, and to P0 without it.",
  ],
  scopes: { refresh_token: 'A refresh token.' },
  variables: {
    account_identifier: {
      label: 'Account identifier',
      pattern: '[A-Za-z0-9][A-Za-z0-9-]*(\\.[A-Za-z0-9-]+)*',
      example: 'myorg-account123',
    },
  },
  authorize: { url: `${site}/oauth/authorize`, defaultScopes: ['refresh_token'], requiredScopes: ['refresh_token'] },
  token: { url: `${site}/oauth/token-request`, clientAuth: 'basic' },
  reuse: { evidence: 'Rotation is a setting of the security integration; what an old token does then is not documented.' },
  rotation: 'optional',
  lifetimes: { accessSeconds: 600, refreshAbsoluteSeconds: 7_776_000, absoluteFrom: 'issue' },
  account: [{ from: 'answer', path: 'username', label: 'username' }],
  api: { base: site },
  samples: {
    exchange: {
      access_token: 'access-1',
      refresh_token: 'refresh-1',
      token_type: 'Bearer',
      username: 'JO',
      scope: 'refresh_token session:role:ANALYST',
      expires_in: 600,
      refresh_token_expires_in: null,
    },
    refresh: { access_token: 'access-2', refresh_token: null, refresh_token_expires_in: null, token_type: 'Bearer', expires_in: 600 },
  },
  notes: [
    'An access token lives 10 minutes unless an administrator says otherwise (1 to 60 minutes): Evergrant renews by shares of the lifetime, never by a fixed margin.',
    'A refresh token ends after 90 days unless an administrator says otherwise (from one day on).',
    'The role is chosen by the scope session:role:<NAME>.',
    'A name with an underscore is written with a dash in the account identifier.',
    'There is no revoke endpoint in this record.',
  ],
  unverified: ['account', 'authorize.defaultScopes', 'docs', 'lifetimes.absoluteFrom', 'setup', 'samples'],
  sources: ['https://docs.snowflake.com/en/user-guide/oauth-custom', 'github:NangoHQ/nango@2f4c0af packages/providers/providers.yaml#snowflake'],
})
