import { recordFacts } from '../../testing/record-facts.ts'
import { pipedrive } from './pipedrive.ts'

const granted = { accessSeconds: 3_600, scopes: ['base', 'deals:read'], facts: { api_domain: 'https://example.pipedrive.com' } }

recordFacts(pipedrive, {
  facts: { api_domain: 'https://example.pipedrive.com' },
  exchange: { expect: { accessToken: 'access-1', refreshToken: 'refresh-1', ...granted } },
  refresh: { expect: { accessToken: 'access-2', refreshToken: 'refresh-1', ...granted } },
  account: { answer: { success: true, data: { id: 11_223, company_id: 77_345, email: 'jo@example.com' } }, account: '77345:11223', label: 'jo@example.com' },
  errors: [
    ['refresh', 400, { success: false, error: 'invalid_grant' }, 'dead'],
    ['exchange', 400, { success: false, error: 'invalid_grant' }, 'restart_flow'],
    ['refresh', 401, { success: false, error: 'invalid_client' }, 'config'],
  ],
})
