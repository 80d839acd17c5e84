import { amazonAds } from '../amazon-ads.ts'

export const amazonAdsEu = amazonAds({
  id: 'amazon-ads-eu',
  name: 'Amazon Ads (Europe)',
  authorize: 'https://eu.account.amazon.com/ap/oa',
  login: 'api.amazon.co.uk',
  api: 'advertising-api-eu.amazon.com',
  sandbox: 'advertising-api-eu-test.amazon.com',
  marketplaces: 'UK, DE, FR, IT, ES, NL, SE, PL, BE, TR, AE, SA, EG, IN, ZA',
})
