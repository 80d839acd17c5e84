import { defineProvider } from '../define.ts'

export const discord = defineProvider({
  id: 'discord',
  name: 'Discord',
  docs: 'https://docs.discord.com/developers/topics/oauth2',
  setup: [
    'Create an application at https://discord.com/developers/applications.',
    'On its OAuth2 page add the redirect URI {redirect_uri} and copy client id and client secret into the integration.',
    'To hear of people who take their grant back: on the Webhooks page enter the push address of the integration, subscribe to Application Deauthorized, and save the public key of the application as its push secret.',
  ],
  scopes: { identify: 'Who the user is, without mail address.' },
  authorize: { url: 'https://discord.com/oauth2/authorize', defaultScopes: ['identify'], chooseAccount: { prompt: 'consent' } },
  token: { url: 'https://discord.com/api/oauth2/token', clientAuth: 'basic' },
  rotation: 'always',
  reuse: { evidence: 'What an old refresh token does is not documented.' },
  lifetimes: { accessSeconds: 604_800 },
  revoke: { url: 'https://discord.com/api/oauth2/token/revoke', reach: 'grant', fallback: { token: 'access' } },
  account: [{ from: 'request', url: 'https://discord.com/api/users/@me', path: 'id', label: 'username', needsScope: ['identify'] }],
  api: { base: 'https://discord.com/api/v10' },
  check: { request: { url: 'https://discord.com/api/oauth2/@me' } },
  push: {
    proof: {
      kind: 'ed25519',
      header: 'X-Signature-Ed25519',
      timestampHeader: 'X-Signature-Timestamp',
      text: '{timestamp}{body}',
      encoding: 'hex',
      secret: 'push_secret',
    },
    rules: [{ where: { type: 1, 'event.type': 'APPLICATION_DEAUTHORIZED' }, means: 'revoked', account: 'event.data.user.id', at: 'event.timestamp' }],
    acknowledge: 204,
  },
  samples: {
    exchange: { access_token: 'access-1', token_type: 'Bearer', expires_in: 604_800, refresh_token: 'refresh-1', scope: 'identify' },
    refresh: { access_token: 'access-2', token_type: 'Bearer', expires_in: 604_800, refresh_token: 'refresh-2', scope: 'identify' },
  },
  notes: [
    'Revoking any token revokes all tokens of that user for the application.',
    'One error body stands for every cause of a dead grant: revoked, banned or expired.',
    'The token endpoint refuses JSON bodies.',
    'Quotas are kept for each route, in buckets of their own; Retry-After tells how long to wait.',
  ],
  unverified: ['rotation', 'authorize.pkce', 'check', 'limits', 'push', 'samples'],
  sources: [
    'https://docs.discord.com/developers/topics/oauth2',
    'https://docs.discord.com/developers/events/webhook-events',
    'github:discord/discord-api-docs developers/discord-social-sdk/development-guides/account-linking-with-discord.mdx',
  ],
})
