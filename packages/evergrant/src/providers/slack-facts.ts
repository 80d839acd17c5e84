import type { ProviderDraft } from './define.ts'

/** What Slack is with and without token rotation. */
export const SLACK = {
  authorize: { url: 'https://slack.com/oauth/v2/authorize', scopeSeparator: ',', pkce: 'unsupported' },
  token: { url: 'https://slack.com/api/oauth.v2.access' },
  answer: {
    success: { path: 'ok', equals: true },
    scopeSeparator: ',',
    paths: { refreshExpiresIn: null, idToken: null },
    defaultToken: 'bot',
    tokens: {
      bot: { paths: { refreshExpiresIn: null, idToken: null } },
      user: {
        paths: {
          accessToken: 'authed_user.access_token',
          refreshToken: 'authed_user.refresh_token',
          expiresIn: 'authed_user.expires_in',
          refreshExpiresIn: null,
          scope: 'authed_user.scope',
          tokenType: 'authed_user.token_type',
          idToken: null,
        },
        // A refresh answers flat, whichever token it renews.
        refreshPaths: { refreshExpiresIn: null, idToken: null },
        account: 'team.id + authed_user.id',
        scopeParameter: 'user_scope',
      },
    },
  },
  verdicts: [
    {
      step: 'refresh',
      where: { error: '/^(invalid_refresh_token|token_revoked|token_expired|account_inactive|invalid_auth)$/' },
      verdict: 'dead',
      meaning: 'The refresh token is spent or revoked, or the account is gone.',
    },
    { where: { error: '/^(invalid_code|code_already_used|code_expired)$/' }, verdict: 'restart_flow', meaning: 'The code is spent, expired or foreign.' },
    {
      where: { error: '/^(invalid_client_id|bad_client_secret|bad_redirect_uri|invalid_grant_type|oauth_authorization_url_mismatch)$/' },
      verdict: 'config',
      meaning: "The app's client id, secret or redirect URI is wrong.",
    },
    { where: { error: 'ratelimited' }, verdict: 'throttled', meaning: 'Too many requests.' },
    {
      where: { error: '/^(fatal_error|internal_error|service_unavailable|request_timeout)$/' },
      verdict: 'unknown',
      meaning: 'Slack failed; a part of the operation may have happened.',
    },
  ],
  check: { request: { method: 'POST', url: 'https://slack.com/api/auth.test', format: 'query' }, where: { ok: true } },
  push: {
    proof: {
      kind: 'hmac_sha256',
      header: 'x-slack-signature',
      format: 'v0={signature}',
      text: 'v0:{timestamp}:{body}',
      timestampHeader: 'x-slack-request-timestamp',
      secret: 'push_secret',
    },
    handshake: { method: 'POST', where: { type: 'url_verification' }, echo: { parameter: 'challenge', as: 'text' } },
    rules: [{ where: { type: 'event_callback', 'event.type': 'app_uninstalled' }, means: 'revoked', account: 'team_id', at: 'event_time' }],
  },
  revoke: { url: 'https://slack.com/api/auth.revoke', clientAuth: 'none', token: 'access' },
  account: [
    { from: 'answer', path: 'team.id', label: 'team.name' },
    // An app installed for a whole Enterprise Grid names no team.
    { from: 'answer', path: 'enterprise.id', label: 'enterprise.name' },
  ],
  api: {
    base: 'https://slack.com/api',
    answers: [
      { status: [200], where: { ok: false, error: '/^(token_revoked|token_expired|account_inactive|invalid_auth|not_authed)$/' }, means: 'token_rejected' },
      { status: [200], where: { ok: false, error: 'missing_scope' }, means: 'scope_missing' },
      { status: [200], where: { ok: false, error: 'ratelimited' }, means: 'throttled' },
    ],
  },
} as const satisfies Partial<ProviderDraft>
