import { AMAZON_ADS_CLAIMS } from '../../testing/amazon-ads-claims.ts'
import { recordFacts } from '../../testing/record-facts.ts'
import { amazonAdsNa } from './amazon-ads-na.ts'

recordFacts(amazonAdsNa, AMAZON_ADS_CLAIMS)
