import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { accountRequest } from '../core/provider/account.ts'
import { apiBase, apiHeaders } from '../core/provider/api.ts'
import { authorizeUrl } from '../core/provider/authorize.ts'
import { refreshRequest, revokeRequest } from '../core/provider/token-request.ts'
import { contextOf } from '../testing/provider-contexts.ts'
import { catalogue } from './index.ts'

const authorizeInput = {
  redirectUri: 'https://app.example/connect/callback/one',
  state: 'state-1',
  scopes: [],
  codeChallenge: 'challenge-1',
  nonce: null,
  extra: {},
}

test.each(catalogue.map((record) => record.id))('%s has a test beside it, whose snapshot shows every request', (id) => {
  expect(existsSync(new URL(`./catalogue/${id}.test.ts`, import.meta.url))).toBe(true)
})

test('Amazon Ads: hosts of each region, the client id header, no revocation', async () => {
  const regions = [
    ['amazon-ads-na', 'https://www.amazon.com/ap/oa', 'https://api.amazon.com/auth/o2/token', 'https://advertising-api.amazon.com'],
    ['amazon-ads-eu', 'https://eu.account.amazon.com/ap/oa', 'https://api.amazon.co.uk/auth/o2/token', 'https://advertising-api-eu.amazon.com'],
    ['amazon-ads-fe', 'https://apac.account.amazon.com/ap/oa', 'https://api.amazon.co.jp/auth/o2/token', 'https://advertising-api-fe.amazon.com'],
  ] as const
  for (const [id, authorize, token, api] of regions) {
    const context = await contextOf(id)
    expect([context.endpoints.authorize, context.endpoints.token, apiBase(context)]).toEqual([authorize, token, api])
    expect(authorizeUrl(context, authorizeInput)).toContain('scope=advertising%3A%3Acampaign_management')
    expect(apiHeaders(context, 'Atza|x')).toEqual({ authorization: 'Bearer Atza|x', 'amazon-advertising-api-clientid': 'client-1' })
    expect(revokeRequest(context, { accessToken: 'a', refreshToken: 'r' })).toBeNull()
  }
})

test('Amazon Ads asks the profile where its scope was granted, else the list of advertising profiles', async () => {
  const context = await contextOf('amazon-ads-eu')
  expect(accountRequest(context, 'a', ['advertising::campaign_management', 'profile:user_id'])?.url).toBe('https://api.amazon.co.uk/user/profile')
  expect(accountRequest(context, 'a', ['advertising::campaign_management'])?.url).toBe('https://advertising-api-eu.amazon.com/v2/profiles')
})

test('Strava revokes the refresh token with Basic; with an access token alone it deauthorizes', async () => {
  const context = await contextOf('strava')
  expect(revokeRequest(context, { accessToken: 'a', refreshToken: 'r' })).toMatchObject({
    url: 'https://www.strava.com/oauth/revoke',
    basic: { username: 'client-1', password: 'secret-of-client-1' },
    body: 'token=r&token_type_hint=refresh_token',
  })
  expect(revokeRequest(context, { accessToken: 'a', refreshToken: null })).toMatchObject({
    url: 'https://www.strava.com/oauth/deauthorize',
    body: 'access_token=a',
    basic: null,
  })
})

test('Slack puts the scopes of a user token into user_scope', async () => {
  const context = await contextOf('slack-rotation', { token: 'user' })
  const url = authorizeUrl(context, { ...authorizeInput, scopes: ['chat:write', 'users:read'], codeChallenge: null })
  expect(new URL(url).searchParams.get('user_scope')).toBe('chat:write,users:read')
  expect(new URL(url).searchParams.has('scope')).toBe(false)
})

test('an integration without a secret sends its client id in the body and no Basic header', async () => {
  const request = refreshRequest(await contextOf('oidc', { clientSecret: null }), { refreshToken: 'r', scopes: [] })
  expect(request.basic).toBeNull()
  expect(request.body).toBe('grant_type=refresh_token&refresh_token=r&client_id=client-1')
})

test('PKCE carries the challenge of RFC 7636 appendix B as S256 (S8)', async () => {
  const url = new URL(authorizeUrl(await contextOf('oidc'), { ...authorizeInput, codeChallenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM' }))
  expect(url.searchParams.get('code_challenge')).toBe('E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM')
  expect(url.searchParams.get('code_challenge_method')).toBe('S256')
})

test.each(['state', 'redirect_uri', 'client_id', 'code_challenge', 'nonce'])('an integration cannot override %s', async (name) => {
  const context = await contextOf('oidc')
  expect(() => authorizeUrl(context, { ...authorizeInput, extra: { [name]: 'mine' } })).toThrow(`"${name}" is set by Evergrant`)
})

test("the integration's own authorize parameters win over the record's", async () => {
  const url = new URL(authorizeUrl(await contextOf('google'), { ...authorizeInput, extra: { prompt: 'select_account consent' } }))
  expect(url.searchParams.get('prompt')).toBe('select_account consent')
  expect(url.searchParams.get('access_type')).toBe('offline')
})
