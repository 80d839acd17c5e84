import { defineProvider } from '../define.ts'

export const apple = defineProvider({
  id: 'apple',
  name: 'Sign in with Apple',
  docs: 'https://developer.apple.com/documentation/signinwithapplerestapi',
  setup: [
    'In Certificates, Identifiers and Profiles at https://developer.apple.com/account create an App ID with Sign in with Apple, and a Services ID: its identifier is the client id.',
    'Configure Sign in with Apple at the Services ID with your domain and the return URL {redirect_uri}; Apple takes neither localhost nor plain http.',
    'Create a key for Sign in with Apple, download its .p8 file once, and save its content (PEM) as the client secret of the integration.',
    'Fill the variables with the team id and the id of that key.',
  ],
  scopes: { name: 'The name, sent only with the first consent.', email: 'The mail address, or a relay address of Apple.' },
  variables: {
    team_id: { label: 'Team id', pattern: '[A-Z0-9]{10}', example: 'ABCDE12345' },
    key_id: { label: 'Id of the key', pattern: '[A-Z0-9]{10}', example: 'KEY1234567' },
  },
  authorize: { url: 'https://appleid.apple.com/auth/authorize', defaultScopes: ['name', 'email'], responseMode: 'form_post' },
  token: {
    url: 'https://appleid.apple.com/auth/token',
    clientAuth: 'signed_secret',
    signing: {
      algorithm: 'ES256',
      header: { kid: '{key_id}' },
      claims: { iss: '{team_id}', sub: '{client_id}', aud: 'https://appleid.apple.com' },
      lifetimeSeconds: 300,
    },
  },
  reuse: { evidence: 'Refresh answers carry no new refresh token; the old one stays valid.' },
  rotation: 'never',
  lifetimes: { accessSeconds: 3_600 },
  revoke: {
    url: 'https://appleid.apple.com/auth/revoke',
    parameters: { token_type_hint: 'refresh_token' },
    reach: 'grant',
    fallback: { token: 'access', parameters: { token_type_hint: 'access_token' } },
  },
  account: [{ from: 'id_token', claim: 'sub', label: 'email' }],
  samples: {
    exchange: {
      access_token: 'access-1',
      token_type: 'Bearer',
      expires_in: 3_600,
      refresh_token: 'refresh-1',
      id_token: 'e30.eyJzdWIiOiIwMDEyMzQuYWJjIiwiZW1haWwiOiJqb0BleGFtcGxlLmNvbSJ9.c2ln',
    },
    refresh: { access_token: 'access-2', token_type: 'Bearer', expires_in: 3_600, refresh_token: null },
  },
  notes: [
    'The client secret is a JWT that Evergrant signs for each request, five minutes long: no secret has to be renewed by hand.',
    'The callback comes as a POST from the page of Apple.',
    'The name of the user comes with the first consent only, outside the id_token.',
    'There is no userinfo endpoint and nothing to call with the access token: a refresh is the only test of a connection.',
  ],
  unverified: ['lifetimes.accessSeconds', 'rotation', 'reuse', 'verdicts', 'docs', 'authorize.pkce', 'revoke.reach', 'setup', 'samples'],
  sources: ['github:nextauthjs/next-auth@a1a16a5 packages/core/src/providers/apple.ts', 'github:better-auth apple.ts'],
})
