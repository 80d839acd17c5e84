import { grantFacts } from '../../testing/grant-facts.ts'
import { basic } from './basic.ts'

grantFacts(basic, { credentials: { username: 'Aladdin', password: 'open sesame' } })
