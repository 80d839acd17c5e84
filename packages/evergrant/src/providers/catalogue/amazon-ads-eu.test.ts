import { AMAZON_ADS_CLAIMS } from '../../testing/amazon-ads-claims.ts'
import { recordFacts } from '../../testing/record-facts.ts'
import { amazonAdsEu } from './amazon-ads-eu.ts'

recordFacts(amazonAdsEu, AMAZON_ADS_CLAIMS)
