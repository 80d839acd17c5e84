import { defineProvider } from '../define.ts'

export const apiKey = defineProvider({
  id: 'api-key',
  name: 'API key in a header',
  grant: 'api_key',
  setup: ['Ask the provider for an API key. Each connection brings its own.'],
  variables: {
    base_url: { label: 'Base URL of the API', pattern: 'https?://[^?#@\\s]+', example: 'https://api.example.com/v1' },
    header: { label: 'Header that carries the key', pattern: '[A-Za-z][A-Za-z0-9-]{0,63}', example: 'X-Api-Key', default: 'X-Api-Key' },
  },
  reuse: { evidence: 'An API key is sent with every call.' },
  api: { base: '{base_url}', authorization: { header: '{header}', prefix: '' } },
  notes: ['Nothing can be asked whether the key works: a wrong one shows at the first call. A record that extends this one with `check` knows at once.'],
  sources: ['https://cloud.google.com/docs/authentication/api-keys'],
})
