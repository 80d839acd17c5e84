import type { SessionAnswer } from '../connect/connect-sessions.ts'
import { keptHeaders } from '../provider/beside-body.ts'
import { judge } from '../provider/judge.ts'
import { exchangeRequest } from '../provider/token-request.ts'
import type { Verdict } from '../provider/verdict.ts'
import { NotSent, type ProviderAnswer, type WireOutcome } from '../provider/wire.ts'
import type { Seal } from '../seal/seal.ts'
import { answerBytes } from './answer-bytes.ts'
import type { EnginePorts, Observation } from './engine-ports.ts'
import type { CodeExchange, CodeExchangeRequest, CodeExchangeResult } from './exchange.ts'

type CodeExchangePorts = Pick<EnginePorts, 'clock' | 'seal' | 'log' | 'endpoint' | 'journal' | 'times' | 'observe'>

/** An authorization code is single-use everywhere: it is exchanged with the patience of a strict provider. */
export function createCodeExchange(ports: CodeExchangePorts): CodeExchange {
  return {
    run: (request) => exchange(ports, request),
    settle: (intent) => ports.journal.settle(intent),
  }
}

async function exchange(ports: CodeExchangePorts, request: CodeExchangeRequest): Promise<CodeExchangeResult> {
  const { context, code, redirectUri, verifier } = request
  const wire = exchangeRequest(context, { code, redirectUri, verifier })
  const started = ports.clock.mono()
  const sent = await send(ports, wire)
  const secrets = [code, verifier ?? '', context.clientSecret ?? '']
  const verdict = judge(context, { step: 'exchange', outcome: sent.outcome, sentAt: sent.sentAt, secrets })
  ports.observe({ kind: verdict.kind, provider: context.record.id, durationMs: ports.clock.mono() - started, ...liveAnswer(request, sent.outcome, verdict) })
  if (sent.outcome.kind !== 'answered') return { verdict, sentAt: sent.sentAt, answer: null }
  const answer = sessionAnswer(ports.seal, request, sent.outcome.answer, verdict, ports.clock.wall())
  if (verdict.kind === 'granted') await keep(ports, request, sent.sentAt, sent.outcome.answer)
  return { verdict, sentAt: sent.sentAt, answer }
}

function liveAnswer({ context, organization }: CodeExchangeRequest, outcome: WireOutcome, verdict: Verdict): Pick<Observation, 'live'> {
  if (verdict.kind !== 'granted' || outcome.kind !== 'answered') return {}
  return { live: { record: context.record, organization, step: 'exchange', answer: outcome.answer } }
}

async function send(ports: CodeExchangePorts, wire: ReturnType<typeof exchangeRequest>): Promise<{ outcome: WireOutcome; sentAt: number }> {
  try {
    const line = await ports.endpoint.open(wire.url, { pooled: false, certificate: wire.certificate })
    const sentAt = ports.clock.wall()
    return { sentAt, outcome: await line.send(wire, ports.times.strictDrainMs) }
  } catch (error) {
    if (error instanceof NotSent) return { sentAt: ports.clock.wall(), outcome: { kind: 'not_sent', cause: error.reason } }
    throw error
  }
}

function sessionAnswer(seal: Seal, request: CodeExchangeRequest, answer: ProviderAnswer, verdict: Verdict, receivedAt: number): SessionAnswer {
  const { organization, intent, context } = request
  return {
    intent,
    receivedAt,
    httpStatus: answer.status,
    verdict: verdict.kind,
    body: seal.seal(answerBytes(context.record, answer), { organization, table: 'answer', row: intent, column: 'body' }),
    bodyHash: seal.digest(answer.body),
  }
}

/** The journal first, here: staging may have to wait for the database, and a code cannot be exchanged again. */
async function keep(ports: CodeExchangePorts, request: CodeExchangeRequest, sentAt: number, answer: ProviderAnswer): Promise<void> {
  try {
    await ports.journal.append({
      intent: request.intent,
      organization: request.organization,
      subject: { kind: 'connect_session', id: request.session },
      generation: 0,
      fingerprint: null,
      sentAt,
      receivedAt: ports.clock.wall(),
      httpStatus: answer.status,
      headers: keptHeaders(request.context.record, answer),
      body: answer.body,
      callback: request.callback,
    })
  } catch (error) {
    ports.log.error({ intent: request.intent, error: String(error) }, 'the journal cannot keep an answer; the database must')
  }
}
