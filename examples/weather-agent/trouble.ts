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

/** A person lifts these without touching this machine; null: the error says it best. */
const LIFTED: Readonly<Record<string, string | null>> = {
  agent_not_verified: null,
  agent_suspended: 'somebody suspended this agent; it goes on when it is resumed (evergrant agents resume <agent>).',
  agent_policy_refused: null,
  owner_inactive: null,
  recovery_pending_approval: null,
  connection_paused: null,
}

/** The ends that an operator decides, in this program's own words. */
const CUT_OFF = 'somebody cut off the access of this machine, so this program ends; to go on it needs a new enrolment code (npx @evergrant/sdk enroll <code>).'
const ENDED: Readonly<Record<string, string>> = { installation_retired: CUT_OFF, recovery_forbidden: CUT_OFF }

export function troubleOf(error: unknown): Trouble {
  if (error instanceof TypeError) return { kind: 'wait', sentence: 'Nobody answers: the network, Evergrant or the weather service is away.' }
  if (!(error instanceof EvergrantError)) return { kind: 'wait', sentence: error instanceof Error ? error.message : String(error) }
  const { code, action, message, needsReauth, reconnectUrl } = error
  const ended = ENDED[code]
  if (ended !== undefined) return { kind: 'over', sentence: ended }
  if (code === 'not_found') return { kind: 'gone', sentence: message }
  if (needsReauth) return { kind: 'wait', sentence: reconnectUrl === null ? message : `${message} - its owner repairs it here: ${reconnectUrl}` }
  const lifted = LIFTED[code]
  if (lifted !== undefined || action === 'retry' || action === 'wait') return { kind: 'wait', sentence: lifted ?? message }
  return { kind: 'over', sentence: message }
}
