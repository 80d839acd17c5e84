import type { FastifyReply, FastifyRequest } from 'fastify'
import type { BrowserPerson } from '../../core/connect/connect-sessions.ts'
import type { FlowOutcome } from '../../core/connect/fail-flow.ts'
import type { ConnectSessionId } from '../../core/ids.ts'

/** What the connect pages need to know of people. */
export interface ConnectPeople {
  /** Who is signed in to Evergrant in this browser; null: nobody. */
  who(request: FastifyRequest): Promise<BrowserPerson | null>
  /** Ends a sign-in through a provider: gives the session's cookie and says where the browser goes, or what became of it. */
  signIn(session: ConnectSessionId, request: FastifyRequest, reply: FastifyReply): Promise<string | FlowOutcome>
}
