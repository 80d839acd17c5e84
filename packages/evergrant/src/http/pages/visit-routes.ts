import type { FastifyRequest } from 'fastify'
import { Fault } from '../../core/fault/fault.ts'
import { VISIT_PATH, type Visit } from '../../core/sign-in/owner-visits.ts'
import { towardsProvider } from '../connect/hosted-answers.ts'
import { sendPage } from '../connect/page-frame.ts'
import { html } from '../html.ts'
import type { App } from '../schema.ts'
import { connectionList, disconnectQuestion } from './connections-page.ts'
import { act } from './form-html.ts'
import { visitFrame } from './me-frame.ts'
import { connectionsOf, ownConnection } from './own-connections.ts'
import { type PageDesk, pathOf, queryOf } from './page-desk.ts'
import { giveStepTicket, stepTicketOf, takeStepTicket } from './step-cookie.ts'

const PUBLIC = { config: { access: 'public' as const } }
const ACTOR = { kind: 'browser', id: null } as const
type IdParams = { Params: { id: string } }

/** The owner's page for somebody who has no user here: the application vouched for them with a link. */
export function visitRoutes(app: App, desk: PageDesk): void {
  linkRoutes(app, desk)
  pageRoutes(app, desk)
}

async function visitOf(request: FastifyRequest, { parts }: PageDesk): Promise<Visit> {
  const ticket = stepTicketOf(request, 'visit', parts.publicUrl)
  const visit = ticket === null ? null : await parts.visits.current(ticket.token)
  if (visit === null) throw new Fault('link_spent')
  return visit
}

async function nameOf({ organization }: Visit, { parts }: PageDesk): Promise<string> {
  return (await parts.services.organizations.get(organization))?.name ?? 'The application'
}

/** Opening the link changes nothing; its button spends it and binds this browser. */
function linkRoutes(app: App, desk: PageDesk): void {
  const { visits, publicUrl } = desk.parts
  app.get<{ Params: { link: string } }>(`${VISIT_PATH}/:link`, PUBLIC, async (request, reply) => {
    const visit = await visits.look(request.params.link)
    if (visit === null) throw new Fault('link_spent')
    const application = await nameOf(visit, desk)
    const body = html`<div class="card">
<p class="eyebrow">${application}</p>
<h1>Your connections</h1>
<p class="lead">See what you have connected through ${application}, repair it, or end it.</p>
<dl class="facts"><div><dt>For</dt><dd>${visit.owner}</dd></div></dl>
<div class="actions">${act(pathOf(request), 'Open my connections', 'primary')}</div>
<p class="small soft after">The link works once, in this browser. Continue only if it was made for you.</p>
</div>`
    return sendPage(reply, { title: `Your connections - ${application}`, body }, { withForm: true })
  })
  app.post<{ Params: { link: string } }>(`${VISIT_PATH}/:link`, PUBLIC, async (request, reply) => {
    desk.form(request)
    const opened = await visits.open(request.params.link)
    if (opened === null) throw new Fault('link_spent')
    giveStepTicket(reply, 'visit', { token: opened.text, words: [] }, publicUrl)
    return reply.redirect(VISIT_PATH, 303)
  })
}

function pageRoutes(app: App, desk: PageDesk): void {
  const { services, connect, visits, publicUrl } = desk.parts
  app.get(VISIT_PATH, PUBLIC, async (request, reply) => {
    const visit = await visitOf(request, desk)
    // Without a person, only an account that is known and proven says at the end that it was the right one.
    const list = connectionList(await connectionsOf(desk, visit), VISIT_PATH, 'link')
    const page = visitFrame(await nameOf(visit, desk), queryOf(request)['done'], html`<h1>Your connections</h1>${list}`)
    return sendPage(reply, page, towardsProvider(publicUrl))
  })
  app.get<IdParams>(`${VISIT_PATH}/connections/:id/disconnect`, PUBLIC, async (request, reply) => {
    const visit = await visitOf(request, desk)
    const application = await nameOf(visit, desk)
    const question = disconnectQuestion(await ownConnection(desk, visit, request.params.id), application, VISIT_PATH)
    return sendPage(reply, visitFrame(application, undefined, question), { withForm: true })
  })
  app.post<IdParams>(`${VISIT_PATH}/connections/:id/disconnect`, PUBLIC, async (request, reply) => {
    desk.form(request)
    const visit = await visitOf(request, desk)
    const { details } = await ownConnection(desk, visit, request.params.id)
    await services.connections.disconnect(visit.organization, details.row.connection.id, ACTOR)
    return reply.redirect(`${VISIT_PATH}?done=disconnected`, 303)
  })
  app.post<IdParams>(`${VISIT_PATH}/connections/:id/reconnect`, PUBLIC, async (request, reply) => {
    desk.form(request)
    const visit = await visitOf(request, desk)
    const { details } = await ownConnection(desk, visit, request.params.id)
    const base = { organization: visit.organization, actor: ACTOR, integration: null, owner: null, scopes: null, variables: {} }
    const { url } = await connect.create({ ...base, mode: 'link', returnUrl: null, connection: details.row.connection.id })
    return reply.redirect(url.slice(publicUrl.length), 303)
  })
  app.post(`${VISIT_PATH}/leave`, PUBLIC, async (request, reply) => {
    desk.form(request)
    const ticket = stepTicketOf(request, 'visit', publicUrl)
    if (ticket !== null) await visits.leave(ticket.token)
    takeStepTicket(reply, 'visit', publicUrl)
    return reply.redirect('/auth/signed-out', 303)
  })
}
