import { defineProvider } from '../define.ts'

export const oauth2ClientCredentials = defineProvider({
  id: 'oauth2-client-credentials',
  name: 'OAuth 2.0 (client credentials)',
  docs: 'https://www.rfc-editor.org/rfc/rfc6749#section-4.4',
  grant: 'client_credentials',
  setup: ['Register a client at the server that may use the grant client_credentials. Its id and secret belong to the integration, or to each connection.'],
  variables: { token_url: { label: 'Token endpoint', pattern: 'https?://[^?#@\\s]+', example: 'https://auth.example.com/oauth/token' } },
  token: { url: '{token_url}', clientAuth: 'basic' },
  answer: { paths: { refreshToken: null } },
  reuse: { evidence: 'RFC 6749 section 4.4: the client asks with its own credentials each time.' },
  samples: { refresh: { access_token: 'at-1', token_type: 'Bearer', expires_in: 3_600 } },
  notes: [
    'The client is sent with HTTP Basic, as RFC 6749 section 2.3.1 wants every server to accept. A record of your own that extends this one may say otherwise (token.clientAuth).',
    'There is no API address: read tokens, or extend this record with api.base to use the proxy.',
  ],
  sources: ['RFC 6749 section 4.4'],
})
