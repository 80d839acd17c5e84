import { defineProvider } from '../define.ts'

const installation = 'https://{host}/api/0/sentry-app-installations/{installation_uuid}'

export const sentry = defineProvider({
  id: 'sentry',
  name: 'Sentry integration platform',
  docs: 'https://docs.sentry.io/organization/integrations/integration-platform/',
  setup: [
    'Create a public integration under Settings, Developer Settings in Sentry.',
    'As its webhook URL enter the push address of the integration: the authorization code comes there. As its redirect URL enter {redirect_uri}.',
    'Tick the permissions, copy the client id and the client secret into the integration, and fill in the slug of the Sentry integration.',
  ],
  variables: {
    host: { label: 'Sentry host', pattern: '([a-z0-9-]+\\.)*sentry\\.io', example: 'sentry.io', default: 'sentry.io' },
    app_slug: { label: 'Slug of the integration at Sentry', pattern: '[a-z0-9][a-z0-9-]{0,63}', example: 'example-app' },
    installation_uuid: {
      label: 'Installation',
      pattern: '[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}',
      example: 'a8e5d37a-696c-4c54-adb5-b3f28d64c7de',
      askedOf: 'provider',
    },
  },
  authorize: {
    url: 'https://{host}/sentry-apps/{app_slug}/external-install/',
    scopeParameter: null,
    pkce: 'unsupported',
    callback: { by: 'push', facts: { installation_uuid: 'installationId' } },
  },
  token: { url: `${installation}/authorizations/`, bodyFormat: 'json', omit: ['redirect_uri'] },
  answer: {
    paths: {
      accessToken: 'token',
      refreshToken: 'refreshToken',
      expiresIn: null,
      expiresAt: 'expiresAt',
      refreshExpiresIn: null,
      scope: 'scopes',
      tokenType: null,
      idToken: null,
    },
    expiresAtFormat: 'iso8601',
  },
  reuse: { evidence: 'What an old refresh token does is not documented.' },
  rotation: 'always',
  account: [{ from: 'variable', name: 'installation_uuid' }],
  api: { base: 'https://{host}/api' },
  check: { request: { url: `${installation}/` } },
  push: {
    proof: { kind: 'hmac_sha256', header: 'Sentry-Hook-Signature', encoding: 'hex', text: '{body}', secret: 'client_secret' },
    rules: [
      {
        where: { action: 'created', 'data.installation.code': '*' },
        headers: { 'sentry-hook-resource': 'installation' },
        means: 'code',
        code: 'data.installation.code',
        account: 'data.installation.uuid',
        facts: { installation_uuid: 'data.installation.uuid', organization: 'data.installation.organization.slug' },
      },
      {
        where: { action: 'deleted' },
        headers: { 'sentry-hook-resource': 'installation' },
        means: 'revoked',
        account: 'data.installation.uuid',
      },
    ],
  },
  samples: {
    exchange: {
      token: 'access-1',
      refreshToken: 'refresh-1',
      expiresAt: '2026-11-21T14:00:00Z',
      scopes: ['event:read'],
    },
    refresh: {
      token: 'access-2',
      refreshToken: 'refresh-2',
      expiresAt: '2026-11-21T14:00:00Z',
      scopes: ['event:read'],
    },
  },
  notes: [
    'The code comes in a push of Sentry (data.installation.code), and the address of the token endpoint holds the id of the installation.',
    'Success has HTTP 201, and the fields are written in camel case.',
    'There is no revoke endpoint in this record.',
  ],
  unverified: ['rotation', 'docs', 'authorize.url', 'variables.host', 'check', 'push', 'setup', 'samples'],
  sources: [
    'https://docs.sentry.io/integrations/integration-platform/webhooks/installation/',
    'github:NangoHQ/nango provider.client.ts refreshSentryOauthToken',
    'github:NangoHQ/nango@2f4c0af packages/providers/providers.yaml#sentry-oauth',
  ],
})
