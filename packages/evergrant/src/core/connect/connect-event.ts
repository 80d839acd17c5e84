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

export interface ConnectEvent {
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
  return { code, at, evidence: said === undefined ? NO_EVIDENCE : { ...NO_EVIDENCE, httpStatus: said.httpStatus, providerCode: said.code, providerText: said.text } }
}

const CODE = /^[A-Za-z0-9._-]{1,80}$/
const UNSEEMLY = /[^ -~\u00a0-\ud7ff\uf900-\uffef]+/g

/** What a provider wrote into a callback, made fit to keep: one line, no control characters, cut (S11). */
export function tidyText(text: string, longest: number): string {
  const line = text.replace(UNSEEMLY, ' ').trim()
  return line.length <= longest ? line : `${line.slice(0, longest - 3)}...`
}

export function tidyCode(code: string): string {
  return CODE.test(code) ? code : 'unrecognised'
}
