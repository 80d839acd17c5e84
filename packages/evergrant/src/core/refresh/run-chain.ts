import { parseJson } from '../provider/answer-body.ts'
import { stepWithBeside, valuesBeside } from '../provider/beside-body.ts'
import { chainRequest, readChainAnswer } from '../provider/chain.ts'
import type { ProviderContext } from '../provider/context.ts'
import type { ChainStep } from '../provider/record-around.ts'
import { redact } from '../provider/redact.ts'
import { retryAfterMs } from '../provider/retry-after.ts'
import type { Granted, ProviderSaid } from '../provider/verdict.ts'
import type { ProviderAnswer, ProviderRequest, WireOutcome } from '../provider/wire.ts'
import type { Clock } from '../time.ts'

const ATTEMPTS = 2
const LONGEST_TEXT = 300

/** `refused`: the provider answered that this token opens nothing, and asking again with it is of no use. */
export type ChainOutcome =
  | { readonly kind: 'granted'; readonly grant: Granted; readonly answer: ProviderAnswer | null }
  | { readonly kind: 'failed'; readonly refused: boolean; readonly cause: string; readonly retryAfterMs: number | null; readonly said: ProviderSaid }

type Failed = Extract<ChainOutcome, { kind: 'failed' }>

interface ChainPorts {
  /** One request, one answer; never rejects. */
  readonly send: (request: ProviderRequest) => Promise<WireOutcome>
  readonly clock: Pick<Clock, 'wall'>
}

/**
 * The further requests of a record, one after the other, each with the token of the one before. They spend nothing: a step
 * whose answer is lost is asked again. @throws Fault `invalid_request` when the record's URL needs what nobody told
 */
export async function runChain(context: ProviderContext, steps: readonly ChainStep[], first: Granted, ports: ChainPorts): Promise<ChainOutcome> {
  let grant = first
  let answer: ProviderAnswer | null = null
  for (const step of steps) {
    const outcome = await runStep(context, step, grant, ports)
    if (outcome.kind === 'failed') return outcome
    grant = outcome.grant
    answer = outcome.answer
  }
  return { kind: 'granted', grant, answer }
}

async function runStep(context: ProviderContext, step: ChainStep, held: Granted, ports: ChainPorts): Promise<ChainOutcome> {
  const request = chainRequest(context, step, held)
  const secrets = [held.accessToken, held.refreshToken ?? '', context.clientSecret ?? '']
  for (let attempt = 1; ; attempt++) {
    const sentAt = ports.clock.wall()
    const outcome = await ports.send(request)
    if (outcome.kind === 'answered' && isSuccess(outcome.answer)) {
      const grant = readChainAnswer(context, step, held, stepWithBeside(step, context.record, outcome.answer, parseJson(outcome.answer.text)), sentAt)
      if (grant !== null) return { kind: 'granted', grant, answer: outcome.answer }
    }
    const beside = outcome.kind === 'answered' ? valuesBeside(context.record, outcome.answer) : []
    const failed = failedBy(outcome, sentAt, [...secrets, ...beside])
    if (failed.refused || attempt === ATTEMPTS) return failed
  }
}

function isSuccess({ status }: ProviderAnswer): boolean {
  return status >= 200 && status < 300
}

function failedBy(outcome: WireOutcome, sentAt: number, secrets: readonly string[]): Failed {
  if (outcome.kind !== 'answered')
    return { kind: 'failed', refused: false, cause: outcome.cause, retryAfterMs: null, said: { httpStatus: null, code: outcome.cause, text: null } }
  const { status, headers, text } = outcome.answer
  const cause = isSuccess(outcome.answer) ? 'no_token' : `http_${status}`
  // A success that we cannot read may hold a token anywhere.
  const words = isSuccess(outcome.answer) ? '' : redact(text, secrets, /^\s*</.test(text)).slice(0, LONGEST_TEXT)
  return {
    kind: 'failed',
    refused: status >= 400 && status < 500 && status !== 408 && status !== 425 && status !== 429,
    cause,
    retryAfterMs: retryAfterMs(headers, sentAt),
    said: { httpStatus: status, code: cause, text: words === '' ? null : words },
  }
}
