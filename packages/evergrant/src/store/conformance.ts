import { accessCases } from './conformance/access-cases.ts'
import { agentCases } from './conformance/agent-cases.ts'
import { alertCases } from './conformance/alert-cases.ts'
import { checkCases } from './conformance/check-cases.ts'
import { claimCases } from './conformance/claim-cases.ts'
import { connectionCases } from './conformance/connection-cases.ts'
import { deathCases } from './conformance/death-cases.ts'
import { dueCases } from './conformance/due-cases.ts'
import { enrolmentCases } from './conformance/enrolment-cases.ts'
import { factorRemovalCases } from './conformance/factor-removal-cases.ts'
import { failureCases } from './conformance/failure-cases.ts'
import { grantCases } from './conformance/grant-cases.ts'
import { identityCases } from './conformance/identity-cases.ts'
import { importCases } from './conformance/import-cases.ts'
import { installationCases } from './conformance/installation-cases.ts'
import { lineageCases } from './conformance/lineage-cases.ts'
import { nodeCases } from './conformance/node-cases.ts'
import { observeCases } from './conformance/observe-cases.ts'
import { operationCases } from './conformance/operation-cases.ts'
import { ownerCases } from './conformance/owner-cases.ts'
import { personDecisionCases } from './conformance/person-decision-cases.ts'
import { personSessionCases } from './conformance/person-session-cases.ts'
import { pushCases } from './conformance/push-cases.ts'
import { quotaCases } from './conformance/quota-cases.ts'
import { resealCases } from './conformance/reseal-cases.ts'
import { retentionCases } from './conformance/retention-cases.ts'
import { sessionCases } from './conformance/session-cases.ts'
import { signInCases } from './conformance/sign-in-cases.ts'
import { signingKeyCases } from './conformance/signing-key-cases.ts'
import type { StoreCase } from './conformance/store-case.ts'
import { trustCases } from './conformance/trust-cases.ts'
import { userCases } from './conformance/user-cases.ts'
import { warningCases } from './conformance/warning-cases.ts'
import { webhookCases } from './conformance/webhook-cases.ts'

export type { StoreContext } from './conformance/store-case.ts'

/** What every store must do, as data: a test runner of your choice runs each against a migrated, empty store. */
export const storeCases: readonly StoreCase[] = [
  ...claimCases,
  ...grantCases,
  ...failureCases,
  ...deathCases,
  ...dueCases,
  ...connectionCases,
  ...importCases,
  ...retentionCases,
  ...resealCases,
  ...sessionCases,
  ...accessCases,
  ...warningCases,
  ...pushCases,
  ...checkCases,
  ...quotaCases,
  ...identityCases,
  ...factorRemovalCases,
  ...lineageCases,
  ...userCases,
  ...personDecisionCases,
  ...personSessionCases,
  ...nodeCases,
  ...signingKeyCases,
  ...ownerCases,
  ...signInCases,
  ...installationCases,
  ...agentCases,
  ...trustCases,
  ...observeCases,
  ...enrolmentCases,
  ...alertCases,
  ...webhookCases,
  ...operationCases,
]
