import { defineProvider } from '../define.ts'

const CENTRES = {
  com: { label: 'United States', sets: {} },
  eu: { label: 'Europe', sets: {} },
  in: { label: 'India', sets: {} },
  'com.au': { label: 'Australia', sets: {} },
  'com.cn': { label: 'China', sets: {} },
  jp: { label: 'Japan', sets: {} },
}

/** The data centre answers for itself: the callback names its accounts server. */
const accounts = '{accounts-server}'

export const zoho = defineProvider({
  id: 'zoho',
  name: 'Zoho',
  docs: 'https://www.zoho.com/crm/developer/docs/api/v3/token-validity.html',
  setup: [
    'Add a server-based application in the Zoho API console of your data centre.',
    'Enter {redirect_uri} as its authorized redirect URI.',
    'To serve people of other data centres, switch multi-DC on in the settings of the client.',
    'Copy client id and client secret into the integration and set the variable dc to your own data centre.',
  ],
  scopes: { 'AaaServer.profile.Read': 'Read the profile of the user' },
  variables: {
    dc: { label: 'Data centre in which the client is registered', pattern: 'com|eu|in|com\\.au|com\\.cn|jp', example: 'eu', default: 'com', choices: CENTRES },
    'accounts-server': {
      label: "Accounts server of the user's data centre",
      pattern: 'https://accounts\\.zoho\\.(com|eu|in|com\\.au|com\\.cn|jp)',
      example: 'https://accounts.zoho.eu',
      default: 'https://accounts.zoho.com',
      askedOf: 'provider',
    },
    api_domain: {
      label: "API address of the user's data centre",
      pattern: 'https://www\\.zohoapis\\.(com|eu|in|com\\.au|com\\.cn|jp)',
      example: 'https://www.zohoapis.eu',
      askedOf: 'provider',
    },
  },
  authorize: {
    url: 'https://accounts.zoho.{dc}/oauth/v2/auth',
    parameters: { access_type: 'offline', prompt: 'consent' },
    scopeSeparator: ',',
    defaultScopes: ['AaaServer.profile.Read'],
    pkce: 'unsupported',
    callback: { facts: { 'accounts-server': 'accounts-server', location: 'location' } },
  },
  token: { url: `${accounts}/oauth/v2/token` },
  answer: { facts: { api_domain: 'api_domain' } },
  verdicts: [
    {
      step: 'refresh',
      status: [200, 400],
      where: { error: 'invalid_code' },
      verdict: 'dead',
      meaning: 'The refresh token was revoked, or pushed out by a 21st.',
    },
    {
      step: 'exchange',
      status: [200, 400],
      where: { error: 'invalid_code' },
      verdict: 'restart_flow',
      meaning: 'The code is spent, expired, or of another data centre.',
    },
    { where: { error: 'Access Denied' }, verdict: 'throttled', meaning: 'More than 10 tokens in 10 minutes from one refresh token.' },
    { where: { error: '/^invalid_client/' }, verdict: 'config', meaning: 'Client id or secret is wrong, or of another data centre.' },
  ],
  reuse: { evidence: 'Refresh answers carry no new refresh token.' },
  rotation: 'never',
  lifetimes: { accessSeconds: 3_600, cap: { grants: 20, next: 'oldest_ends' } },
  limits: { token: { requests: 10, seconds: 600, per: 'grant' } },
  revoke: { url: `${accounts}/oauth/v2/token/revoke`, clientAuth: 'none', fallback: { token: 'access' } },
  account: [{ from: 'request', url: `${accounts}/oauth/user/info`, path: 'ZUID', label: 'Email', needsScope: ['AaaServer.profile.Read'] }],
  api: {
    base: '{api_domain}',
    authorization: { prefix: 'Zoho-oauthtoken ' },
    answers: [{ status: [400, 401], where: { code: '/^INVALID_(OAUTH)?TOKEN$/' }, means: 'token_rejected' }],
  },
  check: { request: { url: `${accounts}/oauth/user/info` }, needsScope: ['AaaServer.profile.Read'] },
  samples: {
    exchange: {
      access_token: '1000.at-1',
      refresh_token: '1000.rt-1',
      scope: 'AaaServer.profile.Read',
      api_domain: 'https://www.zohoapis.eu',
      token_type: 'Bearer',
      expires_in: 3_600,
    },
    refresh: { access_token: '1000.at-2', scope: null, api_domain: 'https://www.zohoapis.eu', token_type: 'Bearer', expires_in: 3_600 },
    check: { ZUID: 1_234_567, Email: 'jo@example.com' },
  },
  notes: [
    'The callback names the data centre of the user; code, refreshes and API calls go there.',
    'A data centre that is not listed here is refused: extend the record for a newer one.',
    'Errors come with HTTP 200, and the throttle answers with an error that holds a space.',
    'A refresh token has at most 15 live access tokens: minting more silently ends older ones.',
    'A user has at most 20 refresh tokens of one client: the 21st silently ends the oldest.',
    'At most 10 codes per client in 10 minutes.',
  ],
  unverified: ['setup', 'authorize.pkce', 'revoke', 'reuse', 'api.answers', 'verdicts.3'],
  sources: ['https://www.zoho.com/crm/developer/docs/api/v3/token-validity.html'],
})
