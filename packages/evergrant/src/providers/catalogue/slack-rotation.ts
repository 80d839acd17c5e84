import { defineProvider } from '../define.ts'
import { SLACK } from '../slack-facts.ts'

export const slackRotation = defineProvider({
  ...SLACK,
  id: 'slack-rotation',
  name: 'Slack (token rotation)',
  docs: 'https://docs.slack.dev/authentication/using-token-rotation',
  setup: [
    'Create an app in the Slack API pages and choose its bot token scopes or user token scopes.',
    'Under OAuth & Permissions add {redirect_uri} to its redirect URLs, and switch token rotation on.',
    'To hear of workspaces that remove the app, enter the push address of the integration under Event Subscriptions, subscribe to app_uninstalled, and make the signing secret the push secret.',
    'Copy client id and client secret into the integration.',
  ],
  reuse: { class: 'P3', evidence: 'The old refresh token is revoked on use.' },
  rotation: 'always',
  lifetimes: { accessSeconds: 43_200 },
  samples: {
    exchange: {
      ok: true,
      access_token: 'xoxe.xoxb-at-1',
      expires_in: 43_200,
      refresh_token: 'xoxe-1-rt-1',
      token_type: 'bot',
      scope: 'chat:write',
      bot_user_id: 'U0KRQLJ9H',
      app_id: 'A0KRD7HC3',
      team: { id: 'T9TK3CUKW', name: 'Acme' },
      enterprise: null,
      authed_user: { id: 'U1234', scope: 'users:read', access_token: 'xoxe.xoxp-at-1', expires_in: 43_200, refresh_token: 'xoxe-1-rt-2', token_type: 'user' },
    },
    refresh: {
      ok: true,
      access_token: 'xoxe.xoxb-at-2',
      expires_in: 43_200,
      refresh_token: 'xoxe-1-rt-3',
      token_type: 'bot',
      scope: 'chat:write',
      bot_user_id: 'U0KRQLJ9H',
      app_id: 'A0KRD7HC3',
      team: { id: 'T9TK3CUKW', name: 'Acme' },
      enterprise: null,
    },
  },
  notes: [
    'For apps with token rotation switched on: access tokens live 12 hours and every refresh token is single-use.',
    'Errors come with HTTP 200 and ok=false.',
    'Bot and user token have refresh chains of their own; the integration\'s setting "token" chooses which one it holds: bot (default) or user.',
    'The user token is nested in the first answer and flat in refresh answers.',
    'Existing long-lived tokens are converted by oauth.v2.exchange at Slack.',
  ],
  unverified: ['setup', 'check', 'push', 'verdicts', 'revoke', 'authorize.pkce'],
  sources: ['https://docs.slack.dev/authentication/using-token-rotation'],
})
