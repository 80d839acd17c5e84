import { Fault, type FaultClass, type FaultCode } from '../fault/fault.ts'
import { type IntentId, newId } from '../ids.ts'
import { scopesToAsk } from '../provider/authorize.ts'
import { readScopes } from '../provider/grant.ts'
import type { Granted, ProviderSaid, Verdict } from '../provider/verdict.ts'
import type { CodeExchangeRequest, CodeExchangeResult } from '../refresh/exchange.ts'
import { tellSuperseded } from './account-limits.ts'
import { type CallbackInput, type CheckedFlow, checkCallback, checkIssuer, checkSignature } from './callback-checks.ts'
import { type CallbackParameters, callbackError, plainParameters, single } from './callback-parameters.ts'
import { askAfterConnect, completeGrant } from './complete-grant.ts'
import type { ConnectPorts } from './connect-ports.ts'
import type { BrowserPerson, ConnectSession } from './connect-sessions.ts'
import { discardTokens } from './discard-tokens.ts'
import { discardStaged } from './expire-staged.ts'
import { type FlowOutcome, failFlow } from './fail-flow.ts'
import { type FlowContext, flowContext } from './flow-context.ts'
import { flowOutcome, settledOutcome } from './flow-outcome.ts'
import { openFlowSecret } from './flow-secret.ts'
import { identityProblem } from './identity-check.ts'
import { claimPushedCode } from './pushed-codes.ts'
import { readAccount } from './read-account.ts'
import { stageGrant } from './stage-grant.ts'
import type { HeldGrant } from './staged-grant.ts'

/**
 * The provider's answer came back in a browser. Checks everything before the code is spent, spends it exactly once, and
 * stages what it brought. @throws Fault when nothing could be decided (store or discovery away): the same callback may be repeated
 */
export async function finishCallback(input: CallbackInput, ports: ConnectPorts): Promise<FlowOutcome> {
  const checked = await checkCallback(input, ports)
  if (checked.kind === 'refused') return checked
  const person = input.person ?? null
  if (checked.kind === 'ended') return settledOutcome(checked.session, person, ports)
  const flowing = await contextOrFault(checked.session, input.parameters, ports)
  if (flowing instanceof Fault) return contextFailed(checked.session, flowing, ports)
  const refused = (await checkSignature(checked.session, flowing, input.parameters, ports)) ?? (await checkIssuer(checked, flowing, input.parameters, ports))
  if (refused !== null) return refused
  const error = callbackError(input.parameters)
  if (error !== null) return failFlow(checked.session, error.fault, { httpStatus: null, code: error.providerCode, text: error.providerText }, ports)
  if (flowing.context.record.authorize.callback.by === 'redirect')
    return spendCode(checked, flowing, { code: single(input.parameters, flowing.context.record.authorize.callback.code), input }, ports)
  const pushed = await claimPushedCode(checked, flowing, ports)
  if (pushed === null)
    return failFlow(
      checked.session,
      'connect_failed',
      { httpStatus: null, code: 'no_push', text: `${flowing.context.record.name} has not sent its code.` },
      ports,
    )
  const { context } = flowing
  return spendCode(checked, { ...flowing, context: { ...context, facts: { ...context.facts, ...pushed.facts } } }, { code: pushed.code, input }, ports)
}

/** Where the code is exchanged may depend on what the callback says (Zoho's data centres): checked before anything is sent there. */
async function contextOrFault(session: ConnectSession, parameters: CallbackParameters, ports: ConnectPorts): Promise<FlowContext | Fault> {
  try {
    return await flowContext(session, ports, { callback: plainParameters(parameters) })
  } catch (error) {
    if (error instanceof Fault) return error
    throw error
  }
}

/** Whatever cannot be filled in at this point was the provider's to say. */
function contextFailed(session: ConnectSession, { code, message }: Fault, ports: ConnectPorts): Promise<FlowOutcome> {
  const itsWords = code === 'connect_failed' || code === 'invalid_request'
  return failFlow(session, itsWords ? 'connect_failed' : code, { ...SILENT, text: itsWords ? message : null }, ports)
}

async function spendCode(
  checked: CheckedFlow,
  flowing: FlowContext,
  { code, input }: { readonly code: string | null; readonly input: CallbackInput },
  ports: ConnectPorts,
): Promise<FlowOutcome> {
  const { session, flow } = checked
  const person = input.person ?? null
  if (code === null) return failFlow(session, 'connect_failed', { httpStatus: null, code: 'no_code', text: null }, ports)
  const secret = openFlowSecret(flow.secret, session, ports.seal)
  const intent = newId('itn', ports.entropy)
  const ours = await ports.sessions.beginExchange(session.id, flow.stateHash, intent)
  if (!ours) return settledOutcome(session, person, ports)
  const begun: ConnectSession = { ...session, state: 'exchanging', flow: { ...flow, intent } }
  const { organization, id } = begun
  const plain = plainParameters(input.parameters)
  const wanted = { organization, session: id, intent, context: flowing.context, code, redirectUri: flow.redirectUri, verifier: secret.verifier }
  const result = await exchanged({ ...wanted, callback: callbackFindings(plain, flowing) }, ports)
  if (result instanceof Fault) return unsent(begun, result, ports)
  const failed = await keepAnswer({ flowing: { ...flowing, session: begun }, result, nonce: secret.nonce, intent, parameters: plain, person }, ports)
  ports.exchange.settle(intent)
  return failed ?? afterStaging(begun, person, ports)
}

async function exchanged(request: CodeExchangeRequest, ports: ConnectPorts): Promise<CodeExchangeResult | Fault> {
  try {
    return await ports.exchange.run(request)
  } catch (error) {
    if (error instanceof Fault) return error
    throw error
  }
}

/** The consent is safe by now. What is away comes back, and the same callback goes on from here; what cannot come back gives the grant back. @throws Fault of the first kind */
async function afterStaging(session: ConnectSession, person: BrowserPerson | null, ports: ConnectPorts): Promise<FlowOutcome> {
  try {
    return await flowOutcome(session.id, person, ports)
  } catch (error) {
    if (!(error instanceof Fault) || PASSES.has(error.definition.class)) throw error
    const staged = (await ports.sessions.load(session.id)) ?? session
    const outcome = await unsent(session, error, ports)
    await discardStaged(staged, ports)
    return outcome
  }
}

const PASSES: ReadonlySet<FaultClass> = new Set(['local', 'transient'])

/** Its code and its state are spent; what else it said belongs to the answer. */
function callbackFindings(parameters: Readonly<Record<string, string>>, { context }: FlowContext): Readonly<Record<string, string>> {
  const { code } = context.record.authorize.callback
  return Object.fromEntries(Object.entries(parameters).filter(([name]) => name !== code && name !== 'state'))
}

/** A request that cannot be built, for want of a key that signs or of a value in its record, is the integration's trouble, not the end user's. */
function unsent(session: ConnectSession, { code, message }: Fault, ports: ConnectPorts): Promise<FlowOutcome> {
  const ours = code === 'invalid_request' || code === 'client_rejected'
  return failFlow(session, ours ? 'client_rejected' : code, { ...SILENT, text: ours ? message : null }, ports)
}

const SILENT: ProviderSaid = { httpStatus: null, code: null, text: null }

interface ExchangeAnswer {
  readonly flowing: FlowContext
  readonly result: CodeExchangeResult
  readonly nonce: string | null
  readonly intent: IntentId
  /** Of the callback; from the journal, those that say something about the grant. */
  readonly parameters: Readonly<Record<string, string>>
  /** Who is signed in where the callback came from; null after a restart, when there is no browser. */
  readonly person: BrowserPerson | null
}

/** From the answer of the token endpoint to a staged grant and what its browser sees, or to a session that can be tried again. `staging`: how the first part is tried. */
export async function useAnswer(answer: ExchangeAnswer, staging: ConnectPorts, ports: ConnectPorts): Promise<FlowOutcome> {
  return (await keepAnswer(answer, staging)) ?? flowOutcome(answer.flowing.session.id, answer.person, ports)
}

/** Null: the grant is staged. */
async function keepAnswer(answer: ExchangeAnswer, ports: ConnectPorts): Promise<FlowOutcome | null> {
  const { flowing, result } = answer
  const { verdict } = result
  if (verdict.kind !== 'granted' || result.answer === null)
    return failFlow(flowing.session, verdict.kind === 'granted' ? 'internal' : faultOfVerdict(verdict), verdict.said, ports)
  const problem = identityProblem(verdict.grant.idToken, flowing.context, answer.nonce, ports.clock.wall())
  if (problem !== null) {
    await discardTokens(flowing, verdict.grant, ports)
    return failFlow(flowing.session, 'connect_state_mismatch', { httpStatus: null, code: 'id_token', text: problem }, ports)
  }
  const grant = await heldGrant(answer, verdict.grant, ports)
  if (grant instanceof Fault) {
    await discardTokens(flowing, verdict.grant, ports)
    // A URL that nobody's answer completes is no fault of the end user's input.
    const code = grant.code === 'invalid_request' ? 'connect_failed' : grant.code
    return failFlow(flowing.session, code, { httpStatus: null, code: null, text: grant.message }, ports)
  }
  await tellSuperseded(flowing, grant.account, 'others', ports)
  return stageGrant({ flowing, grant, intent: answer.intent, answer: result.answer }, ports)
}

async function heldGrant(answer: ExchangeAnswer, granted: Granted, ports: ConnectPorts): Promise<HeldGrant | Fault> {
  const { context, session, integration } = answer.flowing
  const asked = scopesToAsk(context, session.scopes ?? integration.scopes)
  try {
    const complete = await completeGrant(context, granted, ports)
    const { facts, scopes: told } = await askAfterConnect(context, complete, ports)
    const scopes = told ?? granted.scopes ?? callbackScopes(answer)
    const account = await readAccount({ context: { ...context, facts }, grant: complete, callback: answer.parameters, scopes: scopes ?? asked }, ports)
    const { accessToken, refreshToken, tokenType, accessExpiresAt, refreshExpiresAt } = complete
    return {
      tokens: { accessToken, refreshToken, tokenType, accessExpiresAt, refreshExpiresAt },
      obtainedAt: answer.result.sentAt,
      grantExpiresAt: complete.grantExpiresAt ?? null,
      scopes,
      facts,
      account: account?.account ?? null,
      accountLabel: account?.label ?? null,
    }
  } catch (error) {
    if (error instanceof Fault) return error
    throw error
  }
}

function callbackScopes(answer: ExchangeAnswer): readonly string[] | null {
  const { authorize, answer: facts } = answer.flowing.context.record
  const name = authorize.callback.scope
  return name === null ? null : readScopes(answer.parameters[name], facts.scopeSeparator)
}

function faultOfVerdict(verdict: Exclude<Verdict, { kind: 'granted' }>): FaultCode {
  switch (verdict.kind) {
    case 'pre_send':
      return 'provider_unavailable'
    case 'throttled':
      return 'provider_rate_limited'
    case 'config':
      return 'client_rejected'
    case 'dead':
      return verdict.code === 'admin_approval_required' ? 'admin_approval_required' : 'connect_failed'
    case 'unknown':
    case 'restart_flow':
      return 'connect_failed'
  }
}
