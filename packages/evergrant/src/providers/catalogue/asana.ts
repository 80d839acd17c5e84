import { defineProvider } from '../define.ts'

export const asana = defineProvider({
  id: 'asana',
  name: 'Asana',
  docs: 'https://developers.asana.com/docs/oauth',
  setup: [
    'Create an app in the Asana developer console.',
    'Add {redirect_uri} to its redirect URLs and choose its scopes.',
    'Copy client id and client secret into the integration.',
  ],
  scopes: { default: 'Everything that the user can do in the API' },
  authorize: { url: 'https://app.asana.com/-/oauth_authorize', defaultScopes: ['default'] },
  token: { url: 'https://app.asana.com/-/oauth_token' },
  reuse: { evidence: 'The refresh token comes with the code exchange only and stays.' },
  rotation: 'never',
  lifetimes: { accessSeconds: 3_600 },
  revoke: { url: 'https://app.asana.com/-/oauth_revoke', clientAuth: 'body' },
  account: [{ from: 'answer', path: 'data.id', label: 'data.email' }],
  api: { base: 'https://app.asana.com/api/1.0' },
  check: { request: { url: 'https://app.asana.com/api/1.0/users/me' }, where: { 'data.gid': '*' } },
  samples: {
    exchange: {
      access_token: 'at-1',
      token_type: 'bearer',
      expires_in: 3_600,
      refresh_token: 'rt-1',
      data: { id: 4_673_218_951, name: 'Jo', email: 'jo@example.com' },
    },
    refresh: {
      access_token: 'at-2',
      token_type: 'bearer',
      expires_in: 3_600,
      data: null,
    },
    check: { data: { gid: '4673218951', name: 'Jo' } },
  },
  notes: [
    'Revoking takes the refresh token alone: an access token is refused with 400, and an unknown token answers 200.',
    'Older documentation gives a refresh token with the code exchange only; some code treats it as rotating. Whatever an answer carries is kept.',
  ],
  unverified: ['setup', 'docs', 'reuse', 'check', 'samples'],
  sources: ['https://github.com/Asana/developer-docs/blob/main/source/includes/markdown/_auth.html.md', 'https://github.com/Fergana-Labs/stash/pull/711'],
})
