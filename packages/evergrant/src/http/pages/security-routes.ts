import type { FastifyReply, FastifyRequest } from 'fastify'
import { Fault } from '../../core/fault/fault.ts'
import type { Factor } from '../../core/identity/factor.ts'
import { type FactorId, idPattern } from '../../core/ids.ts'
import { isRecentProof, requireRecentProof } from '../../core/session/recent-proof.ts'
import { lacksFactor } from '../../core/session/second-factor.ts'
import type { Present } from '../../core/session/session-service.ts'
import type { App } from '../schema.ts'
import { sendMe } from './me-routes.ts'
import { type PageDesk, pathOf, queryOf, type Refused } from './page-desk.ts'
import { codesShown, removeQuestion, securityContent, totpShown } from './security-page.ts'
import { json, passkeyOf } from './sign-in-routes.ts'

const PUBLIC = { config: { access: 'public' as const } }
const FACTOR_ID = new RegExp(idPattern('fct'))
type IdParams = { Params: { id: string } }
const SECTION = { current: '/me/security', title: 'Signing in' } as const

/** How the person signs in: password, second factors, other ways. Every change needs a fresh proof of identity. */
export function securityRoutes(app: App, desk: PageDesk): void {
  overviewRoutes(app, desk)
  totpRoutes(app, desk)
  passkeyRoutes(app, desk)
  removalRoutes(app, desk)
}

function overviewRoutes(app: App, desk: PageDesk): void {
  const { identity } = desk.parts.services
  app.get('/me/security', PUBLIC, async (request, reply) => showOverview({ desk, person: await desk.enrolling(request), request, reply }, null))
  app.post('/me/security/password', PUBLIC, async (request, reply) => {
    const form = desk.form(request)
    const person = await desk.person(request)
    try {
      const current = person.user.passwordHash === null ? null : (form['current'] ?? '').slice(0, 1_024)
      const here = await identity.accounts.changePassword(person, { current, password: (form['password'] ?? '').slice(0, 1_024) }, desk.visitor(request))
      desk.giveSession(reply, here.opened)
      return reply.redirect('/me/security?done=password_set', 303)
    } catch (error) {
      return showOverview({ desk, person, request, reply }, desk.refused(error))
    }
  })
  app.post('/me/security/verify', PUBLIC, async (request, reply) => {
    desk.form(request)
    const person = await desk.enrolling(request)
    try {
      await identity.accounts.sendVerification(person, desk.visitor(request))
      return reply.redirect('/me/security?done=letter', 303)
    } catch (error) {
      return showOverview({ desk, person, request, reply }, desk.refused(error))
    }
  })
  app.post('/me/security/codes', PUBLIC, async (request, reply) => {
    desk.form(request)
    const person = await desk.person(request)
    const codes = await identity.factors.newCodes(person)
    return sendMe({ desk, person, request, reply }, { ...SECTION, title: 'Recovery codes' }, codesShown(codes, null))
  })
}

async function showOverview(answering: Answering, refused: Refused | null): Promise<FastifyReply> {
  const { desk, person } = answering
  const { parts } = desk
  const [{ factors, codesLeft }, offers] = await Promise.all([
    parts.services.identity.factors.list(person),
    parts.providers.offersIn(person.session.organization),
  ])
  const content = securityContent(
    {
      factors,
      codesLeft,
      offers,
      hasPassword: person.user.passwordHash !== null,
      email: person.user.email,
      unconfirmed: person.user.email !== null && person.user.emailVerifiedAt === null,
      limited: lacksFactor(person),
      returnUrl: await returnOf(answering),
    },
    refused,
  )
  return sendMe(answering, { ...SECTION, script: true, status: refused?.status ?? 200 }, content)
}

/** Where the person was going when they were asked for a second step. */
function returnOf({ desk, request }: Answering): Promise<string | null> {
  return desk.returnTo(request.method === 'GET' ? queryOf(request)['return_url'] : desk.form(request)['return_url'])
}

/** The secret and the codes are shown once, so they are the answer itself. */
function totpRoutes(app: App, desk: PageDesk): void {
  const { identity } = desk.parts.services
  const title = { ...SECTION, title: 'Add an authenticator app' }
  app.post('/me/security/totp', PUBLIC, async (request, reply) => {
    desk.form(request)
    const answering = { desk, person: await desk.enrolling(request), request, reply }
    const returnUrl = await returnOf(answering)
    try {
      const { factor, secret, uri } = await identity.factors.startTotp(answering.person, null)
      return await sendMe(answering, title, totpShown({ id: factor.id, secret, uri, returnUrl }, null))
    } catch (error) {
      return showOverview(answering, desk.refused(error))
    }
  })
  app.post<IdParams>('/me/security/totp/:id', PUBLIC, async (request, reply) => {
    const form = desk.form(request)
    const answering = { desk, person: await desk.enrolling(request), request, reply }
    const returnUrl = await returnOf(answering)
    const id = factorId(request.params.id)
    try {
      const { recoveryCodes } = await identity.factors.confirmTotp(answering.person, id, (form['code'] ?? '').replaceAll(/\s/g, '').slice(0, 20))
      return await added(recoveryCodes, returnUrl, answering)
    } catch (error) {
      const { secret = '', uri = '' } = form
      return sendMe(answering, { ...title, status: 400 }, totpShown({ id, secret, uri, returnUrl }, desk.refused(error)))
    }
  })
}

function passkeyRoutes(app: App, desk: PageDesk): void {
  const { identity } = desk.parts.services
  app.post('/me/security/passkey', PUBLIC, async (request, reply) => {
    const form = desk.form(request)
    const answering = { desk, person: await desk.enrolling(request), request, reply }
    const { person } = answering
    if (form['step'] === 'options') return json(reply, () => passkeyOptions(answering), desk)
    try {
      const { recoveryCodes } = await identity.factors.addPasskey(person, { ticket: form['ticket'] ?? '', response: passkeyOf(form), name: null })
      return await added(recoveryCodes, await returnOf(answering), answering)
    } catch (error) {
      return showOverview(answering, desk.refused(error))
    }
  })
}

/** A script cannot be led to the page that confirms it; the person is told. */
function passkeyOptions({ desk, person }: Answering): Promise<unknown> {
  const { clock, identity } = desk.parts.services
  if (!isRecentProof(person, clock.wall()))
    throw new Fault('conflict', { detail: 'Please confirm first that it is you: press "Confirm that it is you" on this page.' })
  return identity.factors.startPasskey(person)
}

interface Answering {
  readonly desk: PageDesk
  readonly person: Present
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

/** As the person is now: nothing keeps them from the other pages any more. */
async function added(codes: readonly string[] | null, returnUrl: string | null, answering: Answering): Promise<FastifyReply> {
  if (codes === null) return answering.reply.redirect(returnUrl ?? '/me/security?done=factor_added', 303)
  const person = await answering.desk.enrolling(answering.request)
  return sendMe({ ...answering, person }, { ...SECTION, title: 'Recovery codes' }, codesShown(codes, returnUrl))
}

function removalRoutes(app: App, desk: PageDesk): void {
  const { identity, clock } = desk.parts.services
  const own = async (person: Present, id: string): Promise<Factor> => {
    const factor = (await identity.factors.list(person)).factors.find((held) => held.id === id)
    if (factor === undefined) throw new Fault('not_found')
    return factor
  }
  app.get<IdParams>('/me/security/factors/:id/remove', PUBLIC, async (request, reply) => {
    const person = await desk.person(request)
    requireRecentProof(person, clock.wall())
    const factor = await own(person, request.params.id)
    return sendMe({ desk, person, request, reply }, { ...SECTION, title: 'Remove a second step' }, removeQuestion(factor, pathOf(request)))
  })
  app.post<IdParams>('/me/security/factors/:id/remove', PUBLIC, async (request, reply) => {
    desk.form(request)
    const person = await desk.person(request)
    await identity.factors.remove(person, factorId(request.params.id))
    return reply.redirect('/me/security?done=factor_removed', 303)
  })
}

function factorId(text: string): FactorId {
  if (isFactorId(text)) return text
  throw new Fault('not_found')
}

function isFactorId(text: string): text is FactorId {
  return FACTOR_ID.test(text)
}
