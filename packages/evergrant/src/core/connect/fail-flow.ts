import type { FaultCode } from '../fault/fault.ts'
import type { ConnectSessionId } from '../ids.ts'
import type { ProviderSaid } from '../provider/verdict.ts'
import { untilDurable } from '../refresh/durable.ts'
import { protocolTimes } from '../refresh/protocol-times.ts'
import type { Refusal } from './callback-checks.ts'
import { BROWSER, connectEvent, sessionFault } from './connect-event.ts'
import type { ConnectPorts } from './connect-ports.ts'
import type { ConnectSession } from './connect-sessions.ts'

/** What the browser sees next. `return`: the application's address. `page`: our own page about this session. */
export type FlowOutcome =
  | { readonly kind: 'return'; readonly url: string }
  | { readonly kind: 'page'; readonly session: ConnectSessionId }
  /** Mode `signed_in`: the grant waits until its owner has signed in to Evergrant. */
  | { readonly kind: 'sign_in_first'; readonly session: ConnectSessionId }
  /** Mode `sign_in`: the account is known, and `core/sign-in` says whose it is. */
  | { readonly kind: 'signing_in'; readonly session: ConnectSessionId }
  | Refusal

/** Retries a write until the store has it: after a code is spent, nothing may depend on one attempt. */
export function durably<Outcome>(ports: ConnectPorts, what: string, write: () => Promise<Outcome>): Promise<Outcome> {
  return untilDurable({ timers: ports.timers, entropy: ports.entropy, log: ports.log, times: protocolTimes() }, what, write)
}

/** The link can be tried again; the page says what happened. `session` is the run that failed, with its exchange: where another one is under way, the page says so. */
export async function failFlow(session: ConnectSession, code: FaultCode, said: ProviderSaid, ports: ConnectPorts): Promise<FlowOutcome> {
  const fault = sessionFault(code, ports.clock.wall(), said)
  const data = { code, provider_code: said.code, provider_text: said.text, http_status: said.httpStatus }
  const event = connectEvent({ type: code === 'account_mismatch' ? 'connect.account_mismatch' : 'connect.failed', actor: BROWSER, session, data }, ports)
  await durably(ports, 'connect failure', () => ports.sessions.fail(session, fault, event))
  return { kind: 'page', session: session.id }
}
