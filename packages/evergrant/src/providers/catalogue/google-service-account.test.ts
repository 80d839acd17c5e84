import { grantFacts } from '../../testing/grant-facts.ts'
import { googleServiceAccount } from './google-service-account.ts'

grantFacts(googleServiceAccount, {
  credentials: { subject: 'ada@example.com', issuer: 'robot@project.iam.gserviceaccount.com', private_key: 'own-key', key_id: 'kid-1' },
  scopes: ['https://www.googleapis.com/auth/calendar', 'https://www.googleapis.com/auth/drive'],
  expect: { accessToken: 'ya29.example', accessSeconds: 3_599 },
  errors: [
    [400, { error: 'invalid_grant', error_description: 'Invalid JWT Signature.' }, 'config', 'config'],
    [400, { error: 'invalid_grant', error_description: 'Invalid grant: account not found' }, 'new_credentials_needed', 'new_credentials_needed'],
    [401, { error: 'unauthorized_client', error_description: 'Client is unauthorized' }, 'new_credentials_needed', 'new_credentials_needed'],
    [400, { error: 'invalid_scope' }, 'config', 'config'],
  ],
})
