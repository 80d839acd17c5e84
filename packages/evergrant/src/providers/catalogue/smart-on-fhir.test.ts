import { recordFacts } from '../../testing/record-facts.ts'
import { smartOnFhir } from './smart-on-fhir.ts'

const scopes = ['launch/patient', 'offline_access', 'openid', 'fhirUser']

recordFacts(smartOnFhir, {
  exchange: {
    expect: { accessToken: 'access-1', refreshToken: 'refresh-1', accessSeconds: 3_600, scopes, account: 'Patient/1', facts: { patient: 'patient-1' } },
  },
  refresh: {
    expect: { accessToken: 'access-2', accessSeconds: 3_600, scopes },
  },
  errors: [
    ['refresh', 400, { error: 'invalid_grant' }, 'dead'],
    ['exchange', 400, { error: 'invalid_grant' }, 'restart_flow'],
    ['refresh', 401, { error: 'invalid_client' }, 'config'],
  ],
})
