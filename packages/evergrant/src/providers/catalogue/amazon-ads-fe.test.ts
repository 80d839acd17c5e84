import { AMAZON_ADS_CLAIMS } from '../../testing/amazon-ads-claims.ts'
import { recordFacts } from '../../testing/record-facts.ts'
import { amazonAdsFe } from './amazon-ads-fe.ts'

recordFacts(amazonAdsFe, AMAZON_ADS_CLAIMS)
