import { defineProvider } from '../define.ts'

export const bearerToken = defineProvider({
  id: 'bearer-token',
  name: 'API key as a bearer token',
  grant: 'api_key',
  setup: ['Ask the provider for a personal access token or API key. Each connection brings its own.'],
  variables: { base_url: { label: 'Base URL of the API', pattern: 'https?://[^?#@\\s]+', example: 'https://api.example.com/v1' } },
  reuse: { evidence: 'The token is sent with every call.' },
  api: { base: '{base_url}' },
  notes: ['Nothing can be asked whether the key works: a wrong one shows at the first call. A record that extends this one with `check` knows at once.'],
  sources: ['RFC 6750 section 2.1'],
})
