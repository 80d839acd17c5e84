import type { ProviderRecord } from '../core/provider/record.ts'
import { AMAZON_VERDICTS } from './amazon-verdicts.ts'
import { defineProvider } from './define.ts'

interface AmazonAdsRegion {
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
    setup: [
      'Create a security profile in Login with Amazon and have it approved for the Amazon Ads API.',
      'In its web settings add {redirect_uri} to the Allowed Return URLs; it must be https.',
      'Copy client id and client secret of the security profile into the integration.',
    ],
    scopes: {
      'advertising::campaign_management': 'Read and change campaigns, reports and AMC',
      'advertising::audiences': 'Send audience data (Data Provider API)',
      'profile:user_id': 'Know which Amazon account consented',
      profile: 'Read name and e-mail address of the Amazon account',
    },
    authorize: { url: region.authorize, defaultScopes: ['advertising::campaign_management'] },
    token: { url: `https://${region.login}/auth/o2/token` },
    verdicts: AMAZON_VERDICTS,
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
      required: [
        {
          header: 'Amazon-Advertising-API-Scope',
          except: ['/v2/profiles', '/amc/', '/adsApi/'],
          meaning: 'The id of an advertising profile, from GET /v2/profiles.',
        },
      ],
      answers: [{ status: [401], where: { details: '/authentication failed/i' }, means: 'token_rejected' }],
    },
    check: { request: { url: `https://${region.api}/v2/profiles` } },
    samples: {
      exchange: { access_token: 'Atza|at-1', refresh_token: 'Atzr|rt-1', token_type: 'bearer', expires_in: 3_600 },
      refresh: { access_token: 'Atza|at-2', refresh_token: 'Atzr|rt-1', token_type: 'bearer', expires_in: 3_600 },
    },
    notes: [
      `Marketplaces: ${region.marketplaces}. Tokens are valid in every region; only the API hosts are regional, and the wrong region answers an empty list.`,
      'The redirect URI must be https and listed under Allowed Return URLs.',
      'Grants consented on or after 2026-07-30 end 365 days after consent, and no refresh extends that; earlier grants have no fixed end. The answer carries no date.',
      'Nearly every call but GET /v2/profiles needs Amazon-Advertising-API-Scope with a profile id; AMC calls need Amazon-Advertising-API-AdvertiserId and Amazon-Advertising-API-MarketplaceId.',
      'There is no revoke endpoint and no deauthorization webhook: a removed app is seen at the next refresh.',
      "Without the scope profile:user_id the account is the smallest of the region's profile ids, and a grant without a profile in the region cannot be connected; add the scope for an id that never moves.",
      'An app without a successful API call for 2 years loses access.',
      'Limits follow the load and are not published; Retry-After is sometimes missing on a 429.',
      'Official pages disagree on the name of the client id header: newer ones say Amazon-Ads-ClientId.',
    ],
    unverified: ['setup'],
    sources: [
      'https://advertising.amazon.com/API/docs/en-us/guides/account-management/authorization/authorization-grants',
      'https://advertising.amazon.com/API/docs/en-us/guides/account-management/authorization/refresh-tokens',
      'https://developer.amazon.com/docs/login-with-amazon/authorization-code-grant.html',
    ],
  })
}
