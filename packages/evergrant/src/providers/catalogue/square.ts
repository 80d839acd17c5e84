import { defineProvider } from '../define.ts'

export const square = defineProvider({
  id: 'square',
  name: 'Square',
  docs: 'https://developer.squareup.com/docs/oauth-api/overview',
  setup: [
    'Create an application in the Square Developer Console.',
    'On its OAuth page enter {redirect_uri} as the redirect URL, for production or for the sandbox.',
    'Copy application id and application secret into the integration; for the sandbox set the variable host.',
  ],
  scopes: { MERCHANT_PROFILE_READ: 'Read the profile of the merchant' },
  variables: {
    host: {
      label: 'Environment',
      pattern: 'connect\\.(squareup|squareupsandbox)\\.com',
      example: 'connect.squareupsandbox.com',
      default: 'connect.squareup.com',
      choices: {
        'connect.squareup.com': { label: 'Production', sets: {} },
        'connect.squareupsandbox.com': { label: 'Sandbox', sets: {} },
      },
    },
  },
  authorize: {
    url: 'https://{host}/oauth2/authorize',
    parameters: { session: 'false' },
    defaultScopes: ['MERCHANT_PROFILE_READ'],
    pkce: 'unsupported',
  },
  token: { url: 'https://{host}/oauth2/token', bodyFormat: 'json' },
  answer: {
    paths: { expiresIn: null, expiresAt: 'expires_at', refreshExpiresIn: null, refreshExpiresAt: 'refresh_token_expires_at', idToken: null },
    expiresAtFormat: 'iso8601',
  },
  verdicts: [
    {
      status: [400, 401, 403],
      where: { type: '*' },
      verdict: 'unknown',
      meaning: "Square's own shape of an error; no value of it is documented to end the grant.",
    },
  ],
  reuse: { evidence: 'In the code flow refresh tokens are used many times and never end: the same one is answered.' },
  rotation: 'optional',
  lifetimes: { accessSeconds: 2_592_000 },
  revoke: {
    url: 'https://{host}/oauth2/revoke',
    clientAuth: 'header',
    authorization: 'Client {client_secret}',
    format: 'json',
    token: 'access',
    parameter: 'access_token',
    parameters: { client_id: '{client_id}' },
    reach: 'grant',
  },
  account: [{ from: 'answer', path: 'merchant_id', label: null }],
  api: { base: 'https://{host}/v2' },
  check: { request: { method: 'POST', url: 'https://{host}/oauth2/token/status', format: 'query' } },
  samples: {
    exchange: {
      access_token: 'EAAA-at-1',
      token_type: 'bearer',
      expires_at: '2026-12-21T06:00:00Z',
      merchant_id: 'MLW1',
      refresh_token: 'EQAA-rt-1',
      short_lived: false,
    },
    refresh: {
      access_token: 'EAAA-at-2',
      token_type: 'bearer',
      expires_at: '2026-12-21T06:00:00Z',
      merchant_id: 'MLW1',
      refresh_token: 'EQAA-rt-1',
      short_lived: false,
    },
    check: { client_id: 'sq0idp-1', merchant_id: 'MLW1', scopes: ['MERCHANT_PROFILE_READ'], expires_at: '2026-12-21T06:00:00Z' },
  },
  notes: [
    'PKCE is left out on purpose: with it refresh tokens are used once and end after 90 days; with the client secret they stay.',
    'Revoking ends every token of the merchant at this application.',
    'The answer tells when a token ends as a date, not as a lifetime.',
  ],
  unverified: ['setup', 'docs', 'reuse', 'authorize.scopeSeparator', 'authorize.defaultScopes', 'verdicts', 'check'],
  sources: ['https://github.com/square/connect-api-specification/blob/master/api.json', 'https://github.com/amp-labs/connectors/blob/main/providers/square.go'],
})
