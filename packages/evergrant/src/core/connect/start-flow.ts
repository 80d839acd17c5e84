import { Fault } from '../fault/fault.ts'
import { authorizeUrl, scopesToAsk } from '../provider/authorize.ts'
import { chosenIn } from './choices.ts'
import { BROWSER, connectEvent } from './connect-event.ts'
import type { ConnectPorts } from './connect-ports.ts'
import type { ConnectFlow, ConnectSession } from './connect-sessions.ts'
import { CONNECT_TIMES } from './connect-times.ts'
import { fixedVariables } from './connect-view.ts'
import { expireStaged } from './expire-staged.ts'
import { type FlowContext, flowContext, redirectUriOf } from './flow-context.ts'
import { browserHash, type FlowSecret, sealFlowSecret } from './flow-secret.ts'
import { answeredVariables, variablesToAsk } from './flow-variables.ts'
import { newState } from './push-flows.ts'
import { randomToken } from './random-token.ts'
import { isStartable } from './startable.ts'

interface StartInput {
  readonly session: ConnectSession
  readonly browserId: string
  /** The end user's answers on the page. */
  readonly form: Readonly<Record<string, string>>
}

/**
 * The Continue button: binds the flow to this browser and names the provider's page to go to.
 * @throws Fault `connect_session_expired`, `connect_session_used`, `invalid_request`, `provider_unavailable`
 */
export async function startFlow(input: StartInput, ports: ConnectPorts): Promise<string> {
  const session = await startable(input.session, ports)
  const variables = await endUserVariables({ ...input, session }, ports)
  const flowing = await flowContext(session, ports, { variables })
  const state = await newState(flowing, redirectUriOf(flowing.integration, ports.publicUrl), input.browserId, ports)
  const secret = newFlowSecret(flowing, Object.keys(variables), ports)
  const flow = newFlow(flowing, state, secret, input.browserId, ports)
  const url = authorizeAt(flowing, flow, state, secret, ports)
  const event = connectEvent({ type: 'connect.started', actor: BROWSER, session, data: { pkce: secret.verifier !== null } }, ports)
  const chosen = session.choices === undefined ? undefined : session.integration
  const started = await ports.sessions.start(session.id, flow, { ...session.variables, ...variables }, event, chosen)
  if (!started) throw new Fault('connect_session_used')
  return url
}

/** @throws Fault `connect_session_expired`, `connect_session_used` */
async function startable(session: ConnectSession, ports: ConnectPorts): Promise<ConnectSession> {
  const now = ports.clock.wall()
  if (!isStartable(session, now)) throw new Fault('connect_session_used')
  if (session.expiresAt <= now) throw new Fault('connect_session_expired')
  if (session.state === 'open' || session.state === 'started') return session
  await expireStaged(session, ports)
  const current = (await ports.sessions.load(session.id)) ?? session
  return chosenIn(current, session.integration) ?? current
}

async function endUserVariables(input: StartInput, ports: ConnectPorts): Promise<Readonly<Record<string, string>>> {
  const integration = await ports.integrations.load(input.session.integration)
  const record = integration === undefined ? undefined : ports.providers.get(integration.provider)
  if (integration === undefined || record === undefined) return {}
  // A second try may correct what was answered before, but not what the backend or the stored connection fixed.
  return answeredVariables(input.form, variablesToAsk(record, { ...integration.variables, ...fixedVariables(input.session, ports) }))
}

function newFlowSecret(flowing: FlowContext, asked: readonly string[], ports: ConnectPorts): FlowSecret {
  const { context } = flowing
  return {
    verifier: context.endpoints.pkce ? randomToken(ports.entropy) : null,
    nonce: context.endpoints.issuer !== null && asksForIdentity(flowing) ? randomToken(ports.entropy) : null,
    asked,
  }
}

function asksForIdentity({ context, integration, session }: FlowContext): boolean {
  return scopesToAsk(context, session.scopes ?? integration.scopes).includes('openid')
}

function newFlow(flowing: FlowContext, state: string, secret: FlowSecret, browserId: string, ports: ConnectPorts): ConnectFlow {
  const { session, integration, context } = flowing
  const now = ports.clock.wall()
  return {
    stateHash: ports.seal.digest(state),
    browserHash: browserHash(browserId, session.id, ports.seal),
    secret: sealFlowSecret(secret, session, ports.seal),
    redirectUri: redirectUriOf(integration, ports.publicUrl),
    issuer: context.endpoints.issuer,
    startedAt: now,
    expiresAt: now + CONNECT_TIMES.flowMs,
    intent: null,
  }
}

function authorizeAt(flowing: FlowContext, flow: ConnectFlow, state: string, secret: FlowSecret, ports: ConnectPorts): string {
  const { session, integration, context } = flowing
  return authorizeUrl(context, {
    redirectUri: flow.redirectUri,
    state,
    scopes: session.scopes ?? integration.scopes,
    codeChallenge: secret.verifier === null ? null : ports.seal.digest(secret.verifier),
    nonce: secret.nonce,
    extra: { ...integration.settings.authorizeParameters, ...chooser(flowing) },
  })
}

/** A provider that signs people in by itself would bring the same account again. */
function chooser({ session, context }: FlowContext): Readonly<Record<string, string>> {
  const { code } = session.fault ?? { code: null }
  return code === 'account_mismatch' || code === 'admin_approval_required' ? context.record.authorize.chooseAccount : {}
}
