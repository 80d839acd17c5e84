import { defineProvider } from '../define.ts'

const userinfo = 'https://{account_host}/oauth/userinfo'

export const docusign = defineProvider({
  id: 'docusign',
  name: 'DocuSign',
  docs: 'https://developers.docusign.com/platform/auth/authcode/',
  setup: [
    'Create an app under Apps and Keys of a DocuSign developer account, with Authorization Code Grant and the redirect URI {redirect_uri}.',
    'Copy the integration key (client id) and a new secret key into the integration.',
    'The demo platform has account.docusign.com replaced by account-d.docusign.com; an app goes live after a review.',
  ],
  scopes: { signature: 'Sending and reading envelopes.', extended: 'Each refresh renews the 30 days of the refresh token.' },
  variables: {
    account_host: {
      label: 'Platform',
      pattern: 'account(-d)?\\.docusign\\.com',
      example: 'account.docusign.com',
      default: 'account.docusign.com',
      choices: {
        'account.docusign.com': { label: 'Production', sets: {} },
        'account-d.docusign.com': { label: 'Demo', sets: {} },
      },
    },
    base_uri: {
      label: 'API host of the account',
      pattern: 'https://[a-z0-9-]+(\\.[a-z0-9-]+)*\\.docusign\\.(net|com)',
      example: 'https://na3.docusign.net',
      askedOf: 'provider',
    },
  },
  authorize: { url: 'https://{account_host}/oauth/auth', defaultScopes: ['signature', 'extended'] },
  token: { url: 'https://{account_host}/oauth/token', clientAuth: 'basic' },
  reuse: { evidence: 'Whether an old refresh token works again is not documented.' },
  rotation: 'always',
  lifetimes: { accessSeconds: 28_800, refreshIdleSeconds: 2_592_000 },
  account: [{ from: 'request', url: userinfo, path: 'sub', label: 'email' }],
  api: { base: '{base_uri}/restapi', hosts: ['{account_host}'] },
  afterConnect: [
    {
      finds: 'the account and its API host',
      request: { url: userinfo },
      from: { list: 'accounts', where: { is_default: true } },
      facts: { base_uri: 'base_uri', account_id: 'account_id' },
      needed: true,
    },
  ],
  check: { request: { url: userinfo }, where: { sub: '*' } },
  samples: {
    exchange: { access_token: 'access-1', token_type: 'Bearer', refresh_token: 'refresh-1', expires_in: 28_800, scope: 'signature extended' },
    refresh: { access_token: 'access-2', token_type: 'Bearer', refresh_token: 'refresh-2', expires_in: 28_800, scope: 'signature extended' },
    check: {
      sub: '564f7988-0000-0000-0000-781ee556ab7a',
      email: 'jo@example.com',
      accounts: [{ account_id: '18b4799a', is_default: true, base_uri: 'https://na3.docusign.net' }],
    },
  },
  notes: [
    'A refresh token ends after 30 days, which no answer tells; without the scope extended no refresh renews them.',
    'The API host differs from account to account: Evergrant asks for it after the consent and takes the default account.',
    'There is no revoke endpoint in this record.',
  ],
  unverified: ['rotation', 'verdicts', 'docs', 'variables.base_uri.pattern', 'setup', 'samples'],
  sources: [
    'https://www.docusign.com/blog/developers/authorization-code-grant-refresh-tokens',
    'github:NangoHQ/nango@2f4c0af packages/providers/providers.yaml#docusign',
    'github:NangoHQ/nango docusign post-connection.ts',
    'github:SocialiteProviders DocuSign',
  ],
})
