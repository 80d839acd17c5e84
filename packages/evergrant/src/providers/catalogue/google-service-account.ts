import { defineProvider } from '../define.ts'

export const googleServiceAccount = defineProvider({
  id: 'google-service-account',
  name: 'Google (service account)',
  docs: 'https://developers.google.com/identity/protocols/oauth2/service-account',
  grant: 'jwt_bearer',
  setup: [
    'Create a service account in the Google Cloud console and a key for it (JSON).',
    'Client id of the integration: client_email of that file. Client secret: its private_key. Or leave both out and give each connection a key of its own.',
    'To act for people of a Workspace domain, its administrator grants domain-wide delegation to the client id of the service account with the scopes of the integration.',
  ],
  authorize: { scopeParameter: 'scope' },
  token: {
    url: 'https://oauth2.googleapis.com/token',
    clientAuth: 'none',
    omit: ['client_id'],
    signing: {
      algorithm: 'RS256',
      header: { kid: '{key_id}' },
      claims: { iss: '{issuer}', sub: '{subject}', scope: '{scope}', aud: '{token_url}' },
      // Google accepts at most an hour; a token is asked for at once.
      lifetimeSeconds: 600,
    },
  },
  answer: { paths: { refreshToken: null, refreshExpiresIn: null } },
  verdicts: [
    {
      where: { error: 'invalid_grant', error_description: '/invalid JWT/i' },
      verdict: 'config',
      meaning: 'The key was deleted or does not fit the service account, or our clock is wrong.',
    },
    { where: { error: 'unauthorized_client' }, verdict: 'dead', meaning: 'The domain of this subject has not delegated these scopes.' },
    { where: { error: 'invalid_grant' }, verdict: 'dead', meaning: 'The service account or the subject does not exist, or is disabled.' },
    { status: [400], where: { error: 'invalid_scope' }, verdict: 'config', meaning: 'A scope of the integration does not exist.' },
  ],
  reuse: { evidence: 'Each token is asked for with a newly signed request.' },
  lifetimes: { accessSeconds: 3_600 },
  api: { base: 'https://www.googleapis.com', hosts: ['*.googleapis.com'] },
  samples: { refresh: { access_token: 'ya29.example', expires_in: 3_599, token_type: 'Bearer' } },
  notes: [
    'The scopes of the integration stand in the signed request; without any Google refuses.',
    'With a subject the token acts for that person (domain-wide delegation), without one for the service account itself.',
    'Nothing has to be connected again when a person changes the password: only the administrator or a deleted key ends it.',
  ],
  unverified: ['verdicts', 'lifetimes.accessSeconds'],
  sources: ['https://developers.google.com/identity/protocols/oauth2/service-account#httprest', 'RFC 7523'],
})
