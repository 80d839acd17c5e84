import type { JsonValue } from '../json.ts'
import { type Instant, MINUTE, SECOND } from '../time.ts'
import { textAt } from './answer-path.ts'
import type { ProviderContext } from './context.ts'
import type { ProviderRecord } from './record.ts'
import type { ChainStep } from './record-around.ts'
import { recordRequest } from './record-request.ts'
import type { Granted } from './verdict.ts'
import type { ProviderRequest } from './wire.ts'

const UNIT_MS = { seconds: SECOND, milliseconds: 1, minutes: MINUTE } as const
const CENTURY_MS = 100 * 365 * 24 * 60 * MINUTE
/** VSCHAR of RFC 6749 appendix A.12, without spaces. */
const USABLE_TOKEN = /^[\x21-\x7E]+$/

/** The steps that follow a code exchange, or a refresh. */
export function chainOf(record: Pick<ProviderRecord, 'chain'>, step: 'exchange' | 'refresh'): readonly ChainStep[] {
  return step === 'exchange' ? record.chain : record.chain.filter(({ onRefresh }) => onRefresh)
}

/** The request of one step, with the token that the grant holds so far. @throws Fault `invalid_request` when a value of its URL is missing */
export function chainRequest(context: ProviderContext, step: ChainStep, held: Granted): ProviderRequest {
  return recordRequest({ ...context, facts: { ...context.facts, ...held.facts } }, step.request, held.accessToken, held.tokenType)
}

/** The grant with the token that a step answered; null when it answered none. The lifetime counts from `sentAt`. */
export function readChainAnswer(context: ProviderContext, step: ChainStep, held: Granted, json: JsonValue | undefined, sentAt: Instant): Granted | null {
  const accessToken = textAt(json, step.accessToken)
  if (accessToken === null || !USABLE_TOKEN.test(accessToken)) return null
  const facts: Record<string, string> = { ...held.facts }
  for (const [fact, path] of Object.entries(step.facts)) {
    const value = textAt(json, path)
    if (value !== null) facts[fact] = value
  }
  return {
    ...held,
    accessToken,
    // Where the token renews itself, the one to keep is the one to present.
    refreshToken: held.refreshToken === held.accessToken ? accessToken : held.refreshToken,
    accessExpiresAt: expiryOf(context, step, json, sentAt),
    facts,
  }
}

function expiryOf({ record }: ProviderContext, step: ChainStep, json: JsonValue | undefined, sentAt: Instant): Instant | null {
  const said = Number(textAt(json, step.expiresIn) ?? Number.NaN) * UNIT_MS[step.expiresInUnit]
  if (said > 0 && said <= CENTURY_MS) return sentAt + Math.round(said)
  const assumed = step.accessSeconds ?? record.lifetimes.accessSeconds
  return assumed === null ? null : sentAt + assumed * SECOND
}
