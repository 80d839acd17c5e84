import { Fault } from '../fault/fault.ts'
import type { JsonValue } from '../json.ts'
import { parseJson } from '../provider/answer-body.ts'
import { conditionsHold, textAt, valueAt } from '../provider/answer-path.ts'
import { chainOf } from '../provider/chain.ts'
import type { ProviderContext } from '../provider/context.ts'
import { readScopes } from '../provider/grant.ts'
import type { AfterConnect } from '../provider/record-around.ts'
import { recordRequest } from '../provider/record-request.ts'
import type { Granted } from '../provider/verdict.ts'
import type { ProviderRequest, WireOutcome } from '../provider/wire.ts'
import { runChain } from '../refresh/run-chain.ts'
import { fittingFact } from './callback-parameters.ts'
import type { ConnectPorts } from './connect-ports.ts'
import { CONNECT_TIMES } from './connect-times.ts'

const ATTEMPTS = 2

type AskPorts = Pick<ConnectPorts, 'ask' | 'clock' | 'log'>

/**
 * The grant with the token to keep, where a record says that the exchanged one is only the first of a chain. The exchange's
 * answer is journaled by now, so that a restart comes here again. @throws Fault `connect_failed`
 */
export async function completeGrant(context: ProviderContext, granted: Granted, ports: AskPorts): Promise<Granted> {
  const steps = chainOf(context.record, 'exchange')
  if (steps.length === 0) return granted
  const outcome = await runChain(context, steps, granted, { send: (request) => ask(request, ports), clock: ports.clock })
  if (outcome.kind === 'granted') {
    for (const [fact, value] of Object.entries(outcome.grant.facts)) fittingFact(context.record, fact, value)
    return outcome.grant
  }
  throw new Fault('connect_failed', {
    detail: `${context.record.name} did not exchange the first token for the one to keep (${outcome.cause === 'no_token' ? 'its answer has none' : statusOr(outcome.said.httpStatus, outcome.cause)}).`,
  })
}

/**
 * What the requests of a record find out after a consent, over what callback and token answer said; some of them only
 * register the account. Each may be asked twice. @throws Fault `connect_failed` when one that is needed fails
 */
export async function askAfterConnect(context: ProviderContext, grant: Granted, ports: AskPorts): Promise<FoundOut> {
  let facts: Readonly<Record<string, string>> = { ...context.facts, ...grant.facts }
  let scopes: readonly string[] | null = null
  for (const step of context.record.afterConnect) {
    const account = grant.account === null ? {} : { account: grant.account }
    const found = await find({ ...context, facts: { ...account, ...facts } }, step, grant, ports)
    if (found.kind === 'found') {
      facts = { ...facts, ...found.facts }
      scopes = found.scopes ?? scopes
    } else if (step.needed) throw new Fault('connect_failed', { detail: `${context.record.name} did not tell ${step.finds} (${found.why}).` })
    else
      ports.log.warn({ provider: context.record.id, finds: step.finds, why: found.why }, 'a request after a consent found nothing; the connection does without')
  }
  return { facts, scopes }
}

interface FoundOut {
  readonly facts: Readonly<Record<string, string>>
  /** What was granted, where a record asks for it; else null. */
  readonly scopes: readonly string[] | null
}

type Found = ({ readonly kind: 'found' } & FoundOut) | { readonly kind: 'nothing'; readonly why: string }

async function find(context: ProviderContext, step: AfterConnect, grant: Granted, ports: AskPorts): Promise<Found> {
  const request = recordRequest(context, step.request, grant.accessToken, grant.tokenType)
  for (let attempt = 1; ; attempt++) {
    const outcome = await ask(request, ports)
    if (outcome.kind === 'answered') {
      const { status, text } = outcome.answer
      const json = parseJson(text)
      if (step.done.includes(status)) return { kind: 'found', ...foundIn(context, step, json) }
      if (status >= 200 && status < 300) return complete(step, foundIn(context, step, json))
    }
    if (attempt === ATTEMPTS || isFinal(outcome))
      return { kind: 'nothing', why: outcome.kind === 'answered' ? statusOr(outcome.answer.status, '') : outcome.cause }
  }
}

function complete(step: AfterConnect, found: FoundOut): Found {
  const facts = Object.keys(step.facts).filter((fact) => !Object.hasOwn(found.facts, fact))
  const missing = step.scopes !== null && found.scopes === null ? [...facts, step.scopes] : facts
  return missing.length === 0 ? { kind: 'found', ...found } : { kind: 'nothing', why: `its answer has no ${missing.join(', ')}` }
}

/** @throws Fault `connect_failed` when a value does not look as the record's variable of that name says */
function foundIn({ record }: ProviderContext, { from, facts: wanted, scopes }: AfterConnect, json: JsonValue | undefined): FoundOut {
  const root = from === null ? json : elementOf(json, from)
  const facts: Record<string, string> = {}
  for (const [fact, path] of Object.entries(wanted)) {
    const value = textAt(root, path)
    if (value !== null) facts[fact] = fittingFact(record, fact, value)
  }
  return { facts, scopes: scopes === null ? null : readScopes(valueAt(root, scopes), record.answer.scopeSeparator) }
}

function elementOf(json: JsonValue | undefined, { list, where }: NonNullable<AfterConnect['from']>): JsonValue | undefined {
  const elements = list === '' ? json : valueAt(json, list)
  return Array.isArray(elements) ? elements.find((element: JsonValue) => conditionsHold(element, where)) : undefined
}

function statusOr(status: number | null, cause: string): string {
  return status === null ? cause : `HTTP ${status}`
}

function isFinal(outcome: WireOutcome): boolean {
  if (outcome.kind !== 'answered') return false
  const { status } = outcome.answer
  return status >= 400 && status < 500 && status !== 408 && status !== 425 && status !== 429
}

function ask(request: ProviderRequest, ports: Pick<ConnectPorts, 'ask'>): Promise<WireOutcome> {
  return ports.ask(request, { deadlineMs: CONNECT_TIMES.accountRequestMs })
}
