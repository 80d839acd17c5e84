import { grantFacts } from '../../testing/grant-facts.ts'
import { apiKey } from './api-key.ts'

grantFacts(apiKey, { credentials: { api_key: 'key-1' } })
