import { defineProvider } from '../define.ts'
import { SLACK } from '../slack-facts.ts'

export const slackRotation = defineProvider({
  ...SLACK,
  id: 'slack-rotation',
  name: 'Slack (token rotation)',
  docs: 'https://docs.slack.dev/authentication/using-token-rotation',
  reuse: { class: 'P3', evidence: 'The old refresh token is revoked on use.' },
  rotation: 'always',
  lifetimes: { accessSeconds: 43_200 },
  notes: [
    'For apps with token rotation switched on: access tokens live 12 hours and every refresh token is single-use.',
    'Errors come with HTTP 200 and ok=false.',
    'Bot and user token have refresh chains of their own; the integration\'s setting "token" chooses which one it holds: bot (default) or user.',
    'The user token is nested in the first answer and flat in refresh answers.',
    'Existing long-lived tokens are converted by oauth.v2.exchange at Slack.',
  ],
  unverified: ['verdicts', 'revoke', 'authorize.pkce'],
  sources: ['https://docs.slack.dev/authentication/using-token-rotation'],
})
