import type { Integration } from '../connection/integration.ts'
import type { FaultCode } from '../fault/fault.ts'
import { type CallbackParameters, repeated, signedText, single } from './callback-parameters.ts'
import { BROWSER, connectEvent } from './connect-event.ts'
import type { ConnectPorts } from './connect-ports.ts'
import type { BrowserPerson, ConnectFlow, ConnectSession } from './connect-sessions.ts'
import type { FlowContext } from './flow-context.ts'
import { browserHash } from './flow-secret.ts'
import { flowOfBrowser } from './push-flows.ts'
import { sameSecret } from './random-token.ts'

export interface CallbackInput {
  /** The integration named by the path; null for the path without one. */
  readonly slug: string | null
  readonly parameters: CallbackParameters
  /** From our cookie; null when the browser sent none. */
  readonly browserId: string | null
  /** Who is signed in to Evergrant in this browser. Asked only where the mode of the session needs it. */
  readonly person?: BrowserPerson | null
}

/** Refused: nothing of the session is shown, because this browser has not proven that the flow is its own. */
export interface Refusal {
  readonly kind: 'refused'
  readonly code: FaultCode
}

export interface CheckedFlow {
  readonly kind: 'checked'
  readonly session: ConnectSession
  readonly flow: ConnectFlow
}

/** The flow is this browser's, but it is not waiting for an answer any more. */
interface EndedFlow {
  readonly kind: 'ended'
  readonly session: ConnectSession
}

const ONCE = ['state', 'code', 'iss', 'error', 'response']

/** Everything that can be checked before the provider is known: state, browser, path. Nothing is spent or changed. */
export async function checkCallback(input: CallbackInput, ports: ConnectPorts): Promise<CheckedFlow | EndedFlow | Refusal> {
  if (repeated(input.parameters, ONCE)) return { kind: 'refused', code: 'connect_state_mismatch' }
  const session = await sessionOf(input, ports)
  const flow = session?.flow
  if (session === undefined || flow === null || flow === undefined) return { kind: 'refused', code: 'connect_state_mismatch' }
  const waiting = session.state === 'started'
  if (waiting && flow.expiresAt <= ports.clock.wall()) return refuse(session, 'connect_session_expired', 'flow_expired', ports)
  if (input.browserId === null || !sameSecret(browserHash(input.browserId, session.id, ports.seal), flow.browserHash)) {
    return refuse(session, 'connect_browser_mismatch', input.browserId === null ? 'no_cookie' : 'other_browser', ports)
  }
  const integration = await ports.integrations.load(session.integration)
  if (integration === undefined || !pathFits(integration, flow, input.slug, ports.publicUrl))
    return refuse(session, 'connect_state_mismatch', 'other_integration', ports)
  return waiting ? { kind: 'checked', session, flow } : { kind: 'ended', session }
}

function sessionOf({ parameters, browserId, slug }: CallbackInput, ports: ConnectPorts): Promise<ConnectSession | undefined> {
  const state = single(parameters, 'state')
  if (state !== null) return ports.sessions.byStateHash(ports.seal.digest(state))
  return parameters.has('state') || browserId === null ? Promise.resolve(undefined) : flowOfBrowser(browserId, slug, ports)
}

/**
 * The answer must arrive where this flow's redirect URI points. A redirect URI that was registered elsewhere may be
 * forwarded to the path without a name; then `state` alone carries the integration.
 */
function pathFits(integration: Integration, flow: ConnectFlow, slug: string | null, publicUrl: string): boolean {
  // The address that a slug of old times had may stay registered, too: then it is this integration's redirect URI.
  if (slug !== null) return slug === integration.slug || flow.redirectUri === `${publicUrl}/connect/callback/${slug}`
  return flow.redirectUri !== `${publicUrl}/connect/callback/${integration.slug}`
}

/**
 * RFC 9207 section 2.4: the issuer that answered must be the one the browser was sent to. A provider that never promised
 * `iss` may leave it out; one that is there must fit all the same.
 */
export async function checkIssuer(checked: CheckedFlow, flowing: FlowContext, parameters: CallbackParameters, ports: ConnectPorts): Promise<Refusal | null> {
  const { issuer, issuerInCallback } = flowing.context.endpoints
  const said = single(parameters, 'iss')
  const expected = checked.flow.issuer
  if (issuer !== expected) return refuse(checked.session, 'connect_state_mismatch', 'issuer_changed', ports)
  if (said === null) return issuerInCallback ? refuse(checked.session, 'connect_state_mismatch', 'issuer_missing', ports) : null
  return expected !== null && said !== expected ? refuse(checked.session, 'connect_state_mismatch', 'issuer_differs', ports) : null
}

/**
 * Shopify, "Verify the installation request": hexadecimal HMAC-SHA-256 under the client secret. A wrong one spends nothing, and the
 * genuine answer may still come.
 */
export async function checkSignature(
  session: ConnectSession,
  flowing: FlowContext,
  parameters: CallbackParameters,
  ports: ConnectPorts,
): Promise<Refusal | null> {
  const { record, clientSecret, signing } = flowing.context
  const name = record.authorize.callback.hmac
  if (name === null) return null
  if (clientSecret === null || signing === undefined) return refuse(session, 'client_rejected', 'no_client_secret', ports)
  const text = signedText(parameters, name)
  const right = text === null ? null : signing.signer.hash('hmac_sha256', clientSecret, text, 'hex')
  const genuine = right !== null && sameSecret(right, (single(parameters, name) ?? '').toLowerCase())
  return genuine ? null : refuse(session, 'connect_state_mismatch', 'signature', ports)
}

async function refuse(session: ConnectSession, code: FaultCode, why: string, ports: ConnectPorts): Promise<Refusal> {
  await ports.events.append(connectEvent({ type: 'connect.refused', actor: BROWSER, session, data: { code, why } }, ports))
  return { kind: 'refused', code }
}
