import { defineProvider } from '../define.ts'
import { SLACK } from '../slack-facts.ts'

export const slack = defineProvider({
  ...SLACK,
  id: 'slack',
  name: 'Slack',
  docs: 'https://docs.slack.dev/authentication/installing-with-oauth',
  setup: [
    'Create an app in the Slack API pages and choose its bot token scopes or user token scopes.',
    'Under OAuth & Permissions add {redirect_uri} to its redirect URLs.',
    'To hear of workspaces that remove the app, enter the push address of the integration under Event Subscriptions, subscribe to app_uninstalled, and make the signing secret the push secret.',
    'Copy client id and client secret into the integration.',
  ],
  reuse: { class: 'P0', evidence: 'No refresh token is issued.' },
  rotation: 'never',
  lifetimes: { issuesRefreshToken: false },
  samples: {
    exchange: {
      ok: true,
      access_token: 'xoxb-at-1',
      token_type: 'bot',
      scope: 'chat:write',
      bot_user_id: 'U0KRQLJ9H',
      app_id: 'A0KRD7HC3',
      team: { id: 'T9TK3CUKW', name: 'Acme' },
      enterprise: null,
      authed_user: { id: 'U1234', scope: null, access_token: null, token_type: null },
    },
    check: { ok: true, team: 'Acme', team_id: 'T9TK3CUKW', user_id: 'U1234' },
  },
  notes: [
    'For apps without token rotation: tokens never expire, and there is no refresh token.',
    'Errors come with HTTP 200 and ok=false.',
    'One grant may yield a bot token and a user token; the integration\'s setting "token" chooses which one it holds: bot (default) or user.',
  ],
  unverified: ['setup', 'docs', 'check', 'push', 'verdicts', 'revoke', 'authorize.pkce', 'lifetimes.issuesRefreshToken'],
  sources: ['https://docs.slack.dev/authentication/installing-with-oauth'],
})
