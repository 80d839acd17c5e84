import type { ProviderRecord } from '../core/provider/record.ts'
import { defineProvider } from './define.ts'

export interface AmazonAdsRegion {
  readonly id: string
  readonly name: string
  readonly authorize: string
  /** Host of Login with Amazon: token endpoint and profile. */
  readonly login: string
  readonly api: string
  readonly sandbox: string
  readonly marketplaces: string
}

/** The three regions of Amazon Ads differ in their hosts only. */
export function amazonAds(region: AmazonAdsRegion): ProviderRecord {
  return defineProvider({
    id: region.id,
    name: region.name,
    docs: 'https://advertising.amazon.com/API/docs/en-us/guides/account-management/authorization/overview',
    authorize: { url: region.authorize, defaultScopes: ['advertising::campaign_management'] },
    token: { url: `https://${region.login}/auth/o2/token` },
    verdicts: [
      {
        step: 'refresh',
        status: [400],
        where: { error: 'invalid_grant' },
        verdict: 'dead',
        meaning: 'Expired 365 days after consent, revoked, the app removed, or the client changed: the body does not say which.',
      },
      {
        step: 'exchange',
        status: [400],
        where: { error: 'invalid_grant' },
        verdict: 'restart_flow',
        meaning: 'The authorization code is older than five minutes or already used.',
      },
      { status: [401], where: { error: 'invalid_client' }, verdict: 'config', meaning: 'The client secret is wrong, rotated or expired.' },
    ],
    reuse: { class: 'P0', evidence: 'A refresh answers with the same refresh token.' },
    rotation: 'never',
    lifetimes: { accessSeconds: 3_600, refreshAbsoluteSeconds: 31_536_000, absoluteSince: '2026-07-30', absoluteFrom: 'consent' },
    account: [
      { from: 'request', url: `https://${region.login}/user/profile`, path: 'user_id', label: 'email', needsScope: ['profile', 'profile:user_id'] },
      { from: 'request', url: `https://${region.api}/v2/profiles`, path: '*.profileId', label: '0.accountInfo.name' },
    ],
    api: {
      base: `https://${region.api}`,
      hosts: [region.sandbox, region.login],
      headers: { 'Amazon-Advertising-API-ClientId': '{client_id}' },
      answers: [{ status: [401], where: { details: '/authentication failed/i' }, means: 'token_rejected' }],
    },
    notes: [
      `Marketplaces: ${region.marketplaces}. Tokens are valid in every region; only the API hosts are regional, and the wrong region answers an empty list.`,
      'The redirect URI must be https and listed under Allowed Return URLs.',
      'Grants consented on or after 2026-07-30 end 365 days after consent, and no refresh extends that; earlier grants have no fixed end. The answer carries no date.',
      'Nearly every call but GET /v2/profiles needs Amazon-Advertising-API-Scope with a profile id; AMC calls need Amazon-Advertising-API-AdvertiserId and Amazon-Advertising-API-MarketplaceId.',
      'There is no revoke endpoint and no deauthorization webhook: a removed app is seen at the next refresh.',
      "Without the scope profile:user_id the account is the smallest of the region's profile ids, and a grant without a profile in the region cannot be connected; add the scope for an id that never moves.",
      'Official pages disagree on the name of the client id header: newer ones say Amazon-Ads-ClientId.',
    ],
    sources: [
      'https://advertising.amazon.com/API/docs/en-us/guides/account-management/authorization/authorization-grants',
      'https://advertising.amazon.com/API/docs/en-us/guides/account-management/authorization/refresh-tokens',
      'https://developer.amazon.com/docs/login-with-amazon/authorization-code-grant.html',
    ],
  })
}
