import type { FastifyReply, FastifyRequest } from 'fastify'
import { Fault } from '../../core/fault/fault.ts'
import { idPattern, type SessionId } from '../../core/ids.ts'
import { lacksFactor } from '../../core/session/second-factor.ts'
import type { Session } from '../../core/session/session.ts'
import { personActor } from '../../core/session/session-events.ts'
import type { Present } from '../../core/session/session-service.ts'
import { ownerOf } from '../../core/user/user.ts'
import { towardsProvider } from '../connect/hosted-answers.ts'
import { sendPage } from '../connect/page-frame.ts'
import { type Html, html } from '../html.ts'
import type { App } from '../schema.ts'
import { connectionList, day, disconnectQuestion } from './connections-page.ts'
import { deviceName } from './device-name.ts'
import { act } from './form-html.ts'
import { type MeFrame, mePage } from './me-frame.ts'
import { connectionsOf, ownConnection, type Whose } from './own-connections.ts'
import { type PageDesk, queryOf } from './page-desk.ts'
import { nameOf } from './sign-in-routes.ts'

const PUBLIC = { config: { access: 'public' as const } }
const SESSION_ID = new RegExp(idPattern('ses'))
type IdParams = { Params: { id: string } }

/** The owner's page: what they connected, and where they are signed in. */
export function meRoutes(app: App, desk: PageDesk): void {
  connectionRoutes(app, desk)
  deviceRoutes(app, desk)
}

/** A part of the owner's page. */
export async function sendMe(
  { desk, person, request, reply }: { readonly desk: PageDesk; readonly person: Present; readonly request: FastifyRequest; readonly reply: FastifyReply },
  frame: Pick<MeFrame, 'current' | 'title' | 'script'> & { readonly status?: number },
  content: Html,
): Promise<FastifyReply> {
  const organization = await desk.parts.services.sessions.organizationOf(person)
  const { status = 200, ...rest } = frame
  const page = mePage(
    {
      ...rest,
      application: organization.name,
      name: nameOf(person),
      limited: lacksFactor(person),
      done: status === 200 ? queryOf(request)['done'] : undefined,
    },
    content,
  )
  return sendPage(reply, page, { ...towardsProvider(desk.parts.publicUrl), status })
}

function whose({ user, session }: Present): Whose {
  return { organization: session.organization, owner: ownerOf(user) }
}

function connectionRoutes(app: App, desk: PageDesk): void {
  const { services, connect } = desk.parts
  app.get('/me', PUBLIC, async (request, reply) => {
    const person = await desk.person(request)
    await desk.keepAlive(person, request, reply)
    const list = connectionList(await connectionsOf(desk, whose(person)), '/me', 'signed_in')
    return sendMe({ desk, person, request, reply }, { current: '/me', title: 'Your connections' }, html`<h1>Your connections</h1>${list}`)
  })
  app.get<IdParams>('/me/connections/:id/disconnect', PUBLIC, async (request, reply) => {
    const person = await desk.person(request)
    const { name } = await services.sessions.organizationOf(person)
    const question = disconnectQuestion(await ownConnection(desk, whose(person), request.params.id), name, '/me')
    return sendMe({ desk, person, request, reply }, { current: '/me', title: 'Disconnect' }, question)
  })
  app.post<IdParams>('/me/connections/:id/disconnect', PUBLIC, async (request, reply) => {
    desk.form(request)
    const person = await desk.person(request)
    const { details } = await ownConnection(desk, whose(person), request.params.id)
    await services.connections.disconnect(person.session.organization, details.row.connection.id, personActor(person.user.id))
    return reply.redirect('/me?done=disconnected', 303)
  })
  app.post<IdParams>('/me/connections/:id/reconnect', PUBLIC, async (request, reply) => {
    desk.form(request)
    const person = await desk.person(request)
    const { details } = await ownConnection(desk, whose(person), request.params.id)
    const base = { organization: person.session.organization, actor: personActor(person.user.id), integration: null, owner: null, scopes: null, variables: {} }
    const { url } = await connect.create({ ...base, mode: 'signed_in', returnUrl: null, connection: details.row.connection.id })
    return reply.redirect(url.slice(desk.parts.publicUrl.length), 303)
  })
}

function deviceRoutes(app: App, desk: PageDesk): void {
  const { sessions } = desk.parts.services
  app.get('/me/devices', PUBLIC, async (request, reply) => {
    const person = await desk.person(request)
    const devices = await sessions.list(person.user.id)
    return sendMe(
      { desk, person, request, reply },
      { current: '/me/devices', title: 'Your devices' },
      deviceList(devices, person.session.parent ?? person.session.id),
    )
  })
  app.post<IdParams>('/me/devices/:id/end', PUBLIC, async (request, reply) => {
    desk.form(request)
    const person = await desk.person(request)
    const { id } = request.params
    if (!isSessionId(id)) throw new Fault('not_found')
    await sessions.endById(person, id, desk.visitor(request))
    return reply.redirect('/me/devices?done=device_ended', 303)
  })
  app.post('/me/devices/end-others', PUBLIC, async (request, reply) => {
    desk.form(request)
    const person = await desk.person(request)
    await sessions.endOthers(person, desk.visitor(request))
    return reply.redirect('/me/devices?done=devices_ended', 303)
  })
}

function deviceList(devices: readonly Session[], current: SessionId): Html {
  const here = devices.filter(({ id }) => id === current)
  const others = devices.filter(({ id }) => id !== current)
  return html`<h1>Your devices</h1>
<p class="lead">Where you are signed in. If you do not know one of them, sign it out and change your password.</p>
<ul class="items">${[...here, ...others].map((device) => deviceItem(device, device.id === current))}</ul>
${others.length === 0 ? html`<p class="soft">You are signed in nowhere else.</p>` : html`<div class="actions">${act('/me/devices/end-others', 'Sign out all other devices', 'danger')}</div>`}`
}

function deviceItem({ id, userAgent, address, createdAt, issuedAt }: Session, current: boolean): Html {
  return html`<li><div class="item-head"><h2>${deviceName(userAgent)}</h2>${current ? html`<span class="badge good">This device</span>` : null}</div>
<p class="small soft">Signed in on ${day(createdAt)}, last seen on ${day(issuedAt)}${address === null ? null : html`, from ${address}`}</p>
${current ? null : html`<div class="actions">${act(`/me/devices/${id}/end`, 'Sign out this device')}</div>`}</li>`
}

function isSessionId(text: string): text is SessionId {
  return SESSION_ID.test(text)
}
