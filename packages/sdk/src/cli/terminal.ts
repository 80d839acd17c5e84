import { isEvergrantError } from '../evergrant-error.ts'

/** What the commands print to; tests hand in their own. */
export interface Terminal {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  readonly colours: boolean
  readonly json: boolean
}

/** 0: done. 1: failed. 2: called in a wrong way. 3: this machine has to be enrolled. 4: later may work. */
export type ExitCode = 0 | 1 | 2 | 3 | 4

const PAINTS = { good: 32, bad: 31, warn: 33, dim: 2, strong: 1 } as const

export function paint({ colours }: Terminal, kind: keyof typeof PAINTS, text: string): string {
  return colours ? `\u001b[${PAINTS[kind]}m${text}\u001b[0m` : text
}

/** The same facts for people and for programs. */
export function report(terminal: Terminal, facts: object, lines: readonly string[]): void {
  terminal.out(terminal.json ? JSON.stringify(facts) : lines.join('\n'))
}

export function fail(terminal: Terminal, error: unknown): ExitCode {
  if (!isEvergrantError(error)) throw error
  const { code, message, status, action, requestId } = error
  if (terminal.json) terminal.out(JSON.stringify({ error: { code, message, status, action, request_id: requestId } }))
  else terminal.err(`${paint(terminal, 'bad', code)}: ${message}${requestId ? paint(terminal, 'dim', ` (request ${requestId})`) : ''}`)
  return exitCodeOf(error)
}

const LATER = new Set(['connection_failed', 'connection_timed_out', 'credential_lock_held', 'recovery_pending_approval'])

function exitCodeOf(error: { readonly code: string; readonly name: string; readonly status: number }): ExitCode {
  if (error.name === 'ReauthorizationRequiredError' || error.name === 'CredentialsCopiedError') return 3
  if (LATER.has(error.code) || error.status === 429 || error.status >= 500) return 4
  return error.code === 'invalid_configuration' ? 2 : 1
}
