import { Fault } from '../fault/fault.ts'
import { judge } from '../provider/judge.ts'
import { answerBytes } from '../refresh/answer-bytes.ts'
import type { CodeExchangeResult } from '../refresh/exchange.ts'
import type { JournalRecord } from '../refresh/journal.ts'
import { SealError } from '../seal/seal.ts'
import type { ConnectPorts } from './connect-ports.ts'
import type { ConnectFlow, ConnectSession } from './connect-sessions.ts'
import { useAnswer } from './finish-callback.ts'
import { type FlowContext, flowContext } from './flow-context.ts'
import { openFlowSecret } from './flow-secret.ts'
import { pushedCodeOf } from './pushed-codes.ts'

/**
 * At boot: a code was exchanged, and only the journal has the answer. Goes on where the callback stopped, so that the
 * end user's next look at the page finds the grant. `settled`: the journal may forget the record.
 */
export async function resumeStaged(record: JournalRecord, decode: (body: Uint8Array) => string, ports: ConnectPorts): Promise<'settled' | 'kept'> {
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
        ports,
      )
    }
  } catch (error) {
    if (!(error instanceof Fault || error instanceof SealError)) throw error
    ports.log.error(
      { intent: record.intent, session: record.subject.id, error: error.message },
      'a journaled sign-in cannot go on yet; it stays in the journal',
    )
    return 'kept'
  }
  ports.exchange.settle(record.intent)
  return 'settled'
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
