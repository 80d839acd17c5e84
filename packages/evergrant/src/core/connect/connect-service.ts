import type { Connection } from '../connection/connection.ts'
import { Fault } from '../fault/fault.ts'
import type { ConnectSessionId } from '../ids.ts'
import type { PushedCode } from '../push/push-ports.ts'
import type { JournalRecord } from '../refresh/journal.ts'
import { Told } from '../refresh/told.ts'
import type { Instant } from '../time.ts'
import { type Approval, approvalOf } from './admin-approval.ts'
import { stashAnswer, unstashAnswer } from './answer-stash.ts'
import type { CallbackInput } from './callback-checks.ts'
import type { CallbackParameters } from './callback-parameters.ts'
import { type ChoiceView, choiceView, choose } from './choices.ts'
import { type Completion, type CompletionRequest, complete } from './complete.ts'
import { connectAsNew } from './connect-as-new.ts'
import { sessionFault } from './connect-event.ts'
import type { ConnectPorts } from './connect-ports.ts'
import type { BrowserPerson, ConnectSession } from './connect-sessions.ts'
import { type ConnectStatus, connectStatus, type StatusQuestion } from './connect-status.ts'
import { type ConnectView, connectView } from './connect-view.ts'
import { type CreatedSession, createSession, type SessionRequest } from './create-session.ts'
import { discardStaged } from './expire-staged.ts'
import { type FlowOutcome, failFlow } from './fail-flow.ts'
import { finishCallback } from './finish-callback.ts'
import { flowOutcome } from './flow-outcome.ts'
import { acceptSibling } from './offer-sibling.ts'
import { keepPushedCode } from './pushed-codes.ts'
import { isToken, randomToken, sameSecret } from './random-token.ts'
import { lookAtRepair, openRepair, type Repair } from './repair.ts'
import { resumeStaged } from './resume-staged.ts'
import { startFlow } from './start-flow.ts'

/** Connect and reconnect, for the API and the hosted pages. */
export interface ConnectService {
  create(request: SessionRequest): Promise<CreatedSession>
  complete(request: CompletionRequest): Promise<Completion>
  /** The session behind a link; undefined when there is none. Changes nothing. */
  byLink(token: string): Promise<ConnectSession | undefined>
  view(session: ConnectSession): Promise<ConnectView>
  /** What the end user may choose, where a session leaves it to them. */
  choice(session: ConnectSession): Promise<ChoiceView>
  /** The session with this integration (slug) chosen; undefined when it is none of its choices. Stores nothing: its start does. */
  choose(session: ConnectSession, slug: string): Promise<ConnectSession | undefined>
  /** How a session stands: by id in an organization, or for whoever holds its link. */
  status(who: StatusQuestion): Promise<ConnectStatus | undefined>
  /** What a repair link leads to; the text after its path. Changes nothing. @throws Fault */
  lookAtRepair(link: string): Promise<Repair>
  /** The session of mode `link` that a repair link's button starts. @throws Fault */
  openRepair(connection: Connection): Promise<ConnectSession>
  /** Binds the browser and answers the provider's address. @throws Fault */
  start(session: ConnectSession, browserId: string, form: Readonly<Record<string, string>>): Promise<string>
  callback(input: CallbackInput): Promise<FlowOutcome>
  acceptSibling(session: ConnectSession, person: BrowserPerson | null): Promise<FlowOutcome>
  /** Goes on with a grant that waited for its owner to sign in. */
  goOn(session: ConnectSession, person: BrowserPerson | null): Promise<FlowOutcome>
  /** The link token of a session for the other account, after a reconnect that met it. @throws Fault `connect_session_used` */
  connectAsNew(session: ConnectSession): Promise<string>
  /** What an administrator's way back says; undefined for every other callback. Changes nothing. */
  approval(parameters: CallbackParameters): Promise<Approval | undefined>
  /** Gives a waiting grant up, so that the same flow can be started again. */
  giveUp(session: ConnectSession): Promise<void>
  /** Gives the grant of a waiting session back, whatever becomes of the session. Never rejects. */
  discard(session: ConnectSession): Promise<void>
  /** For answers that a provider posts: see {@link stashAnswer}. */
  stash(slug: string | null, parameters: CallbackParameters): string | null
  unstash(slug: string | null, stashed: string): CallbackParameters | null
  /** For codes that come in a push (`PushedCodes`): kept until the browser that began the flow names the same installation. @throws Fault */
  deliver(code: PushedCode): Promise<'taken' | 'unknown'>
  newBrowserId(): string
  /** Names a session in an address that only the browser with this id can use. */
  pageTicket(session: ConnectSessionId, browserId: string): string
  /** The session of a ticket, for the browser it was made for. */
  byTicket(ticket: string, browserId: string | null): Promise<ConnectSession | undefined>
  /** At boot and each minute, for journal records of connect sessions. */
  resumeStaged(record: JournalRecord, decode: (body: Uint8Array) => string): Promise<'settled' | 'kept'>
  /** The answers to these intents are kept, whoever can read them: their sessions are not opened anew. Said again each minute for as long as it is so. */
  noteKept(intents: readonly string[], at: Instant): Promise<void>
  /**
   * At boot, after {@link resumeStaged}: exchanges begun before `before` whose answer nobody has can be tried again. An
   * embedded store passes the time of the start; where other nodes may be exchanging, leave them a few minutes.
   */
  reopenInterrupted(before: Instant): Promise<number>
}

export function createConnectService(ports: ConnectPorts): ConnectService {
  const told = new Told()
  const ticketOf = (session: ConnectSessionId, browserId: string) =>
    `${session.slice('cs_'.length)}.${ports.seal.mac('connect page', `${session}.${browserId}`)}`
  return {
    create: (request) => createSession(request, ports),
    complete: (request) => complete(request, ports),
    byLink: async (token) => (isToken(token) ? ports.sessions.byTokenHash(ports.seal.digest(token)) : undefined),
    view: (session) => connectView(session, ports),
    choice: (session) => choiceView(session, ports),
    choose: (session, slug) => choose(session, slug, ports),
    status: (who) => connectStatus(who, ports),
    lookAtRepair: (link) => lookAtRepair(link, ports),
    openRepair: (connection) => openRepair(connection, ports),
    start: (session, browserId, form) => startFlow({ session, browserId, form }, ports),
    callback: (input) => finishCallback(input, ports),
    acceptSibling: (session, person) => acceptSibling(session, person, ports),
    connectAsNew: (session) => connectAsNew(session, ports),
    approval: (parameters) => approvalOf(parameters, ports),
    goOn: (session, person) => flowOutcome(session.id, person, ports),
    giveUp: async (session) => {
      if (session.state !== 'staged') throw new Fault('connect_session_used')
      await failFlow(session, 'account_mismatch', { httpStatus: null, code: null, text: null }, ports)
      await discardStaged(session, ports)
    },
    discard: (session) => discardStaged(session, ports),
    deliver: (code) => keepPushedCode(code, ports),
    stash: (slug, parameters) => stashAnswer(slug, parameters, ports),
    unstash: (slug, stashed) => unstashAnswer(slug, stashed, ports),
    newBrowserId: () => randomToken(ports.entropy),
    pageTicket: ticketOf,
    byTicket: async (ticket, browserId) => {
      const id: ConnectSessionId = `cs_${ticket.split('.')[0] ?? ''}`
      return browserId !== null && sameSecret(ticketOf(id, browserId), ticket) ? ports.sessions.load(id) : undefined
    },
    resumeStaged: (record, decode) => resumeStaged(record, decode, { ...ports, told }),
    noteKept: (intents, at) => ports.sessions.noteKept(intents, at),
    reopenInterrupted: (before) => ports.sessions.reopenInterrupted(before, sessionFault('connect_failed', ports.clock.wall())),
  }
}
