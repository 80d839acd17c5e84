import { defineProvider } from '../define.ts'

export const gitlab = defineProvider({
  id: 'gitlab',
  name: 'GitLab',
  docs: 'https://docs.gitlab.com/api/oauth2/',
  setup: [
    'Add an application in GitLab under your user, group or instance settings, marked as confidential.',
    'Enter {redirect_uri} as its redirect URI and tick the scopes it may ask for.',
    'Copy application id and secret into the integration; for a server of your own set the variable host.',
  ],
  scopes: { read_user: 'Read the profile of the user' },
  variables: {
    host: {
      label: 'Host of the GitLab server',
      pattern: '[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)+(:[0-9]{1,5})?',
      example: 'gitlab.com',
      default: 'gitlab.com',
    },
  },
  authorize: { url: 'https://{host}/oauth/authorize', defaultScopes: ['read_user'] },
  token: { url: 'https://{host}/oauth/token', refresh: { redirectUri: true } },
  reuse: { class: 'P3', evidence: 'A refresh ends the old access token and the old refresh token at once.' },
  rotation: 'always',
  lifetimes: { accessSeconds: 7_200, refreshEndsAccessToken: true },
  revoke: { url: 'https://{host}/oauth/revoke', fallback: { token: 'access' } },
  account: [{ from: 'request', url: 'https://{host}/api/v4/user', path: 'id', label: 'username' }],
  api: { base: 'https://{host}/api/v4' },
  check: { request: { url: 'https://{host}/api/v4/user' }, needsScope: ['read_user', 'read_api', 'api'] },
  samples: {
    exchange: {
      access_token: 'at-1',
      token_type: 'Bearer',
      expires_in: 7_200,
      refresh_token: 'rt-1',
      scope: 'read_user',
      created_at: 1_795_240_800,
      id_token: null,
    },
    refresh: {
      access_token: 'at-2',
      token_type: 'Bearer',
      expires_in: 7_200,
      refresh_token: 'rt-2',
      scope: 'read_user',
      created_at: 1_795_248_000,
      id_token: null,
    },
    check: { id: 42, username: 'jo' },
  },
  notes: [
    'A refresh repeats the redirect URI of the consent: changing the redirect URI of the integration breaks the grants made with the old one.',
    'A refresh ends the old access token, too: callers in flight get one 401.',
    'The answer to a dead refresh token and to a wrong redirect URI is the same.',
  ],
  unverified: ['setup', 'verdicts', 'docs', 'scopes', 'check.needsScope'],
  sources: ['https://github.com/gitlabhq/gitlabhq/blob/04b8ef1/doc/api/oauth2.md'],
})
