import { grantFacts } from '../../testing/grant-facts.ts'
import { oauth2ClientCredentials } from './oauth2-client-credentials.ts'

grantFacts(oauth2ClientCredentials, {
  credentials: { client_id: 'own-client', client_secret: 'own-secret' },
  scopes: ['orders.read', 'orders.write'],
  expect: { accessToken: 'at-1', accessSeconds: 3_600 },
  errors: [
    [401, { error: 'invalid_client' }, 'new_credentials_needed', 'config'],
    [400, { error: 'unauthorized_client' }, 'new_credentials_needed', 'config'],
    [400, { error: 'invalid_scope' }, 'config', 'config'],
    [404, '', 'config', 'config'],
    [429, { error: 'slow_down' }, 'throttled', 'throttled'],
    [503, '', 'unknown', 'unknown'],
  ],
})
