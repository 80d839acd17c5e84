import { defineProvider } from '../define.ts'

export const smartOnFhir = defineProvider({
  id: 'smart-on-fhir',
  name: 'SMART on FHIR (Epic and other health records)',
  docs: 'https://hl7.org/fhir/smart-app-launch/app-launch.html',
  setup: [
    'Register the app with each vendor of health records (for Epic at https://fhir.epic.com) as a confidential client with the redirect URI {redirect_uri}.',
    'Ask for the scopes launch/patient, offline_access, openid and fhirUser, and those for the data that you read.',
    'Make one integration for each hospital, with the FHIR base URL, the client id and the client secret that belong there.',
  ],
  scopes: {
    'launch/patient': 'The patient whose record is open.',
    offline_access: 'A refresh token that outlives the session.',
    openid: 'An id_token.',
    fhirUser: 'Who signed in, as a FHIR resource.',
  },
  variables: {
    fhir_base_url: {
      label: 'FHIR base URL of the hospital',
      pattern: 'https://[^?#@\\s]+',
      example: 'https://fhir.example.org/api/FHIR/R4',
      // The server that it names tells where the client secret goes: no end user may choose it.
      askedOf: 'integration',
    },
  },
  discovery: { kind: 'smart', issuer: '{fhir_base_url}' },
  authorize: {
    parameters: { aud: '{fhir_base_url}' },
    defaultScopes: ['launch/patient', 'offline_access', 'openid', 'fhirUser'],
    pkce: 'required',
  },
  token: { clientAuth: 'basic' },
  answer: { facts: { patient: 'patient', encounter: 'encounter' } },
  reuse: { evidence: 'Chosen by the server; where a new refresh token comes, the old one must be discarded.' },
  rotation: 'optional',
  revoke: { fallback: { token: 'access' } },
  account: [{ from: 'id_token', claim: 'fhirUser', label: null }],
  api: { base: '{fhir_base_url}' },
  check: { request: { url: '{fhir_base_url}/metadata' } },
  samples: {
    exchange: {
      access_token: 'access-1',
      token_type: 'Bearer',
      expires_in: 3_600,
      scope: 'launch/patient offline_access openid fhirUser',
      refresh_token: 'refresh-1',
      patient: 'patient-1',
      id_token: 'e30.eyJmaGlyVXNlciI6IlBhdGllbnQvMSJ9.c2ln',
    },
    refresh: {
      access_token: 'access-2',
      token_type: 'Bearer',
      expires_in: 3_600,
      scope: 'launch/patient offline_access openid fhirUser',
      refresh_token: null,
      patient: null,
    },
  },
  notes: [
    'Each hospital has a server of its own, and an integration: endpoints come from its /.well-known/smart-configuration, and so does the address that the client secret is sent to.',
    'The parameter aud is mandatory, and PKCE with S256 is the only one that is allowed.',
    'Clients without a secret, and clients with a key (private_key_jwt), are registered by the vendor.',
    'How long a refresh token lives is chosen by the health record.',
    'Without the scopes openid and fhirUser the account cannot be named; the patient of the launch is kept as a fact.',
  ],
  unverified: ['authorize.defaultScopes', 'answer.paths.expiresIn', 'check', 'setup', 'samples'],
  sources: ['github:HL7/smart-app-launch input/pages/app-launch.md, conformance.md'],
})
