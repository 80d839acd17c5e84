import { defineProvider } from '../define.ts'

export const basic = defineProvider({
  id: 'basic',
  name: 'User name and password (HTTP Basic)',
  docs: 'https://www.rfc-editor.org/rfc/rfc7617',
  grant: 'basic',
  setup: ['Ask the provider for a user of its own for this purpose. Each connection brings its user name and password.'],
  variables: { base_url: { label: 'Base URL of the API', pattern: 'https?://[^?#@\\s]+', example: 'https://api.example.com/v1' } },
  reuse: { evidence: 'User name and password are sent with every call.' },
  api: { base: '{base_url}', authorization: { prefix: 'Basic ' } },
  notes: [
    'The token that is read is the base64 of `user:password`, with token_type Basic: send both as the Authorization header.',
    'Providers that want an API key as the user name take it with an empty password.',
  ],
  sources: ['RFC 7617'],
})
