import { Fault } from '../fault/fault.ts'
import { judge } from '../provider/judge.ts'
import { answerBytes } from '../refresh/answer-bytes.ts'
import type { CodeExchangeResult } from '../refresh/exchange.ts'
import type { JournalRecord } from '../refresh/journal.ts'
import type { Told } from '../refresh/told.ts'
import { SealError } from '../seal/seal.ts'
import { HOUR } from '../time.ts'
import type { ConnectPorts } from './connect-ports.ts'
import type { ConnectFlow, ConnectSession } from './connect-sessions.ts'
import { useAnswer } from './finish-callback.ts'
import { type FlowContext, flowContext } from './flow-context.ts'
import { openFlowSecret } from './flow-secret.ts'
import { pushedCodeOf } from './pushed-codes.ts'

/** A question about the account was not answered: that says neither yes nor no, so the grant is neither kept nor given back. */
class Unanswered extends Error {
  override readonly name = 'Unanswered'
}

/**
 * At boot and each minute: a code was exchanged, and only the journal has the answer. Goes on where the callback stopped, so that the
 * end user's next look at the page finds the grant. `settled`: the journal may forget the record.
 */
export async function resumeStaged(
  record: JournalRecord,
  decode: (body: Uint8Array) => string,
  ports: ConnectPorts & { readonly told: Told },
): Promise<'settled' | 'kept'> {
  if (record.subject.kind !== 'connect_session') return 'kept'
  const session = await ports.sessions.load(record.subject.id)
  const flow = session?.flow ?? null
  const waiting = session?.state === 'exchanging' && flow?.intent === record.intent
  try {
    if (session !== undefined && flow !== null && waiting) {
      const flowing = await contextOf(session, flow, record.callback ?? {}, ports)
      const { nonce, verifier } = openFlowSecret(flow.secret, session, ports.seal)
      await useAnswer(
        { flowing, nonce, intent: record.intent, result: resultOf(record, verifier, flowing, decode, ports), parameters: record.callback ?? {}, person: null },
        tryingOnce(ports),
        ports,
      )
    }
  } catch (error) {
    if (!(error instanceof Fault || error instanceof SealError || error instanceof Unanswered)) throw error
    if (ports.told.once(`kept ${record.intent}`, ports.clock.mono(), HOUR))
      ports.log.error(
        { intent: record.intent, session: record.subject.id, error: error.message },
        'a journaled sign-in cannot go on yet; it stays in the journal',
      )
    return 'kept'
  }
  ports.exchange.settle(record.intent)
  return 'settled'
}

/** In a callback a browser waits, and a write is repeated until the store has it. Here the next minute comes, and a node that stops waits for nobody. */
function tryingOnce(ports: ConnectPorts): ConnectPorts {
  return {
    ...ports,
    ask: async (request, limits) => {
      const outcome = await ports.ask(request, limits)
      if (outcome.kind !== 'answered') throw new Unanswered(`a question about the account was not answered (${outcome.cause})`)
      return outcome
    },
    timers: { ...ports.timers, sleep: () => Promise.reject(new Fault('store_unavailable')) },
  }
}

/** A push said more than the browser; it is kept for as long as a flow lives. */
async function contextOf(session: ConnectSession, flow: ConnectFlow, callback: Readonly<Record<string, string>>, ports: ConnectPorts): Promise<FlowContext> {
  const flowing = await flowContext(session, ports, { callback })
  const { record, facts } = flowing.context
  const pushed = record.authorize.callback.by === 'push' ? await pushedCodeOf(session, flow.startedAt, record, facts, ports) : null
  return pushed === null ? flowing : { ...flowing, context: { ...flowing.context, facts: { ...facts, ...pushed.facts } } }
}

function resultOf(
  record: JournalRecord,
  verifier: string | null,
  { context }: FlowContext,
  decode: (body: Uint8Array) => string,
  ports: ConnectPorts,
): CodeExchangeResult {
  const answer = { status: record.httpStatus, headers: record.headers, body: record.body, text: decode(record.body) }
  const verdict = judge(context, {
    step: 'exchange',
    outcome: { kind: 'answered', answer },
    sentAt: record.sentAt,
    secrets: verifier === null ? [] : [verifier],
  })
  return {
    verdict,
    sentAt: record.sentAt,
    answer: {
      intent: record.intent,
      receivedAt: record.receivedAt,
      httpStatus: record.httpStatus,
      verdict: verdict.kind,
      body: ports.seal.seal(answerBytes(context.record, record), { organization: record.organization, table: 'answer', row: record.intent, column: 'body' }),
      bodyHash: ports.seal.digest(record.body),
    },
  }
}
