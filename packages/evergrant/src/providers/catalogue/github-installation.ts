import { defineProvider } from '../define.ts'

export const githubInstallation = defineProvider({
  id: 'github-installation',
  name: 'GitHub (GitHub App, installation tokens)',
  docs: 'https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-an-installation-access-token-for-a-github-app',
  grant: 'installation',
  setup: [
    'Create a GitHub App with the permissions that you need and install it in the organization or account.',
    'Generate a private key for the app. Store the PEM as the client secret of the integration, and the app id (or its client id) as the client id.',
    "The installation id stands at the end of the URL of the installation's settings page; webhooks carry it as installation.id.",
  ],
  variables: {
    api: { label: 'API address', pattern: 'https://[A-Za-z0-9.-]+(/api/v3)?', example: 'https://github.example.com/api/v3', default: 'https://api.github.com' },
    installation_id: { label: 'Installation id', pattern: '[0-9]{1,20}', example: '12345678', askedOf: 'connection' },
  },
  token: {
    url: '{api}/app/installations/{installation_id}/access_tokens',
    headers: { accept: 'application/vnd.github+json', 'x-github-api-version': '2022-11-28', 'user-agent': 'evergrant' },
    // GitHub accepts at most ten minutes.
    signing: { algorithm: 'RS256', header: {}, claims: { iss: '{client_id}' }, lifetimeSeconds: 600 },
  },
  answer: {
    paths: { accessToken: 'token', refreshToken: null, expiresIn: null, expiresAt: 'expires_at', scope: 'permissions', tokenType: null, idToken: null },
    expiresAtFormat: 'iso8601',
  },
  verdicts: [
    { status: [404], where: { message: 'Integration not found' }, verdict: 'config', meaning: 'The app id does not fit the key.' },
    {
      status: [404],
      where: { message: '/^Not Found$/i' },
      verdict: 'dead',
      meaning: 'The app is not installed there any more. GitHub hides what a client may not see in the same words, so the app is asked for first.',
      confirm: '{api}/app',
    },
    { status: [403], where: { message: '/suspended/i' }, verdict: 'dead', meaning: 'The installation is suspended.' },
    { status: [403, 429], where: { message: '/rate limit/i' }, verdict: 'throttled', meaning: "GitHub's rate limit." },
    {
      status: [401],
      where: { message: '*' },
      verdict: 'config',
      meaning: 'GitHub does not take the signed request: the key, the app id or our clock is wrong.',
    },
  ],
  reuse: { evidence: 'A signed request asks for a new token each time; earlier ones live on until their end.' },
  lifetimes: { accessSeconds: 3_600 },
  revoke: { url: '{api}/installation/token', method: 'DELETE', clientAuth: 'bearer', format: 'query', token: 'access', parameter: null },
  account: [{ from: 'variable', name: 'installation_id' }],
  api: {
    base: '{api}',
    hosts: ['uploads.github.com'],
    headers: { accept: 'application/vnd.github+json', 'x-github-api-version': '2022-11-28', 'user-agent': 'evergrant' },
    answers: [{ status: [403, 429], where: { message: '/rate limit/i' }, means: 'throttled' }],
  },
  check: { request: { url: '{api}/installation/repositories', parameters: { per_page: '1' } } },
  samples: {
    refresh: {
      token: 'ghs_example',
      expires_at: '2026-11-21T07:00:00Z',
      permissions: { contents: 'read', metadata: 'read' },
      repository_selection: 'selected',
    },
  },
  notes: [
    'One connection is one installation: its id is the account.',
    'A token lives an hour and has the permissions of the installation; what GitHub granted stands in the scopes as permission:level.',
    'A suspended installation needs its owner at GitHub; afterwards the stored credentials are tried again with PUT connections/{id}/credentials.',
  ],
  unverified: ['revoke'],
  sources: [
    'https://docs.github.com/en/rest/apps/apps#create-an-installation-access-token-for-an-app',
    'https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app',
  ],
})
