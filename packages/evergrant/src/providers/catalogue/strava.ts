import { defineProvider } from '../define.ts'

export const strava = defineProvider({
  id: 'strava',
  name: 'Strava',
  docs: 'https://developers.strava.com/docs/authentication/',
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
  notes: [
    'A refresh with more than 3600 s left answers with the same access token; old and new both work until their own end.',
    'The refresh token of an answer may be the same or new: always the returned one counts.',
    'What the athlete granted stands only in the callback parameter scope; scopes can be unticked. The athlete stands only in the first answer.',
    "The client id is an integer. The redirect URI must lie in the app's callback domain; localhost and 127.0.0.1 are always allowed.",
    'Webhook: one subscription per app. A deauthorization is object_type athlete, aspect_type update, updates.authorized "false" (text), found by the athlete id; unsigned, so check subscription_id; answer 200 within 2 s.',
    'The old deauthorize endpoint ends every token of the athlete for the app and retires on 2027-06-01.',
    'Rate limits per app, by default 200 per 15 minutes and 2,000 a day (100 and 1,000 for reads), without Retry-After: windows begin at :00, :15, :30 and :45, days at 00:00 UTC.',
    'The API moves to another host from 2027-01-04 on; the OAuth addresses stay.',
  ],
  unverified: ['revoke.reach', 'api.hosts'],
  sources: [
    'https://developers.strava.com/docs/authentication/',
    'https://developers.strava.com/docs/webhooks/',
    'https://developers.strava.com/docs/rate-limits/',
  ],
})
