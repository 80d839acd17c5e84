import { recordFacts } from '../../testing/record-facts.ts'
import { notion } from './notion.ts'

const who = { account: '8a4c6f3e-0000-4000-8000-000000000001', label: 'Acme' }
const facts = { workspace_id: '1f2e3d4c-0000-4000-8000-000000000002', owner_user: '5b6a7c8d-0000-4000-8000-000000000003' }

recordFacts(notion, {
  exchange: [
    { expect: { accessToken: 'ntn_at-1', refreshToken: 'nrt_rt-1', ...who, facts } },
    { answer: { ...notion.samples.exchange, refresh_token: null }, expect: { accessToken: 'ntn_at-1', ...who, facts } },
  ],
  refresh: { expect: { accessToken: 'ntn_at-2', refreshToken: 'nrt_rt-2', ...who, facts } },
  errors: [
    ['refresh', 400, { error: 'invalid_grant' }, 'dead'],
    ['exchange', 400, { error: 'invalid_grant' }, 'restart_flow'],
    ['refresh', 401, { error: 'invalid_client' }, 'config'],
  ],
  api: [[401, {}, { object: 'error', status: 401, code: 'unauthorized', message: 'API token is invalid.' }, 'token_rejected']],
})
