import type { FastifyReply, FastifyRequest } from 'fastify'
import { isToken } from '../../core/connect/random-token.ts'
import { Fault } from '../../core/fault/fault.ts'
import type { SignedInHere } from '../../core/identity/sign-in.ts'
import { lacksFactor } from '../../core/session/second-factor.ts'
import { giveDevice } from '../auth/device-cookie.ts'
import { towardsProvider } from '../connect/hosted-answers.ts'
import { sendPage } from '../connect/page-frame.ts'
import type { App } from '../schema.ts'
import { ADDRESS } from './form-html.ts'
import { type ForgotView, forgotPage, type LetterView, letterPage, type SignUpView, signUpPage } from './letter-page.ts'
import { type PageDesk, queryOf, type Refused } from './page-desk.ts'
import { withReturn } from './return-address.ts'
import { giveStepTicket, stepTicketOf, takeStepTicket } from './step-cookie.ts'

const PUBLIC = { config: { access: 'public' as const } }
type Form = Readonly<Record<string, string>>

interface Letter {
  readonly step: 'verify' | 'reset' | 'invitation' | 'setup'
  /** What the link is for. Spends nothing. @throws Fault `link_spent` */
  readonly look: (token: string, request: FastifyRequest) => Promise<LetterView>
  /** Uses it. Where the person goes then. @throws Fault */
  readonly finish: (token: string, form: Form, request: FastifyRequest, reply: FastifyReply) => Promise<string>
}

/** Pages behind mailed links, and the one that asks for such a letter. */
export function letterRoutes(app: App, desk: PageDesk): void {
  for (const letter of lettersOf(desk)) letterRoute(app, desk, letter)
  forgotRoute(app, desk)
  signUpRoute(app, desk)
}

function lettersOf(desk: PageDesk): readonly Letter[] {
  const { accounts, joining } = desk.parts.services.identity
  const { publicUrl } = desk.parts
  const chosen = ({ password = '', name = '' }: Form) =>
    ({
      password: password === '' ? null : password.slice(0, 1_024),
      name: personName(name),
      mode: 'cookie',
      key: null,
    }) as const
  const welcome = async (here: SignedInHere, request: FastifyRequest, reply: FastifyReply): Promise<string> => {
    await desk.signedIn(request, reply, here)
    return lacksFactor(here.opened.signedIn) ? '/me/security?done=welcome' : '/me?done=welcome'
  }
  return [
    {
      step: 'verify',
      look: async (token) => {
        if ((await accounts.look(token, 'sign_up')) !== undefined) return { kind: 'sign_up' }
        return { kind: (await accounts.look(token, 'verify_email')) === undefined ? 'spent' : 'verify' }
      },
      finish: async (token, form, request, reply) => {
        const here = await accounts.verify(token, chosen(form), desk.visitor(request))
        if (here !== null) return welcome(here, request, reply)
        const person = await desk.who(request)
        if (person === null) return '/auth/sign-in?done=verified'
        return lacksFactor(person) ? '/me/security?done=verified' : '/me?done=verified'
      },
    },
    {
      step: 'reset',
      look: async (token) => ({ kind: (await accounts.look(token, 'reset_password')) === undefined ? 'spent' : 'reset' }),
      finish: async (token, { password = '' }, request, reply) => {
        const { device } = await accounts.reset(token, password.slice(0, 1_024), desk.visitor(request))
        giveDevice(reply, device, 'cookie', publicUrl)
        return '/auth/sign-in?done=password_changed'
      },
    },
    {
      step: 'invitation',
      look: async (token, request) => ({ kind: 'invitation', ...(await joining.look(token, desk.visitor(request))) }),
      finish: async (token, form, request, reply) => {
        const here = await joining.accept(token, chosen(form), desk.visitor(request))
        return here === null ? '/auth/sign-in?done=joined' : welcome(here, request, reply)
      },
    },
    {
      step: 'setup',
      look: async (token) => ({ kind: (await accounts.look(token, 'setup')) === undefined ? 'spent' : 'setup' }),
      finish: async (token, form, request, reply) => {
        const { password, name } = chosen(form)
        const email = (form['email'] ?? '').slice(0, 254)
        if (!ADDRESS.test(email.trim())) throw new Fault('invalid_request', { field: '/email', detail: 'This is no e-mail address.' })
        await welcome(
          await joining.setUp(token, { email, password: password ?? '', name }, { mode: 'cookie', key: null }, desk.visitor(request)),
          request,
          reply,
        )
        // Whoever set this server up wants to see it work.
        return '/console/welcome'
      },
    },
  ]
}

/** Null where none was given. */
function personName(text: string): string | null {
  const name = text
    .replace(/[\p{Cc}\p{Cs}]/gu, ' ')
    .trim()
    .slice(0, 100)
  return name === '' ? null : name
}

/**
 * The token comes by a form and goes on in a cookie, never in an address: looking at what a link is for spends nothing, and a scanner that opens it changes
 * nothing.
 */
function letterRoute(app: App, desk: PageDesk, letter: Letter): void {
  const { publicUrl, providers } = desk.parts
  const path = `/auth/${letter.step}`
  const show = async (view: LetterView, form: Form, refused: Refused | null, reply: FastifyReply): Promise<FastifyReply> => {
    const page = letterPage({ path, application: await providers.applicationOf(null), view, form }, refused)
    return sendPage(reply, page, { ...towardsProvider(publicUrl), status: refused?.status ?? (view.kind === 'spent' ? 410 : 200) })
  }
  const viewOf = (request: FastifyRequest): Promise<LetterView> => {
    const ticket = stepTicketOf(request, letter.step, publicUrl)
    return ticket === null ? Promise.resolve({ kind: 'unread' }) : letter.look(ticket.token, request).catch(spent)
  }
  app.get(path, PUBLIC, async (request, reply) => show(await viewOf(request), {}, null, reply))
  app.post(path, PUBLIC, async (request, reply) => {
    const form = desk.form(request)
    if (form['step'] !== 'finish') return carryOver(form['token'] ?? '', reply)
    const ticket = stepTicketOf(request, letter.step, publicUrl)
    if (ticket === null) return reply.redirect(path, 303)
    try {
      const to = await letter.finish(ticket.token, form, request, reply)
      takeStepTicket(reply, letter.step, publicUrl)
      return reply.redirect(to, 303)
    } catch (error) {
      if (error instanceof Fault && error.code === 'link_spent') return show({ kind: 'spent' }, {}, null, reply)
      return show(await viewOf(request), form, desk.refused(error), reply)
    }
  })

  function carryOver(pasted: string, reply: FastifyReply): Promise<FastifyReply> | FastifyReply {
    const token = pasted.trim().split('#').at(-1) ?? ''
    if (!isToken(token)) return show({ kind: 'spent' }, {}, null, reply)
    giveStepTicket(reply, letter.step, { token, words: [] }, publicUrl)
    return reply.redirect(path, 303)
  }
}

function spent(error: unknown): LetterView {
  if (error instanceof Fault && error.code === 'link_spent') return { kind: 'spent' }
  throw error
}

function forgotRoute(app: App, desk: PageDesk): void {
  const { providers, services } = desk.parts
  const show = async (view: ForgotView, refused: Refused | null, reply: FastifyReply) =>
    sendPage(reply, forgotPage(await providers.applicationOf(null), view, refused), { withForm: true, status: refused?.status ?? 200 })
  app.get('/auth/forgot', PUBLIC, async (request, reply) => {
    const { done, return_url: to } = queryOf(request)
    return show({ done, email: '', returnUrl: await desk.returnTo(to) }, null, reply)
  })
  app.post('/auth/forgot', PUBLIC, async (request, reply) => {
    const form = desk.form(request)
    const email = (form['email'] ?? '').slice(0, 254)
    const returnUrl = await desk.returnTo(form['return_url'])
    try {
      await services.identity.accounts.forgot(email, desk.visitor(request))
      return reply.redirect(withReturn('/auth/forgot', returnUrl, { done: 'sent' }), 303)
    } catch (error) {
      return show({ done: undefined, email, returnUrl }, desk.refused(error), reply)
    }
  })
}

/** Whoever has the address gets a letter, and is told nothing here that others could not know. */
function signUpRoute(app: App, desk: PageDesk): void {
  const { providers, services } = desk.parts
  const { accounts } = services.identity
  const show = async (view: SignUpView, refused: Refused | null, reply: FastifyReply) =>
    sendPage(reply, signUpPage(await providers.applicationOf(null), view, refused), { withForm: true, status: refused?.status ?? 200 })
  app.get('/auth/sign-up', PUBLIC, (request, reply) => {
    accounts.requireSignUp()
    return show({ done: queryOf(request)['done'], email: '', name: '' }, null, reply)
  })
  app.post('/auth/sign-up', PUBLIC, async (request, reply) => {
    const form = desk.form(request)
    const view = { done: undefined, email: (form['email'] ?? '').slice(0, 254), name: (form['name'] ?? '').slice(0, 100) }
    try {
      if (!ADDRESS.test(view.email.trim())) throw new Fault('invalid_request', { field: '/email', detail: 'This is no e-mail address.' })
      await accounts.signUp({ email: view.email, name: personName(view.name) }, desk.visitor(request))
      return reply.redirect('/auth/sign-up?done=signing_up', 303)
    } catch (error) {
      return show(view, desk.refused(error), reply)
    }
  })
}
