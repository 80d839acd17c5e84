import { defineProvider } from '../define.ts'

export const intuit = defineProvider({
  id: 'intuit',
  name: 'Intuit QuickBooks Online',
  docs: 'https://developer.intuit.com/app/developer/qbo/docs/develop/authentication-and-authorization/oauth-2.0',
  setup: [
    'Create an app in the Intuit developer portal and choose the scopes it needs.',
    'Under keys and credentials add {redirect_uri} to its redirect URIs.',
    'Copy client id and client secret (of development or production) into the integration; for sandbox companies set the variable api_host.',
  ],
  scopes: { 'com.intuit.quickbooks.accounting': 'Read and change the books of the company' },
  variables: {
    api_host: {
      label: 'Environment',
      pattern: '(sandbox-)?quickbooks\\.api\\.intuit\\.com',
      example: 'sandbox-quickbooks.api.intuit.com',
      default: 'quickbooks.api.intuit.com',
      choices: {
        'quickbooks.api.intuit.com': { label: 'Production', sets: {} },
        'sandbox-quickbooks.api.intuit.com': { label: 'Sandbox', sets: {} },
      },
    },
  },
  authorize: {
    url: 'https://appcenter.intuit.com/connect/oauth2',
    defaultScopes: ['com.intuit.quickbooks.accounting'],
    pkce: 'unsupported',
    callback: { facts: { realmId: 'realmId' } },
  },
  token: {
    url: 'https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer',
    clientAuth: 'basic',
    headers: { 'x-include-refresh-token-hard-expires-in': 'true' },
  },
  answer: { paths: { refreshExpiresIn: 'x_refresh_token_expires_in', grantExpiresIn: 'x_refresh_token_hard_expires_in' } },
  verdicts: [
    {
      step: 'refresh',
      status: [400],
      where: { error: 'invalid_grant', error_description: '/incorrect token type or clientid/i' },
      verdict: 'config',
      meaning: 'Client id and secret are those of another app, or of the other environment.',
    },
  ],
  reuse: { class: 'P3', evidence: 'The refresh token changes about every 24 hours, and an older one stops working.' },
  rotation: 'sometimes',
  lifetimes: { accessSeconds: 3_600, refreshIdleSeconds: 8_726_400, refreshAbsoluteSeconds: 157_680_000, absoluteFrom: 'consent' },
  revoke: { url: 'https://developer.api.intuit.com/v2/oauth2/tokens/revoke', format: 'json' },
  account: [{ from: 'callback', parameter: 'realmId' }],
  api: { base: 'https://{api_host}' },
  check: { request: { url: 'https://{api_host}/v3/company/{realmId}/companyinfo/{realmId}' }, needsScope: ['com.intuit.quickbooks.accounting'] },
  samples: {
    exchange: {
      token_type: 'bearer',
      access_token: 'eyJ-at-1',
      expires_in: 3_600,
      refresh_token: 'AB1-rt-1',
      x_refresh_token_expires_in: 8_640_000,
      x_refresh_token_hard_expires_in: 157_680_000,
    },
    refresh: {
      token_type: 'bearer',
      access_token: 'eyJ-at-2',
      expires_in: 3_600,
      refresh_token: 'AB1-rt-2',
      x_refresh_token_expires_in: 8_640_000,
      x_refresh_token_hard_expires_in: 157_000_000,
    },
  },
  notes: [
    'The refresh token changes about every 24 hours: a copy that is a day old, such as a restored backup, no longer works.',
    'The company (realmId) stands only in the callback.',
    'A refresh token ends about 100 days after its last use, and every grant 5 years after consent.',
  ],
  unverified: ['setup', 'docs', 'reuse', 'token.clientAuth', 'token.headers', 'authorize.pkce', 'verdicts', 'revoke.format', 'check'],
  sources: [
    'https://github.com/intuit/QuickBooks-V3-Java-SDK/releases/tag/v6.5.4',
    'https://github.com/airbytehq/airbyte/issues/7296',
    'https://github.com/intuit/oauth-jsclient',
  ],
})
