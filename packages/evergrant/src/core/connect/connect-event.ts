import type { Actor, EventType, NewEvent } from '../audit/event.ts'
import type { FaultEvidence, StoredFault } from '../connection/connection.ts'
import type { FaultCode } from '../fault/fault.ts'
import { type ConnectionId, newId } from '../ids.ts'
import type { JsonObject } from '../json.ts'
import type { ProviderSaid } from '../provider/verdict.ts'
import type { ConnectPorts } from './connect-ports.ts'
import type { ConnectSession } from './connect-sessions.ts'

export const BROWSER: Actor = { kind: 'browser', id: null }

type EventPorts = Pick<ConnectPorts, 'clock' | 'entropy'>

interface ConnectEvent {
  readonly type: EventType
  readonly actor: Actor
  readonly session: Pick<ConnectSession, 'id' | 'organization' | 'integration' | 'owner' | 'connection'>
  readonly connection?: ConnectionId
  readonly data?: JsonObject
}

export function connectEvent(event: ConnectEvent, ports: EventPorts): NewEvent {
  const { session } = event
  return {
    id: newId('evt', ports.entropy),
    organization: session.organization,
    type: event.type,
    at: ports.clock.wall(),
    actor: event.actor,
    connection: event.connection ?? session.connection,
    subject: session.id,
    data: { integration: session.integration, owner: session.owner, ...event.data },
  }
}

const NO_EVIDENCE: FaultEvidence = { intent: null, httpStatus: null, providerCode: null, providerText: null, answerHash: null }

/** A fault to be kept with the session, for its page. */
export function sessionFault(code: FaultCode, at: number, said?: ProviderSaid): StoredFault {
  return {
    code,
    at,
    evidence: said === undefined ? NO_EVIDENCE : { ...NO_EVIDENCE, httpStatus: said.httpStatus, providerCode: said.code, providerText: said.text },
  }
}
