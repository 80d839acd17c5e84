import type { ProviderRequest, TokenEndpoint, WireOutcome } from '../core/provider/wire.ts'
import { answered } from './provider-contexts.ts'

/** What the next request is answered with; null: silence. */
export type Reply = { readonly status: number; readonly body: unknown } | null

/** An endpoint inside the process that answers as a test says, and keeps what it was sent. */
export class AnsweringEndpoint implements TokenEndpoint {
  readonly sent: ProviderRequest[] = []
  reply: (request: ProviderRequest) => Reply

  constructor(reply: (request: ProviderRequest) => Reply) {
    this.reply = reply
  }

  open(): ReturnType<TokenEndpoint['open']> {
    const send = async (request: ProviderRequest): Promise<WireOutcome> => {
      this.sent.push(request)
      const reply = this.reply(request)
      return reply === null ? { kind: 'no_answer', cause: 'timeout' } : answered(reply.status, reply.body)
    }
    return Promise.resolve({ send, close: () => {} })
  }
}
