import { defineProvider } from '../define.ts'

export const salesforce = defineProvider({
  id: 'salesforce',
  name: 'Salesforce',
  docs: 'https://help.salesforce.com/s/articleView?id=sf.remoteaccess_oauth_refresh_token_flow.htm',
  setup: [
    'Create an external client app (or a connected app) with OAuth in Salesforce Setup.',
    'Enter {redirect_uri} as its callback URL and choose the scopes, "refresh_token" among them.',
    "Look at its refresh token policy: it decides how long grants live, and whether refresh tokens rotate. Without rotation set the integration's reuse to P0.",
    'Copy consumer key and consumer secret into the integration.',
  ],
  scopes: { api: 'Call the APIs of Salesforce', refresh_token: 'Stay connected while the user is away' },
  variables: {
    login_host: {
      label: 'Host where people sign in: login.salesforce.com, test.salesforce.com, or a domain of their own',
      pattern: '(login|test)\\.salesforce\\.com|[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\\.sandbox)?\\.my\\.salesforce\\.com',
      example: 'acme.my.salesforce.com',
      default: 'login.salesforce.com',
      askedOf: 'connection',
    },
  },
  authorize: {
    url: 'https://{login_host}/services/oauth2/authorize',
    defaultScopes: ['api', 'refresh_token'],
    requiredScopes: ['refresh_token'],
  },
  token: { url: 'https://{login_host}/services/oauth2/token' },
  answer: { facts: { instance_url: 'instance_url' } },
  verdicts: [
    { status: [400], where: { error: 'rate_limit_exceeded' }, verdict: 'throttled', meaning: 'The token endpoint throttles with HTTP 400.' },
    { step: 'refresh', status: [400], where: { error: 'inactive_user' }, verdict: 'dead', meaning: 'The user was deactivated.' },
    {
      step: 'refresh',
      status: [400],
      where: { error: 'invalid_grant', error_description: '/already being processed/i' },
      verdict: 'unknown',
      meaning: 'The same refresh token is being presented elsewhere at this moment.',
    },
    {
      step: 'refresh',
      status: [400],
      where: { error: 'invalid_grant', error_description: '/ip restricted|login hours/i' },
      verdict: 'unknown',
      meaning: 'Refused from here, or at this hour; the grant lives on.',
    },
    { step: 'refresh', status: [400], where: { error: 'invalid_grant' }, verdict: 'dead', meaning: 'The refresh token has expired or was revoked.' },
  ],
  reuse: { class: 'PU', evidence: 'Rotation is a setting of the app; what a spent token does then is not documented.' },
  rotation: 'optional',
  revoke: { url: 'https://{login_host}/services/oauth2/revoke', clientAuth: 'none', reach: 'grant', fallback: { token: 'access' } },
  account: [{ from: 'answer', path: 'id', label: null, pattern: '/id/([A-Za-z0-9]+/[A-Za-z0-9]+)$' }],
  api: {
    base: '{instance_url}',
    answers: [
      {
        status: [401],
        where: { '*.message': '/Connected app is not attached to Agent|This session is not valid for use with the REST API/' },
        means: 'not_about_the_token',
      },
      { status: [401], where: { '*.errorCode': 'INVALID_SESSION_ID' }, means: 'token_rejected' },
      { status: [403], where: { '*.errorCode': 'REQUEST_LIMIT_EXCEEDED' }, means: 'throttled' },
    ],
  },
  check: { request: { url: 'https://{login_host}/services/oauth2/userinfo' } },
  samples: {
    exchange: {
      access_token: 'at-1',
      refresh_token: 'rt-1',
      signature: 'c2lnbmF0dXJl',
      scope: 'api refresh_token',
      instance_url: 'https://acme.my.salesforce.com',
      id: 'https://login.salesforce.com/id/00D000000000001EAA/005000000000001AAA',
      token_type: 'Bearer',
      issued_at: '1795240800000',
    },
    refresh: {
      access_token: 'at-2',
      signature: 'c2lnbmF0dXJl',
      scope: 'api refresh_token',
      instance_url: 'https://acme.my.salesforce.com',
      id: 'https://login.salesforce.com/id/00D000000000001EAA/005000000000001AAA',
      token_type: 'Bearer',
      issued_at: '1795248000000',
    },
  },
  notes: [
    'No answer says how long a token lives: that is the session policy of the organization. A call answered with INVALID_SESSION_ID brings the refresh.',
    'The API stands at instance_url of the answer, and a refresh can move it.',
    'With rotation on, the refresh answers with a new refresh token.',
    'Revoking one token can end other connections of the same user and app.',
  ],
  unverified: ['setup', 'docs', 'reuse', 'verdicts.2', 'verdicts.3', 'revoke.clientAuth', 'check', 'api.answers.2'],
  sources: [
    'https://github.com/jsforce/jsforce/blob/main/src/oauth2.ts',
    'https://github.com/jsforce/jsforce/blob/main/src/http-api.ts',
    'https://github.com/segmentio/action-destinations/pull/2300',
  ],
})
