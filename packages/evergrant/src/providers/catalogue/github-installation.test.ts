import { grantFacts } from '../../testing/grant-facts.ts'
import { githubInstallation } from './github-installation.ts'

grantFacts(githubInstallation, {
  credentials: {},
  expect: { accessToken: 'ghs_example', accessSeconds: 3_600, scopes: ['contents:read', 'metadata:read'] },
  errors: [
    [404, { message: 'Not Found', documentation_url: 'https://docs.github.com/rest' }, 'new_credentials_needed', 'new_credentials_needed'],
    [404, { message: 'Integration not found' }, 'config', 'config'],
    [401, { message: 'A JSON web token could not be decoded' }, 'config', 'config'],
    [403, { message: 'This installation has been suspended' }, 'new_credentials_needed', 'new_credentials_needed'],
    [403, { message: 'API rate limit exceeded' }, 'throttled', 'throttled'],
    [502, '<html>', 'unknown', 'unknown'],
  ],
})
