import { certified } from './client-auth.ts'
import type { ProviderContext } from './context.ts'
import { redact } from './redact.ts'
import { fillTemplate } from './template.ts'
import { valuesOf } from './values.ts'
import type { Verdict } from './verdict.ts'
import type { ProviderRequest, WireOutcome } from './wire.ts'

type Dead = Extract<Verdict, { kind: 'dead' }>

/**
 * The question that has to be answered before an end is believed, asked by the client that was told of it: the headers of its token
 * request prove it. Null: the record has none for this verdict. @throws Fault `invalid_request` when a value of its URL is missing
 */
export function confirmRequest(context: ProviderContext, verdict: Dead, asked: ProviderRequest): ProviderRequest | null {
  if (verdict.confirm === undefined) return null
  const { 'content-type': _, ...headers } = asked.headers
  const url = fillTemplate(verdict.confirm, valuesOf(context), { definitions: context.record.variables })
  return certified(context, { method: 'GET', url, headers, basic: asked.basic, body: null })
}

/** What the answer makes of the verdict: the end, the client's trouble, or a question that stays open. */
export function confirmedVerdict(context: ProviderContext, verdict: Dead, outcome: WireOutcome, secrets: readonly string[]): Verdict {
  const status = outcome.kind === 'answered' ? outcome.answer.status : null
  if (status !== null && status >= 200 && status < 300) return verdict
  const { httpStatus, code, text } = verdict.said
  const refused = outcome.kind === 'answered' && (status === 401 || status === 403)
  if (refused) {
    const words = redact(outcome.answer.text, [...secrets, context.clientSecret ?? ''], /^\s*</.test(outcome.answer.text))
    return { kind: 'config', said: { httpStatus: status, code, text: words || null } }
  }
  // The answer to the token request is known: nothing is on its way any more.
  return { kind: 'unknown', answered: true, cause: 'end_not_confirmed', retryAfterMs: null, said: { httpStatus, code: code ?? 'end_not_confirmed', text } }
}
