import { Fault } from '../fault/fault.ts'
import { type Account, accountFromAnswer, accountRequest, readAccountAnswer } from '../provider/account.ts'
import { parseJson } from '../provider/answer-body.ts'
import type { ProviderContext } from '../provider/context.ts'
import type { Granted } from '../provider/verdict.ts'
import type { ProviderRequest, WireOutcome } from '../provider/wire.ts'
import type { ConnectPorts } from './connect-ports.ts'
import { CONNECT_TIMES } from './connect-times.ts'

const ATTEMPTS = 2

interface AccountQuestion {
  readonly context: ProviderContext
  readonly grant: Granted
  readonly callback: Readonly<Record<string, string>>
  /** Granted scopes, or those asked for when the provider does not say. */
  readonly scopes: readonly string[]
}

/**
 * Who granted: from the answer and its tokens, the callback, or one request with the new token. Null only when the
 * record knows no way to tell. @throws Fault `connect_failed` when it knows one and the provider did not answer it
 */
export async function readAccount(question: AccountQuestion, ports: Pick<ConnectPorts, 'ask'>): Promise<Account | null> {
  const { context, grant, callback } = question
  if (grant.account !== null) return { account: grant.account, label: grant.accountLabel }
  const told = accountFromAnswer(context, {}, { idToken: null, accessToken: null }, callback)
  if (told !== null) return told
  const request = accountRequest(context, grant.accessToken, question.scopes)
  if (request === null) {
    if (context.record.account.length === 0 || context.record.account.every((source) => source.from === 'request')) return null
    throw new Fault('connect_failed', { detail: `${context.record.name} did not say which account granted access.` })
  }
  return askAccount(context, request, ports)
}

async function askAccount(context: ProviderContext, request: ProviderRequest, ports: Pick<ConnectPorts, 'ask'>): Promise<Account> {
  for (let attempt = 1; ; attempt++) {
    const outcome = await ports.ask(request, { deadlineMs: CONNECT_TIMES.accountRequestMs })
    if (outcome.kind === 'answered' && outcome.answer.status === 200) {
      const json = parseJson(outcome.answer.text)
      const account = json === undefined ? null : readAccountAnswer(context, json)
      if (account !== null) return account
    }
    if (attempt === ATTEMPTS)
      throw new Fault('connect_failed', { detail: `${context.record.name} did not say which account granted access (${describe(outcome)}).` })
  }
}

function describe(outcome: WireOutcome): string {
  return outcome.kind === 'answered' ? `HTTP ${outcome.answer.status}` : outcome.cause
}
