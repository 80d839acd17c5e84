import { defineProvider } from '../define.ts'
import { SLACK } from '../slack-facts.ts'

export const slack = defineProvider({
  ...SLACK,
  id: 'slack',
  name: 'Slack',
  docs: 'https://docs.slack.dev/authentication/installing-with-oauth',
  reuse: { class: 'P0', evidence: 'No refresh token is issued.' },
  rotation: 'never',
  lifetimes: { issuesRefreshToken: false },
  notes: [
    'For apps without token rotation: tokens never expire, and there is no refresh token.',
    'Errors come with HTTP 200 and ok=false.',
    'One grant may yield a bot token and a user token; the integration\'s setting "token" chooses which one it holds: bot (default) or user.',
  ],
  unverified: ['verdicts', 'revoke', 'authorize.pkce', 'lifetimes.issuesRefreshToken'],
  sources: ['https://docs.slack.dev/authentication/installing-with-oauth'],
})
