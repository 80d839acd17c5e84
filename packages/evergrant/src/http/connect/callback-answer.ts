import type { CallbackParameters } from '../../core/connect/callback-parameters.ts'
import type { ConnectService } from '../../core/connect/connect-service.ts'
import type { FlowOutcome } from '../../core/connect/fail-flow.ts'

/** Every value of every name, in order. */
export function parametersOf(encoded: string): CallbackParameters {
  const parameters = new Map<string, string[]>()
  for (const [name, value] of new URLSearchParams(encoded)) {
    // Added to: a copy for each of the thousands that one posted answer may hold would cost anybody's server a second.
    const known = parameters.get(name)
    if (known === undefined) parameters.set(name, [value])
    else known.push(value)
  }
  return parameters
}

/** A clean address for what the browser sees next: no code and no state stays in its history. */
export function redirectOf(outcome: FlowOutcome, browserId: string | null, requestId: string, connect: Pick<ConnectService, 'pageTicket'>): string {
  if (outcome.kind === 'return') return outcome.url
  if (outcome.kind === 'sign_in_first' && browserId !== null) {
    const here = `/connect/done/${connect.pageTicket(outcome.session, browserId)}`
    return `/auth/sign-in?return_url=${encodeURIComponent(here)}`
  }
  if (outcome.kind === 'page' && browserId !== null) return `/connect/done/${connect.pageTicket(outcome.session, browserId)}`
  const code = outcome.kind === 'refused' ? outcome.code : 'connect_browser_mismatch'
  return `/connect/problem/${code}?request=${encodeURIComponent(requestId)}`
}
