import { defineProvider } from '../define.ts'
import { STRAVA_AROUND } from '../strava-around.ts'

export const strava = defineProvider({
  ...STRAVA_AROUND,
  id: 'strava',
  name: 'Strava',
  docs: 'https://developers.strava.com/docs/authentication/',
  setup: [
    'Create an application in the API settings of a Strava account with a paid subscription. A new one serves 1 athlete, 10 after an upgrade that you start yourself, more after a review.',
    'Set its authorization callback domain to the host of {redirect_uri}.',
    'Copy client id (a number) and client secret into the integration.',
    'Subscribe the push address of the integration to webhooks, with its push secret as verify_token, and set the variable push_subscription to the number that Strava answers.',
  ],
  scopes: {
    read: 'Read public segments, routes, profile data, posts, events and clubs',
    read_all: 'Read private routes, segments and events',
    'profile:read_all': 'Read the whole profile, whatever its visibility',
    'profile:write': 'Change weight and FTP, star segments',
    'activity:read': 'Read activities that followers or everybody can see',
    'activity:read_all': 'Read all activities, private ones and privacy zones included',
    'activity:write': 'Upload and change activities',
  },
  variables: {
    push_subscription: { label: 'Number of the webhook subscription; * takes any', pattern: '[0-9]{1,20}|\\*', example: '120475', default: '*' },
  },
  authorize: {
    url: 'https://www.strava.com/oauth/authorize',
    parameters: { approval_prompt: 'auto' },
    scopeSeparator: ',',
    defaultScopes: ['read'],
    pkce: 'unsupported',
    callback: { scope: 'scope' },
  },
  token: { url: 'https://www.strava.com/oauth/token', omit: ['redirect_uri'] },
  answer: { paths: { expiresAt: 'expires_at', scope: null, idToken: null } },
  verdicts: [
    {
      step: 'refresh',
      status: [400, 401],
      where: { 'errors.*.resource': 'RefreshToken' },
      verdict: 'dead',
      meaning: 'The refresh token is superseded, revoked or unknown.',
    },
    {
      status: [400, 401],
      where: { 'errors.*.resource': 'Application', 'errors.*.field': '/^client_(id|secret)$/' },
      verdict: 'config',
      meaning: 'Wrong client id or secret.',
    },
    { status: [400, 401], where: { 'errors.*.resource': 'AuthorizationCode' }, verdict: 'restart_flow', meaning: 'The code was used twice or has expired.' },
    {
      status: null,
      where: { 'errors.*.field': 'rate limit' },
      verdict: 'throttled',
      meaning: "The application's rate limit; the next quarter of an hour ends it.",
    },
  ],
  reuse: { class: 'P3', evidence: 'When a refresh returns a new refresh token, the old one is invalid at once.' },
  rotation: 'sometimes',
  lifetimes: { accessSeconds: 21_600, noopAboveSeconds: 3_600 },
  revoke: {
    url: 'https://www.strava.com/oauth/revoke',
    clientAuth: 'basic',
    parameters: { token_type_hint: 'refresh_token' },
    reach: 'grant',
    fallback: { url: 'https://www.strava.com/oauth/deauthorize', clientAuth: 'none', token: 'access', parameter: 'access_token', parameters: {} },
  },
  account: [
    { from: 'answer', path: 'athlete.id', label: 'athlete.username' },
    { from: 'request', url: 'https://www.strava.com/api/v3/athlete', path: 'id', label: 'username' },
  ],
  api: {
    base: 'https://www.strava.com/api/v3',
    hosts: ['api-v3.strava.com', 'www.api-v3.strava.com'],
    answers: [
      { status: [401, 403], where: { 'errors.*.code': 'missing' }, means: 'scope_missing' },
      { status: [401], where: { 'errors.*.resource': 'AccessToken', 'errors.*.code': 'invalid' }, means: 'token_rejected' },
    ],
  },
  samples: {
    exchange: {
      token_type: 'Bearer',
      expires_at: 1_795_262_400,
      expires_in: 21_600,
      refresh_token: 'rt-1',
      access_token: 'at-1',
      athlete: { id: 134_815, username: 'jo' },
    },
    refresh: { token_type: 'Bearer', access_token: 'at-2', expires_at: 1_795_262_400, expires_in: 21_600, refresh_token: 'rt-2' },
    check: { id: 134_815, username: 'jo' },
  },
  notes: [
    'A refresh with more than 3600 s left answers with the same access token; old and new both work until their own end.',
    'The refresh token of an answer may be the same or new: always the returned one counts.',
    'What the athlete granted stands only in the callback parameter scope; scopes can be unticked. The athlete stands only in the first answer.',
    "The client id is an integer. The redirect URI must lie in the app's callback domain; localhost and 127.0.0.1 are always allowed.",
    'One webhook subscription per app; pushes are not signed, so that a deauthorization is checked with Strava before it counts.',
    'The old deauthorize endpoint ends every token of the athlete for the app.',
    'Rate limits hold for the whole app, by default 200 per 15 minutes and 2,000 a day (100 and 1,000 for reads). No Retry-After: windows begin at :00, :15, :30 and :45, days at 00:00 UTC; refused calls count for the day.',
  ],
  unverified: ['setup', 'scopes', 'revoke.reach', 'api.hosts'],
  sources: [
    'https://developers.strava.com/docs/authentication/',
    'https://developers.strava.com/docs/webhooks/',
    'https://developers.strava.com/docs/rate-limits/',
  ],
})
