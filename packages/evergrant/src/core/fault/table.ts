import { AGENT_FAULTS } from './agent-faults.ts'
import { CONNECT_FAULTS } from './connect-faults.ts'
import { CONNECTION_FAULTS } from './connection-faults.ts'
import { LOCAL_FAULTS } from './local-faults.ts'
import { REQUEST_FAULTS } from './request-faults.ts'
import { SESSION_FAULTS } from './session-faults.ts'
import { UPSTREAM_FAULTS } from './upstream-faults.ts'

/** The fault table: `docs/errors.md` is generated from it, and a test holds them together. A new code is a row in one of the seven files. */
export const FAULTS = { ...CONNECTION_FAULTS, ...LOCAL_FAULTS, ...REQUEST_FAULTS, ...CONNECT_FAULTS, ...UPSTREAM_FAULTS, ...SESSION_FAULTS, ...AGENT_FAULTS }
