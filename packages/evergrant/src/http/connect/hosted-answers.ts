import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ConnectService } from '../../core/connect/connect-service.ts'
import type { ConnectSession } from '../../core/connect/connect-sessions.ts'
import type { Repair } from '../../core/connect/repair.ts'
import { Fault } from '../../core/fault/fault.ts'
import { FAULTS } from '../../core/fault/table.ts'
import { browserIdOf, giveBrowserId } from './browser-cookie.ts'
import { redirectOf } from './callback-answer.ts'
import { type FormProblem, landingPage } from './landing-page.ts'
import { endedLinkPage, outcomePage, repairedPage } from './outcome-pages.ts'
import { type PageHeaders, sendPage } from './page-frame.ts'

/** What the hosted routes answer once it is clear whose session it is. */
export function hostedAnswers({ connect, publicUrl }: { readonly connect: ConnectService; readonly publicUrl: string }) {
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
    const outcome = await connect.acceptSibling(session)
    return reply.redirect(redirectOf(outcome, browserIdOf(request, publicUrl), request.id, connect), 303)
  }

  async function showOutcome(session: ConnectSession, ticket: string, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const view = await connect.view(session)
    if (session.state === 'exchanging') reply.header('refresh', '2')
    const code = view.fault?.code
    const status = session.state === 'completed' || session.state === 'exchanging' || view.offersSibling ? 200 : code === undefined ? 400 : FAULTS[code].status
    return sendPage(reply, outcomePage(view, { requestId: request.id, action: `/connect/done/${ticket}` }), { ...towardsProvider(publicUrl), status })
  }

  return { showLanding, showRepair, start, retry, useSibling, showOutcome }
}

/** The first value of every field. */
export function formOf(request: FastifyRequest): Readonly<Record<string, string>> {
  return request.body instanceof URLSearchParams ? Object.fromEntries([...request.body].reverse()) : {}
}

/**
 * Chromium checks `form-action` for every redirect that a form leads to: our page, the provider, any identity provider
 * it hands over to, our callback and the application's return address. Hence every https address, and plain http only
 * for a server on this very machine.
 */
function towardsProvider(publicUrl: string): PageHeaders {
  const local = publicUrl.startsWith('https:') ? '' : ' http://localhost:* http://127.0.0.1:*'
  return { withForm: true, formAction: `'self' https:${local}` }
}
