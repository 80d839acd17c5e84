import type { IntentId } from '../ids.ts'
import type { ConnectPorts } from './connect-ports.ts'
import type { SessionAnswer } from './connect-sessions.ts'
import { targetOf } from './connect-target.ts'
import { discardTokens } from './discard-tokens.ts'
import { durably, type FlowOutcome, failFlow } from './fail-flow.ts'
import type { FlowContext } from './flow-context.ts'
import { completionCode } from './flow-secret.ts'
import { type HeldGrant, sealHeldGrant } from './staged-grant.ts'

interface GrantToStage {
  readonly flowing: FlowContext
  readonly grant: HeldGrant
  readonly intent: IntentId
  readonly answer: SessionAnswer
}

/**
 * Keeps the grant until it is confirmed. A different account is refused here, before anything is kept. Null: staged.
 */
export async function stageGrant(staging: GrantToStage, ports: ConnectPorts): Promise<FlowOutcome | null> {
  const { flowing, grant } = staging
  const { session } = flowing
  const target = await durably(ports, 'account comparison', () => targetOf(session, grant.account, ports))
  if (target.kind === 'other' || target.kind === 'gone') {
    await discardTokens(flowing, grant.tokens, ports)
    const code = target.kind === 'gone' ? 'connection_disconnected' : 'account_mismatch'
    return failFlow(session, code, { httpStatus: null, code: null, text: grant.accountLabel ?? grant.account }, ports)
  }
  const kept = await durably(ports, 'staged grant', () => keep(staging, target.kind === 'sibling', ports))
  if (kept) return null
  await discardTokens(flowing, grant.tokens, ports)
  return { kind: 'refused', code: 'connect_session_used' }
}

function keep(staging: GrantToStage, offered: boolean, ports: ConnectPorts): Promise<boolean> {
  const { flowing, grant, intent, answer } = staging
  const { session } = flowing
  const codeOut = session.mode === 'verified' && !offered
  const staged = {
    grant: sealHeldGrant(grant, session, ports.seal),
    account: grant.account,
    accountLabel: grant.accountLabel,
    codeHash: codeOut ? ports.seal.digest(completionCode(session, session.flow?.stateHash ?? '', ports.seal)) : null,
    stagedAt: ports.clock.wall(),
  }
  return ports.sessions.stage(session.id, intent, staged, answer, null)
}
