import { amazonAds } from '../amazon-ads.ts'

export const amazonAdsNa = amazonAds({
  id: 'amazon-ads-na',
  name: 'Amazon Ads (North America)',
  authorize: 'https://www.amazon.com/ap/oa',
  login: 'api.amazon.com',
  api: 'advertising-api.amazon.com',
  sandbox: 'advertising-api-test.amazon.com',
  marketplaces: 'US, CA, MX, BR',
})
