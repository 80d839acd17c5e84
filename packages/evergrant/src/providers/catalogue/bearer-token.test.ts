import { grantFacts } from '../../testing/grant-facts.ts'
import { bearerToken } from './bearer-token.ts'

grantFacts(bearerToken, { credentials: { api_key: 'pat-1' } })
