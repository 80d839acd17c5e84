import { recordFacts } from '../../testing/record-facts.ts'
import { docusign } from './docusign.ts'

const granted = { accessSeconds: 28_800, scopes: ['signature', 'extended'] }

recordFacts(docusign, {
  facts: { base_uri: 'https://na3.docusign.net', account_id: '18b4799a' },
  exchange: { expect: { accessToken: 'access-1', refreshToken: 'refresh-1', ...granted } },
  refresh: { expect: { accessToken: 'access-2', refreshToken: 'refresh-2', ...granted } },
  account: { answer: { sub: '564f7988', email: 'jo@example.com', accounts: [] }, account: '564f7988', label: 'jo@example.com' },
  errors: [
    ['refresh', 400, { error: 'invalid_grant' }, 'dead'],
    ['exchange', 400, { error: 'invalid_grant' }, 'restart_flow'],
    ['refresh', 401, { error: 'invalid_client' }, 'config'],
  ],
})
