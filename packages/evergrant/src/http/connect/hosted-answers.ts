import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ConnectService } from '../../core/connect/connect-service.ts'
import type { ConnectSession } from '../../core/connect/connect-sessions.ts'
import type { ConnectView } from '../../core/connect/connect-view.ts'
import type { FlowOutcome } from '../../core/connect/fail-flow.ts'
import { isOwnerOf } from '../../core/connect/signed-in.ts'
import { Fault } from '../../core/fault/fault.ts'
import { FAULTS } from '../../core/fault/table.ts'
import { type Clock, DAY } from '../../core/time.ts'
import { browserIdOf, giveBrowserId } from './browser-cookie.ts'
import { redirectOf } from './callback-answer.ts'
import { choicePage } from './choice-page.ts'
import type { ConnectPeople } from './connect-people.ts'
import { formOf } from './forms.ts'
import { type Aside, type FormProblem, type Landing, landingPage } from './landing-page.ts'
import { keepLanguage, lookOf, pathHere, withLanguage } from './language.ts'
import { endedLinkPage, outcomePage, problemPage } from './outcome-pages.ts'
import { type PageHeaders, sendPage } from './page-frame.ts'
import { REMINDER } from './reminder.ts'

interface HostedParts {
  readonly connect: ConnectService
  readonly publicUrl: string
  readonly clock: Pick<Clock, 'wall'>
  readonly people?: ConnectPeople
}

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
    if (person === null) return reply.redirect(`/auth/sign-in?return_url=${encodeURIComponent(pathHere(request))}`, 303)
    if (isOwnerOf(person, session)) return null
    const look = lookOf(request, null)
    return sendPage(reply, problemPage('connect_owner_mismatch', request.id, look.words.otherPerson, look), { status: FAULTS.connect_owner_mismatch.status })
  }

  return { goTo, turnedAway }
}

/** The pages before the provider's. */
function landings({ connect, publicUrl, clock }: HostedParts) {
  async function showLanding(session: ConnectSession, request: FastifyRequest, reply: FastifyReply, more: Partial<Landing> = {}): Promise<FastifyReply> {
    const view = await connect.view(session)
    const path = pathHere(request)
    const chosen = view.choosable ? `?integration=${encodeURIComponent(view.integration)}` : ''
    const look = lookOf(request, view.brand, path + chosen)
    if (!view.startable || view.expired) {
      const code = !view.startable ? 'connect_session_used' : 'connect_session_expired'
      return sendPage(reply, endedLinkPage(view, code, look, request.id), { status: FAULTS[code].status })
    }
    const choosing = view.choosable
      ? { hidden: { ...more.hidden, integration: view.integration }, chooseUrl: `${path}${isTicket(request) ? '?choose' : ''}` }
      : {}
    const landing = { action: withLanguage(path, request), aside: reminderOf(view, request), ...more, ...choosing }
    return sendPage(reply, landingPage(view, look, landing), { ...towardsProvider(publicUrl), status: more.problem === undefined ? 200 : 400 })
  }

  /** Of a link that was sent, while it still works tomorrow. */
  function reminderOf(view: ConnectView, request: FastifyRequest): Aside | null {
    if (!view.reconnect || isTicket(request) || view.expiresAt - clock.wall() <= DAY) return null
    return { kind: 'remind', url: withLanguage(`${pathHere(request)}${REMINDER}`, request) }
  }

  /** What a link leads to: the page of its integration, or first the one on which it is chosen. */
  async function showLink(session: ConnectSession, request: FastifyRequest, reply: FastifyReply, more: Partial<Landing> = {}): Promise<FastifyReply> {
    if (session.choices === undefined) return showLanding(session, request, reply, more)
    const chosen = await connect.choose(session, queryOf(request).get('integration') ?? '')
    if (chosen !== undefined) return showLanding(chosen, request, reply, more)
    const view = await connect.choice(session)
    const look = lookOf(request, view.brand, isTicket(request) ? `${pathHere(request)}?choose` : undefined)
    if (view.startable && !view.expired) return sendPage(reply, choicePage(view, look, pathHere(request)))
    const code = !view.startable ? 'connect_session_used' : 'connect_session_expired'
    return sendPage(reply, endedLinkPage(view, code, look, request.id), { status: FAULTS[code].status })
  }

  return { showLanding, showLink }
}

/** What the hosted routes answer once it is clear whose session it is. */
export function hostedAnswers(parts: HostedParts) {
  const { connect, publicUrl, people } = parts
  const { goTo, turnedAway } = turns(parts)
  const { showLanding, showLink } = landings(parts)

  async function start(wanted: ConnectSession, request: FastifyRequest, reply: FastifyReply, form = formOf(request)): Promise<FastifyReply> {
    const session = wanted.choices === undefined ? wanted : await connect.choose(wanted, form['integration'] ?? '')
    // The page on which it is chosen was skipped, or the integration is gone.
    if (session === undefined) return reply.redirect(`${pathHere(request)}${isTicket(request) ? '?choose' : ''}`, 303)
    const away = await turnedAway(session, request, reply)
    if (away !== null) return away
    const known = browserIdOf(request, publicUrl)
    const browserId = known ?? connect.newBrowserId()
    try {
      const url = await connect.start(session, browserId, form)
      if (known === null) giveBrowserId(reply, browserId, publicUrl)
      keepLanguage(request, reply, publicUrl)
      return await reply.redirect(url, 303)
    } catch (error) {
      const variable = error instanceof Fault && error.code === 'invalid_request' ? /^\/?variables[./](.+)$/.exec(error.details.field ?? '')?.[1] : undefined
      if (variable === undefined) throw error
      const problem: FormProblem = { variable, form }
      return showLanding(session, request, reply, { problem, ...(isTicket(request) ? { hidden: RETRY } : {}) })
    }
  }

  async function retry(session: ConnectSession, ticket: string, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    if (session.state === 'staged') await connect.giveUp(session)
    const current = (await connect.byTicket(ticket, browserIdOf(request, publicUrl))) ?? session
    const again = current.choices === undefined ? {} : { integration: (await connect.view(current)).integration }
    return start(current, request, reply, { ...again, ...session.variables, ...formOf(request) })
  }

  async function useSibling(session: ConnectSession, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    return goTo(await connect.acceptSibling(session, (await people?.who(request)) ?? null), request, reply)
  }

  /** To the link of a new connection, whose page says whose it becomes. */
  async function connectAsNew(session: ConnectSession, reply: FastifyReply): Promise<FastifyReply> {
    return reply.redirect(`/connect/${await connect.connectAsNew(session)}`, 303)
  }

  async function showOutcome(waiting: ConnectSession, ticket: string, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const session = await goneOn(waiting, ticket, request, reply)
    if (session === null) return reply
    if (session.choices !== undefined && session.state === 'open' && (queryOf(request).has('choose') || queryOf(request).has('integration')))
      return showLink(session, request, reply, { hidden: RETRY })
    const view = await connect.view(session)
    if (session.state === 'exchanging') reply.header('refresh', '2')
    const code = view.fault?.code
    const status = session.state === 'completed' || session.state === 'exchanging' || view.offersSibling ? 200 : code === undefined ? 400 : FAULTS[code].status
    const details = { requestId: request.id, action: pathHere(request), session: session.id }
    return sendPage(reply, outcomePage(view, lookOf(request, view.brand), details), { ...towardsProvider(publicUrl), status })
  }

  /** A grant that waits, for its owner to sign in or for the application, goes on when they come back to the page of an earlier try. Null: the browser was sent on. */
  async function goneOn(session: ConnectSession, ticket: string, request: FastifyRequest, reply: FastifyReply): Promise<ConnectSession | null> {
    if (session.state !== 'staged' || !GOES_ON.has(session.mode)) return session
    // What waited too long goes nowhere: its page begins anew.
    if (session.mode === 'verified' && (await connect.view(session)).startable) return session
    const outcome = await connect.goOn(session, (await people?.who(request)) ?? null)
    if (outcome.kind === 'page') return (await connect.byTicket(ticket, browserIdOf(request, publicUrl))) ?? session
    await goTo(outcome, request, reply)
    return null
  }

  return { goTo, showLink, start, retry, useSibling, connectAsNew, showOutcome }
}

const RETRY = { step: 'retry' }
const GOES_ON: ReadonlySet<ConnectSession['mode']> = new Set(['signed_in', 'verified'])

function queryOf(request: FastifyRequest): URLSearchParams {
  return new URLSearchParams(request.url.split('?')[1] ?? '')
}

/** The page of a session's own browser, not that of its link. */
function isTicket(request: FastifyRequest): boolean {
  return request.url.startsWith('/connect/done/')
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
