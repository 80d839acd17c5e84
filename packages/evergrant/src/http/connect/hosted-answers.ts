import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ConnectService } from '../../core/connect/connect-service.ts'
import type { ConnectSession } from '../../core/connect/connect-sessions.ts'
import type { FlowOutcome } from '../../core/connect/fail-flow.ts'
import type { Repair } from '../../core/connect/repair.ts'
import { isOwnerOf } from '../../core/connect/signed-in.ts'
import { Fault } from '../../core/fault/fault.ts'
import { FAULTS } from '../../core/fault/table.ts'
import { browserIdOf, giveBrowserId } from './browser-cookie.ts'
import { redirectOf } from './callback-answer.ts'
import type { ConnectPeople } from './connect-people.ts'
import { formOf } from './forms.ts'
import { type FormProblem, landingPage } from './landing-page.ts'
import { endedLinkPage, outcomePage, problemPage, repairedPage } from './outcome-pages.ts'
import { type PageHeaders, sendPage } from './page-frame.ts'

export interface HostedParts {
  readonly connect: ConnectService
  readonly publicUrl: string
  readonly people?: ConnectPeople
}

const OTHER_PERSON = 'This link was made for somebody else than the person who is signed in here. Nothing was changed. Sign out first if it is meant for you.'

/** Where a browser is sent, by who is in it. */
function turns({ connect, publicUrl, people }: HostedParts) {
  /** Where the browser goes after an outcome; a sign-in through a provider ends here. */
  async function goTo(outcome: FlowOutcome, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const browserId = browserIdOf(request, publicUrl)
    if (outcome.kind !== 'signing_in') return reply.redirect(redirectOf(outcome, browserId, request.id, connect), 303)
    const ended = people === undefined ? ({ kind: 'refused', code: 'connect_session_used' } as const) : await people.signIn(outcome.session, request, reply)
    return reply.redirect(typeof ended === 'string' ? ended : redirectOf(ended, browserId, request.id, connect), 303)
  }

  /** Null: the flow may begin here. Otherwise it was answered: its owner signs in first, or somebody else is here. */
  async function turnedAway(session: ConnectSession, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | null> {
    if (session.mode !== 'signed_in') return null
    const person = (await people?.who(request)) ?? null
    if (person === null) return reply.redirect(`/auth/sign-in?return_url=${encodeURIComponent(request.url.split('?')[0] ?? '')}`, 303)
    if (isOwnerOf(person, session)) return null
    return sendPage(reply, problemPage('connect_owner_mismatch', request.id, OTHER_PERSON), { status: FAULTS.connect_owner_mismatch.status })
  }

  return { goTo, turnedAway }
}

/** What the hosted routes answer once it is clear whose session it is. */
export function hostedAnswers({ connect, publicUrl, people }: HostedParts) {
  const { goTo, turnedAway } = turns({ connect, publicUrl, ...(people === undefined ? {} : { people }) })

  async function showLanding(session: ConnectSession, request: FastifyRequest, reply: FastifyReply, problem: FormProblem | null): Promise<FastifyReply> {
    const view = await connect.view(session)
    if (!view.startable || view.expired) {
      const code = !view.startable ? 'connect_session_used' : 'connect_session_expired'
      return sendPage(reply, endedLinkPage(view, code, request.id), { status: FAULTS[code].status })
    }
    return sendPage(reply, landingPage(view, request.url.split('?')[0] ?? '', problem), { ...towardsProvider(publicUrl), status: problem === null ? 200 : 400 })
  }

  /** @throws Fault where there is nothing to show */
  function showRepair(repair: Repair, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    switch (repair.kind) {
      case 'unknown':
        throw new Fault('not_found')
      case 'gone':
        throw new Fault('connection_disconnected')
      case 'repaired':
        return sendPage(reply, repairedPage(repair.view))
      case 'broken':
        return sendPage(reply, landingPage(repair.view, request.url.split('?')[0] ?? '', null, repair.why), towardsProvider(publicUrl))
    }
  }

  async function start(session: ConnectSession, request: FastifyRequest, reply: FastifyReply, form = formOf(request)): Promise<FastifyReply> {
    const away = await turnedAway(session, request, reply)
    if (away !== null) return away
    const known = browserIdOf(request, publicUrl)
    const browserId = known ?? connect.newBrowserId()
    try {
      const url = await connect.start(session, browserId, form)
      if (known === null) giveBrowserId(reply, browserId, publicUrl)
      return await reply.redirect(url, 303)
    } catch (error) {
      const variable = error instanceof Fault && error.code === 'invalid_request' ? /^\/?variables[./](.+)$/.exec(error.details.field ?? '')?.[1] : undefined
      if (variable === undefined || !(error instanceof Fault)) throw error
      return showLanding(session, request, reply, { variable, text: error.message, form })
    }
  }

  async function retry(session: ConnectSession, ticket: string, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    if (session.state === 'staged') await connect.giveUp(session)
    const current = await connect.byTicket(ticket, browserIdOf(request, publicUrl))
    return start(current ?? session, request, reply, { ...session.variables, ...formOf(request) })
  }

  async function useSibling(session: ConnectSession, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    return goTo(await connect.acceptSibling(session, (await people?.who(request)) ?? null), request, reply)
  }

  async function showOutcome(waiting: ConnectSession, ticket: string, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const session = await goneOn(waiting, ticket, request, reply)
    if (session === null) return reply
    const view = await connect.view(session)
    if (session.state === 'exchanging') reply.header('refresh', '2')
    const code = view.fault?.code
    const status = session.state === 'completed' || session.state === 'exchanging' || view.offersSibling ? 200 : code === undefined ? 400 : FAULTS[code].status
    return sendPage(reply, outcomePage(view, { requestId: request.id, action: `/connect/done/${ticket}` }), { ...towardsProvider(publicUrl), status })
  }

  /** A grant that waited for its owner to sign in goes on when they come back. Null: the browser was sent on. */
  async function goneOn(session: ConnectSession, ticket: string, request: FastifyRequest, reply: FastifyReply): Promise<ConnectSession | null> {
    if (session.mode !== 'signed_in' || session.state !== 'staged') return session
    const outcome = await connect.goOn(session, (await people?.who(request)) ?? null)
    if (outcome.kind === 'page') return (await connect.byTicket(ticket, browserIdOf(request, publicUrl))) ?? session
    await goTo(outcome, request, reply)
    return null
  }

  return { goTo, showLanding, showRepair, start, retry, useSibling, showOutcome }
}

/**
 * Chromium checks `form-action` for every redirect that a form leads to: our page, the provider, any identity provider
 * it hands over to, our callback and the application's return address. Hence every https address, and plain http only
 * for a server on this very machine.
 */
export function towardsProvider(publicUrl: string): PageHeaders {
  const local = publicUrl.startsWith('https:') ? '' : ' http://localhost:* http://127.0.0.1:*'
  return { withForm: true, formAction: `'self' https:${local}` }
}
