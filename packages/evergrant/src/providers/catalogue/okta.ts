import { defineProvider } from '../define.ts'

const server = 'https://{domain}/{+server}/v1'

export const okta = defineProvider({
  id: 'okta',
  name: 'Okta',
  docs: 'https://developer.okta.com/docs/guides/refresh-tokens/main/',
  variables: {
    domain: { label: 'Okta domain', pattern: '[a-z0-9][a-z0-9-]*(\\.[a-z0-9-]+)+', example: 'example.okta.com' },
    server: {
      label: 'Path of the authorization server',
      pattern: 'oauth2(/[A-Za-z0-9]{1,64})?',
      example: 'oauth2/default (the org server is oauth2)',
      default: 'oauth2/default',
    },
  },
  authorize: { url: `${server}/authorize`, defaultScopes: ['openid', 'offline_access'], requiredScopes: ['openid', 'offline_access'] },
  token: { url: `${server}/token`, clientAuth: 'basic' },
  verdicts: [
    {
      step: 'refresh',
      status: [400],
      where: { error: 'invalid_grant' },
      verdict: 'dead',
      meaning: 'The refresh token is dead, idle for too long, or was reused.',
    },
  ],
  reuse: { class: 'P4', evidence: 'With rotation on, reuse outside the leeway ends the newest refresh token and all access tokens since login.' },
  rotation: 'optional',
  lifetimes: { accessSeconds: 3_600, refreshIdleSeconds: 604_800 },
  revoke: { url: `${server}/revoke`, fallback: { token: 'access' } },
  account: [
    { from: 'id_token', claim: 'sub', label: 'email' },
    { from: 'request', url: `${server}/userinfo`, path: 'sub', label: 'email' },
  ],
  api: { base: 'https://{domain}/api/v1' },
  notes: [
    "Rotation is a setting of the app. With its leeway of 30 seconds (the default) set the integration's reuse to P1:30; without rotation set P0.",
    'Refresh tokens end after 7 days without use unless the access policy says otherwise.',
  ],
  unverified: ['lifetimes.accessSeconds', 'token.clientAuth'],
  sources: ['https://developer.okta.com/docs/guides/refresh-tokens/main/'],
})
