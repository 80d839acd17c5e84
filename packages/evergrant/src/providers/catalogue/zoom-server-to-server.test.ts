import { grantFacts } from '../../testing/grant-facts.ts'
import { zoomServerToServer } from './zoom-server-to-server.ts'

grantFacts(zoomServerToServer, {
  credentials: { client_id: 'own-client', client_secret: 'own-secret' },
  expect: { accessToken: 'at-1', accessSeconds: 3_599, scopes: ['user:read:list_users:admin'], facts: { api_url: 'https://api.zoom.us' } },
  errors: [
    [400, { reason: 'Invalid client_id or client_secret', error: 'invalid_client' }, 'new_credentials_needed', 'config'],
    [400, { reason: 'Bad Request', error: 'invalid_request' }, 'unknown', 'unknown'],
  ],
})
