import { expect, test } from 'vitest'
import type { JsonValue } from '../core/json.ts'
import { judgeApiAnswer } from '../core/provider/api.ts'
import { judge } from '../core/provider/judge.ts'
import type { TokenStep, Verdict } from '../core/provider/verdict.ts'
import { answered, contextOf, shipped } from '../testing/provider-contexts.ts'

const SENT = Date.parse('2026-11-21T06:00:00Z')

async function judged(id: string, step: TokenStep, status: number, body: unknown): Promise<Verdict> {
  return judge(await contextOf(id), { step, outcome: answered(status, body), sentAt: SENT, secrets: [] })
}

function kindOf(verdict: Verdict): string {
  return verdict.kind === 'dead' ? `dead ${verdict.code}` : verdict.kind
}

const dead = 'dead connection_revoked'
const expired = 'dead connection_expired'
const strava = (resource: string, field: string) => ({ message: 'Bad Request', errors: [{ resource, field, code: 'invalid' }] })

const errors: [string, TokenStep, number, JsonValue, string][] = [
  [
    'amazon-ads-na',
    'refresh',
    400,
    {
      error: 'invalid_grant',
      error_description: "The request has an invalid grant parameter : refresh_token. User may have revoked or didn't grant the permission.",
    },
    dead,
  ],
  ['amazon-ads-eu', 'refresh', 400, { error: 'invalid_grant', error_description: 'The request has an invalid grant parameter : refresh_token' }, dead],
  [
    'amazon-ads-fe',
    'exchange',
    400,
    { error: 'invalid_grant', error_description: 'The request has an invalid grant parameter : code', error_index: 'x' },
    'restart_flow',
  ],
  ['amazon-ads-na', 'refresh', 401, { error: 'invalid_client', error_description: 'Client authentication failed' }, 'config'],
  ['amazon-ads-na', 'refresh', 400, { error: 'invalid_request', error_description: 'The request is missing a required parameter : refresh_token' }, 'config'],
  ['amazon-ads-na', 'refresh', 400, { error: 'unsupported_grant_type' }, 'config'],
  ['strava', 'refresh', 400, strava('RefreshToken', 'refresh_token'), dead],
  ['strava', 'refresh', 400, strava('Application', 'client_id'), 'config'],
  ['strava', 'exchange', 400, strava('AuthorizationCode', 'code'), 'restart_flow'],
  ['strava', 'refresh', 429, { message: 'Rate Limit Exceeded', errors: [{ resource: 'Application', field: 'rate limit', code: 'exceeded' }] }, 'throttled'],
  ['google', 'refresh', 400, { error: 'invalid_grant', error_description: 'Token has been expired or revoked.' }, dead],
  ['google', 'refresh', 400, { error: 'invalid_grant', error_subtype: 'invalid_rapt' }, dead],
  ['google', 'refresh', 401, { error: 'invalid_client' }, 'config'],
  ['microsoft', 'refresh', 400, { error: 'invalid_grant', error_codes: [700082] }, expired],
  ['microsoft', 'refresh', 400, { error: 'invalid_grant', error_codes: [50173] }, dead],
  ['microsoft', 'exchange', 400, { error: 'invalid_grant', error_codes: [70008] }, 'restart_flow'],
  ['microsoft', 'refresh', 400, { error: 'interaction_required', error_codes: [50076, 50079] }, dead],
  ['microsoft', 'refresh', 401, { error: 'invalid_client', error_codes: [7000222] }, 'config'],
  ['microsoft', 'refresh', 400, { error: 'invalid_grant', error_codes: [50196] }, 'throttled'],
  ['github-app', 'refresh', 200, { error: 'bad_refresh_token', error_description: 'The refresh token passed is incorrect or expired.' }, dead],
  ['github-app', 'refresh', 200, { error: 'incorrect_client_credentials' }, 'config'],
  ['github', 'exchange', 200, { error: 'bad_verification_code' }, 'restart_flow'],
  ['github', 'exchange', 200, 'error=bad_verification_code&error_description=The+code+passed+is+incorrect+or+expired.', 'restart_flow'],
  ['slack-rotation', 'refresh', 200, { ok: false, error: 'invalid_refresh_token' }, dead],
  ['slack-rotation', 'refresh', 200, { ok: false, error: 'ratelimited' }, 'throttled'],
  ['slack-rotation', 'refresh', 200, { ok: false, error: 'fatal_error' }, 'unknown'],
  ['slack', 'exchange', 200, { ok: false, error: 'invalid_code' }, 'restart_flow'],
  ['xero', 'refresh', 400, { error: 'invalid_grant' }, dead],
  ['atlassian', 'refresh', 403, { error: 'invalid_grant', error_description: 'Unknown or invalid refresh token.' }, dead],
  ['atlassian', 'refresh', 403, { error: 'unauthorized_client', error_description: 'refresh_token is invalid' }, dead],
  ['atlassian', 'refresh', 403, { error: 'unauthorized_client', error_description: 'something else' }, 'config'],
  ['okta', 'refresh', 400, { error: 'invalid_grant', error_description: 'The refresh token is invalid or expired.' }, dead],
  ['withings', 'refresh', 200, { status: 503, body: {}, error: 'Invalid Params: invalid refresh_token' }, dead],
  ['withings', 'refresh', 200, { status: 601, body: {} }, 'throttled'],
  ['withings', 'refresh', 200, { status: 2554, body: {}, error: 'something new' }, 'unknown'],
  ['oidc', 'refresh', 400, { error: 'invalid_grant' }, dead],
  ['oidc', 'refresh', 401, { error: 'invalid_client' }, 'config'],
  ['oauth2', 'exchange', 400, { error: 'invalid_grant' }, 'restart_flow'],
]

test.each(errors)('%s: a %s answered %d with %j is %s', async (id, step, status, body, expected) => {
  expect(kindOf(await judged(id, step, status, body))).toBe(expected)
})

const jwt = (claims: object) => `${btoa('{"alg":"RS256"}').replaceAll('=', '')}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2ln`

const successes: [string, string | null, TokenStep, JsonValue, object][] = [
  [
    'amazon-ads-na',
    null,
    'refresh',
    { access_token: 'Atza|new', refresh_token: 'Atzr|same', token_type: 'bearer', expires_in: 3600 },
    { accessToken: 'Atza|new', refreshToken: 'Atzr|same', tokenType: 'Bearer', accessExpiresAt: SENT + 3_600_000, scopes: null, account: null },
  ],
  [
    'strava',
    null,
    'exchange',
    {
      token_type: 'Bearer',
      expires_at: SENT / 1000 + 21_600,
      expires_in: 21_600,
      refresh_token: 'r',
      access_token: 'a',
      athlete: { id: 134_815, username: 'jo' },
    },
    { accessExpiresAt: SENT + 21_600_000, account: '134815', accountLabel: 'jo' },
  ],
  [
    'strava',
    null,
    'refresh',
    { token_type: 'Bearer', access_token: 'a', expires_at: SENT / 1000 + 3_601, refresh_token: 'r2' },
    { accessExpiresAt: SENT + 3_601_000, account: null, refreshToken: 'r2' },
  ],
  [
    'google',
    null,
    'exchange',
    { access_token: 'a', expires_in: 3599, scope: 'openid email', id_token: jwt({ sub: '42', email: 'jo@example.com' }) },
    { account: '42', accountLabel: 'jo@example.com', refreshToken: null, scopes: ['openid', 'email'] },
  ],
  [
    'microsoft',
    null,
    'refresh',
    { access_token: 'a', expires_in: 4711, refresh_token: 'r', id_token: jwt({ tid: 't', oid: 'o', preferred_username: 'jo' }) },
    { account: 't:o', accountLabel: 'jo' },
  ],
  [
    'github',
    null,
    'exchange',
    'access_token=gho_x&scope=repo%2Cgist&token_type=bearer',
    { accessToken: 'gho_x', scopes: ['repo', 'gist'], accessExpiresAt: null, refreshToken: null },
  ],
  [
    'github-app',
    null,
    'refresh',
    { access_token: 'ghu_x', expires_in: 28_800, refresh_token: 'ghr_y', refresh_token_expires_in: 15_897_600, scope: '', token_type: 'bearer' },
    { refreshExpiresAt: SENT + 15_897_600_000, scopes: [] },
  ],
  [
    'slack-rotation',
    null,
    'exchange',
    slackExchange(),
    { accessToken: 'xoxe.xoxb-1', refreshToken: 'xoxe-1', account: 'T1', accountLabel: 'Team', scopes: ['chat:write'] },
  ],
  [
    'slack-rotation',
    'user',
    'exchange',
    slackExchange(),
    { accessToken: 'xoxe.xoxp-2', refreshToken: 'xoxe-2', account: 'T1:U1', scopes: ['users:read'], accessExpiresAt: SENT + 43_200_000 },
  ],
  [
    'slack',
    null,
    'exchange',
    {
      ok: true,
      access_token: 'xoxb-1',
      token_type: 'bot',
      scope: 'chat:write',
      team: null,
      enterprise: { id: 'E1', name: 'Grid' },
      is_enterprise_install: true,
    },
    { account: 'E1', accountLabel: 'Grid', accessExpiresAt: null, refreshToken: null },
  ],
  [
    'slack-rotation',
    'user',
    'refresh',
    { ok: true, access_token: 'xoxe.xoxp-3', refresh_token: 'xoxe-3', expires_in: 43_200, token_type: 'user', team: { id: 'T1' } },
    { accessToken: 'xoxe.xoxp-3', account: null },
  ],
  ['xero', null, 'refresh', { access_token: jwt({ xero_userid: 'x-1' }), expires_in: 1800, refresh_token: 'r', token_type: 'Bearer' }, { account: 'x-1' }],
  [
    'atlassian',
    null,
    'refresh',
    { access_token: 'a', expires_in: 3600, refresh_token: 'r', scope: 'offline_access read:me' },
    { scopes: ['offline_access', 'read:me'] },
  ],
  ['okta', null, 'refresh', { access_token: 'a', expires_in: 3600, id_token: jwt({ sub: '00u1' }) }, { account: '00u1', refreshToken: null }],
  [
    'withings',
    null,
    'exchange',
    { status: 0, body: { userid: 363, access_token: 'a', refresh_token: 'r', expires_in: 10_800, scope: 'user.info,user.metrics', token_type: 'Bearer' } },
    { account: '363', refreshToken: 'r', scopes: ['user.info', 'user.metrics'], accessExpiresAt: SENT + 10_800_000 },
  ],
  [
    'oidc',
    null,
    'exchange',
    { access_token: 'a', token_type: 'BEARER', expires_in: '600', scope: 'openid', id_token: jwt({ sub: 's' }) },
    { tokenType: 'Bearer', accessExpiresAt: SENT + 600_000, account: 's' },
  ],
]

function slackExchange() {
  return {
    ok: true,
    access_token: 'xoxe.xoxb-1',
    refresh_token: 'xoxe-1',
    expires_in: 43_200,
    token_type: 'bot',
    scope: 'chat:write',
    team: { id: 'T1', name: 'Team' },
    authed_user: { id: 'U1', access_token: 'xoxe.xoxp-2', refresh_token: 'xoxe-2', expires_in: 43_200, token_type: 'user', scope: 'users:read' },
  }
}

test.each(successes)('%s (token %s): the answer to a %s is read', async (id, token, step, body, expected) => {
  const verdict = judge(await contextOf(id, { token }), { step, outcome: answered(200, body), sentAt: SENT, secrets: [] })
  expect(verdict).toMatchObject({ kind: 'granted', grant: expected })
})

const apiAnswers: [string, number, JsonValue, string][] = [
  ['strava', 401, { errors: [{ resource: 'AccessToken', field: 'access_token', code: 'invalid' }] }, 'token_rejected'],
  ['strava', 401, { errors: [{ resource: 'AccessToken', field: 'activity:read_permission', code: 'missing' }] }, 'scope_missing'],
  ['amazon-ads-na', 401, { code: '401', details: 'Authentication failed' }, 'token_rejected'],
  ['amazon-ads-na', 429, { code: 'TooManyRequests', message: 'slow' }, 'throttled'],
  ['amazon-ads-na', 403, { message: 'no' }, 'not_about_the_token'],
  ['slack', 200, { ok: false, error: 'token_revoked' }, 'token_rejected'],
  ['slack', 200, { ok: false, error: 'missing_scope' }, 'scope_missing'],
  ['slack', 200, { ok: true }, 'ok'],
  ['github', 401, { message: 'Bad credentials' }, 'token_rejected'],
  ['github', 403, { message: 'API rate limit exceeded for user' }, 'throttled'],
  ['withings', 200, { status: 401 }, 'token_rejected'],
  ['oidc', 401, null, 'token_rejected'],
  ['oidc', 500, null, 'not_about_the_token'],
]

test.each(apiAnswers)('%s: an API answer %d with %j says %s', (id, status, json, expected) => {
  expect(judgeApiAnswer(shipped(id), { status, headers: {}, json })).toBe(expected)
})
