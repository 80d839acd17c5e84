import type { FastifyReply, FastifyRequest } from 'fastify'
import { Fault } from '../../core/fault/fault.ts'
import type { FactorProof } from '../../core/identity/factor-proofs.ts'
import { isJsonObject, type JsonObject } from '../../core/json.ts'
import { parseJson } from '../../core/provider/answer-body.ts'
import { lacksFactor } from '../../core/session/second-factor.ts'
import type { Present } from '../../core/session/session-service.ts'
import { towardsProvider } from '../connect/hosted-answers.ts'
import { sendPage } from '../connect/page-frame.ts'
import type { App } from '../schema.ts'
import { type PageDesk, queryOf, type Refused } from './page-desk.ts'
import { withReturn } from './return-address.ts'
import { type ConfirmView, confirmPage, secondStepPage, signedOutPage, signInPage } from './sign-in-page.ts'
import { giveStepTicket, stepTicketOf, takeStepTicket } from './step-cookie.ts'

const PUBLIC = { config: { access: 'public' as const } }
type Form = Readonly<Record<string, string>>

/** Signing in with a password or a passkey, the second step, proving it again, and signing out. */
export function signInPageRoutes(app: App, desk: PageDesk): void {
  passwordRoutes(app, desk)
  secondStepRoutes(app, desk)
  confirmRoutes(app, desk)
  signOutRoutes(app, desk)
}

function passwordRoutes(app: App, desk: PageDesk): void {
  const { identity } = desk.parts.services
  const { publicUrl } = desk.parts
  const show = async (
    fields: Readonly<Record<string, string | undefined>>,
    refused: Refused | null,
    reply: FastifyReply,
    here: Present | null = null,
  ): Promise<FastifyReply> => {
    const organization = fields['organization'] ?? null
    const [application, offers] = await Promise.all([desk.parts.providers.applicationOf(organization), desk.parts.providers.offers(organization)])
    const view = {
      application,
      offers,
      organization,
      email: fields['email'] ?? '',
      returnUrl: await desk.returnTo(fields['return_url']),
      done: fields['done'],
      ended: fields['ended'],
      person: here === null ? null : { name: nameOf(here), lacksFactor: lacksFactor(here) },
      signUp: organization === null && identity.accounts.opensSignUp,
    }
    return sendPage(reply, signInPage(view, refused), { ...towardsProvider(publicUrl), status: refused?.status ?? 200 })
  }
  app.get('/auth/sign-in', PUBLIC, async (request, reply) => {
    const { return_url, organization, done, ended } = queryOf(request)
    return show({ return_url, organization, done, ended }, null, reply, await desk.who(request))
  })
  app.post('/auth/sign-in', PUBLIC, async (request, reply) => {
    const form = desk.form(request)
    const to = await desk.returnTo(form['return_url'])
    try {
      const { email = '', password = '', organization } = form
      const wanted = { email: email.slice(0, 254), password: password.slice(0, 1_024), mode: 'cookie', organization: organization ?? null, key: null } as const
      const here = await identity.signIn.withPassword(wanted, desk.visitor(request))
      await desk.signedIn(request, reply, here)
      return reply.redirect(desk.onward(here, to), 303)
    } catch (error) {
      const step = secondStepOf(error)
      if (step === null) return show({ ...form, password: undefined }, desk.refused(error), reply)
      giveStepTicket(reply, 'factor', step, publicUrl)
      return reply.redirect(withReturn('/auth/second-step', to), 303)
    }
  })
  // Without a passkey in it: the script asks for the options.
  app.post('/auth/passkey', PUBLIC, async (request, reply) => {
    const form = desk.form(request)
    if (form['step'] === 'options') return json(reply, () => identity.signIn.passkeyOptions(null, desk.visitor(request)), desk)
    try {
      const wanted = { mode: 'cookie', organization: form['organization'] ?? null, key: null } as const
      const here = await identity.signIn.withPasskey(form['ticket'] ?? '', passkeyOf(form), wanted, desk.visitor(request))
      await desk.signedIn(request, reply, here)
      return reply.redirect(desk.onward(here, await desk.returnTo(form['return_url'])), 303)
    } catch (error) {
      return show(form, desk.refused(error), reply)
    }
  })
}

function secondStepRoutes(app: App, desk: PageDesk): void {
  const { identity } = desk.parts.services
  const { publicUrl } = desk.parts
  const show = (request: FastifyRequest, reply: FastifyReply, refused: Refused | null, to: string | null): FastifyReply => {
    const ticket = stepTicketOf(request, 'factor', publicUrl)
    if (ticket === null) return reply.redirect(withReturn('/auth/sign-in', to), 303)
    return sendPage(reply, secondStepPage({ methods: ticket.words, returnUrl: to }, refused), { ...towardsProvider(publicUrl), status: refused?.status ?? 200 })
  }
  app.get('/auth/second-step', PUBLIC, async (request, reply) => show(request, reply, null, await desk.returnTo(queryOf(request)['return_url'])))
  app.post('/auth/second-step', PUBLIC, async (request, reply) => {
    const form = desk.form(request)
    const to = await desk.returnTo(form['return_url'])
    const ticket = stepTicketOf(request, 'factor', publicUrl)?.token ?? ''
    try {
      const proof = proofOf(form, null)
      await desk.signedIn(request, reply, await identity.signIn.withSecondFactor(ticket, proof, null, desk.visitor(request)))
      takeStepTicket(reply, 'factor', publicUrl)
      return reply.redirect(to ?? '/me', 303)
    } catch (error) {
      return show(request, reply, desk.refused(error), to)
    }
  })
  app.post('/auth/second-step/options', PUBLIC, (request, reply) => {
    desk.form(request)
    const ticket = stepTicketOf(request, 'factor', publicUrl)?.token ?? ''
    return json(reply, () => identity.signIn.passkeyOptions(ticket, desk.visitor(request)), desk)
  })
}

function confirmRoutes(app: App, desk: PageDesk): void {
  const { identity } = desk.parts.services
  const { publicUrl, providers } = desk.parts
  const view = async (person: Present, returnUrl: string | null): Promise<ConfirmView> => {
    const { factors, codesLeft } = await identity.factors.list(person)
    const methods = [...new Set(factors.map(({ kind }) => kind)), ...(codesLeft > 0 ? ['recovery_code'] : [])]
    // A password alone proves nothing of somebody who has a second step.
    const password = person.user.passwordHash !== null && methods.length === 0
    const offers = person.user.passwordHash !== null ? [] : await providers.offersIn(person.session.organization)
    return { name: nameOf(person), password, methods, offers, returnUrl }
  }
  const show = async (person: Present, reply: FastifyReply, refused: Refused | null, to: string | null): Promise<FastifyReply> =>
    sendPage(reply, confirmPage(await view(person, to), refused), { ...towardsProvider(publicUrl), status: refused?.status ?? 200 })
  app.get('/auth/confirm', PUBLIC, async (request, reply) => {
    const to = await desk.returnTo(queryOf(request)['return_url'])
    return show(await desk.enrolling(request), reply, null, to)
  })
  app.post('/auth/confirm', PUBLIC, async (request, reply) => {
    const form = desk.form(request)
    const to = await desk.returnTo(form['return_url'])
    const person = await desk.enrolling(request)
    try {
      const { password, ticket = null } = form
      const proof = password === undefined ? proofOf(form, ticket) : ({ kind: 'password', password: password.slice(0, 1_024) } as const)
      const here = await identity.signIn.again(person, proof, desk.visitor(request))
      desk.giveSession(reply, here.opened)
      return reply.redirect(to ?? desk.onward(here, null), 303)
    } catch (error) {
      return show(person, reply, desk.refused(error), to)
    }
  })
  app.post('/auth/confirm/options', PUBLIC, async (request, reply) => {
    desk.form(request)
    const person = await desk.enrolling(request)
    return json(reply, () => identity.signIn.reauthenticationOptions(person), desk)
  })
}

function signOutRoutes(app: App, desk: PageDesk): void {
  app.post('/auth/sign-out', PUBLIC, async (request, reply) => {
    desk.form(request)
    await desk.signOut(request, reply)
    return reply.redirect('/auth/signed-out', 303)
  })
  app.get('/auth/signed-out', PUBLIC, async (_request, reply) => sendPage(reply, signedOutPage(await desk.parts.providers.applicationOf(null))))
}

export function nameOf({ user }: Pick<Present, 'user'>): string {
  return user.name ?? user.email ?? 'you'
}

/** What the next page needs, of a refusal that asks for a second step. */
export function secondStepOf(error: unknown): { readonly token: string; readonly words: readonly string[] } | null {
  if (!(error instanceof Fault) || error.code !== 'second_factor_required') return null
  const { ticket, methods } = error.details.members ?? {}
  return typeof ticket === 'string' && Array.isArray(methods) ? { token: ticket, words: methods.filter((method) => typeof method === 'string') } : null
}

/** @throws Fault `sign_in_refused` for a form that holds none */
function proofOf(form: Form, ticket: string | null): FactorProof {
  const { code, recovery_code: recoveryCode, passkey } = form
  if (passkey !== undefined && passkey !== '') return { kind: 'passkey', response: passkeyOf(form), ticket }
  if (recoveryCode !== undefined) return { kind: 'recovery_code', code: recoveryCode.slice(0, 60) }
  return { kind: 'totp', code: (code ?? '').replaceAll(/\s/g, '').slice(0, 20) }
}

export function passkeyOf({ passkey }: Form): JsonObject {
  const value = parseJson(passkey ?? '')
  if (isJsonObject(value)) return value
  throw new Fault('sign_in_refused', { detail: 'The passkey was not used. Try again, or choose another way.' })
}

/** What the script asks for: options of a passkey, or words for the person. */
export async function json(reply: FastifyReply, make: () => Promise<unknown>, desk: PageDesk): Promise<FastifyReply> {
  try {
    return reply.type('application/json; charset=utf-8').send(JSON.stringify(await make()))
  } catch (error) {
    const { status, text } = desk.refused(error)
    return reply
      .code(status)
      .type('application/json; charset=utf-8')
      .send(JSON.stringify({ message: text }))
  }
}
