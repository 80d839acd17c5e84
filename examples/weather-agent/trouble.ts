import { EvergrantError } from '@evergrant/sdk/node'

/**
 * What this program does about an error. `wait`: it may pass, by itself or because a person does something. `gone`: the connection is not there any more, look
 * for another one. `over`: nothing that this program does will help.
 */
export interface Trouble {
  readonly kind: 'wait' | 'gone' | 'over'
  /** For people. */
  readonly sentence: string
}

/** Codes that a person lifts without touching this machine. */
const LIFTED = new Set(['agent_not_verified', 'agent_suspended', 'agent_policy_refused', 'owner_inactive', 'recovery_pending_approval', 'connection_paused'])

export function troubleOf(error: unknown): Trouble {
  if (!(error instanceof EvergrantError)) return { kind: 'wait', sentence: error instanceof Error ? error.message : String(error) }
  const { code, action, message, needsReauth, reconnectUrl } = error
  if (code === 'not_found') return { kind: 'gone', sentence: message }
  if (needsReauth) return { kind: 'wait', sentence: reconnectUrl === null ? message : `${message} Its owner repairs it here: ${reconnectUrl}` }
  if (action === 'retry' || action === 'wait' || LIFTED.has(code)) return { kind: 'wait', sentence: message }
  return { kind: 'over', sentence: message }
}
