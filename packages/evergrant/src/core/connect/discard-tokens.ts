import type { GrantedTokens } from '../refresh/new-credential.ts'
import type { ConnectPorts } from './connect-ports.ts'
import type { FlowContext } from './flow-context.ts'

/** Gives tokens back that nobody will use, where that cannot end another grant of the same account. */
export async function discardTokens(flowing: FlowContext, tokens: GrantedTokens, ports: ConnectPorts): Promise<void> {
  const { context, integration, session } = flowing
  if (context.record.revoke?.reach !== 'token' || context.endpoints.revoke === null) return
  await ports.discard({ organization: session.organization, integration, context, tokens })
}
