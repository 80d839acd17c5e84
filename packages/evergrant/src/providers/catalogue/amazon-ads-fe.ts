import { amazonAds } from '../amazon-ads.ts'

export const amazonAdsFe = amazonAds({
  id: 'amazon-ads-fe',
  name: 'Amazon Ads (Far East)',
  authorize: 'https://apac.account.amazon.com/ap/oa',
  login: 'api.amazon.co.jp',
  api: 'advertising-api-fe.amazon.com',
  sandbox: 'advertising-api-fe-test.amazon.com',
  marketplaces: 'JP, AU, SG',
})
