import type { FastifyReply, FastifyRequest } from 'fastify'
import { Fault, type FaultCode } from '../../core/fault/fault.ts'
import { FAULTS } from '../../core/fault/table.ts'
import { faultOf } from '../problem.ts'
import type { App } from '../schema.ts'
import { accentSheet } from './accent-sheet.ts'
import { browserIdOf, isSameOrigin } from './browser-cookie.ts'
import { parametersOf } from './callback-answer.ts'
import { ENDED_SCRIPT } from './ended-script.ts'
import { formOf, readForms } from './forms.ts'
import { hostedAnswers } from './hosted-answers.ts'
import type { HostedOptions } from './hosted-options.ts'
import { languageOf, lookOf, pathHere } from './language.ts'
import { problemPage } from './outcome-pages.ts'
import { ACCENT_PATH, ENDED_SCRIPT_PATH, STYLE_PATH, sendPage } from './page-frame.ts'
import { REMINDER, sendReminder } from './reminder.ts'
import { approvalPage } from './repair-pages.ts'
import { repairRoutes } from './repair-routes.ts'
import { STYLESHEET } from './stylesheet.ts'

const FORM_LIMIT = 64 * 1_024
const PAGE_CODE = /^[a-z_]{1,60}$/

/** The pages that end users see. Every one works without a script. */
export function hostedRoutes(app: App, options: HostedOptions): void {
  const { connect, publicUrl, clock } = options
  const { showLink, start, retry, useSibling, connectAsNew, showOutcome } = hostedAnswers(options)
  readForms(app, FORM_LIMIT)
  app.setErrorHandler((error, request, reply) => showFault(error, request, reply, options))
  assetRoutes(app)

  app.get<{ Params: { token: string } }>('/connect/:token', { config: { access: 'public' } }, async (request, reply) => {
    const session = await connect.byLink(request.params.token)
    return session === undefined ? showProblem(reply, request, 'not_found') : showLink(session, request, reply)
  })
  app.post<{ Params: { token: string } }>('/connect/:token', { config: { access: 'public' }, bodyLimit: FORM_LIMIT }, async (request, reply) => {
    if (!isSameOrigin(request, publicUrl)) return showProblem(reply, request, 'forbidden', languageOf(request).ownPage)
    const session = await connect.byLink(request.params.token)
    return session === undefined ? showProblem(reply, request, 'not_found') : start(session, request, reply)
  })
  app.get<{ Params: { token: string } }>(`/connect/:token${REMINDER}`, { config: { access: 'public' } }, async (request, reply) => {
    const session = await connect.byLink(request.params.token)
    const view = session === undefined ? undefined : await connect.view(session)
    if (view === undefined || !view.reconnect || view.expired || !view.startable) return showProblem(reply, request, 'not_found')
    const url = `${publicUrl}/connect/${request.params.token}`
    return sendReminder(reply, request, { view, url, until: view.expiresAt }, clock.wall())
  })
  app.get<{ Params: { ticket: string } }>('/connect/done/:ticket', { config: { access: 'public' } }, async (request, reply) => {
    const session = await connect.byTicket(request.params.ticket, browserIdOf(request, publicUrl))
    return session === undefined ? showProblem(reply, request, 'connect_browser_mismatch') : showOutcome(session, request.params.ticket, request, reply)
  })
  app.post<{ Params: { ticket: string } }>('/connect/done/:ticket', { config: { access: 'public' }, bodyLimit: FORM_LIMIT }, async (request, reply) => {
    if (!isSameOrigin(request, publicUrl)) return showProblem(reply, request, 'forbidden')
    const session = await connect.byTicket(request.params.ticket, browserIdOf(request, publicUrl))
    if (session === undefined) return showProblem(reply, request, 'connect_browser_mismatch')
    const { step } = formOf(request)
    if (step === 'new') return connectAsNew(session, reply)
    return step === 'sibling' ? useSibling(session, request, reply) : retry(session, request.params.ticket, request, reply)
  })
  app.get<{ Params: { code: string } }>('/connect/problem/:code', { config: { access: 'public' } }, (request, reply) => {
    const { code } = request.params
    return showProblem(reply, request, PAGE_CODE.test(code) && isFaultCode(code) ? code : 'not_found')
  })
  repairRoutes(app, options)
  callbackRoutes(app, options)
}

/** Where providers send browsers back. Answers nothing but redirects. */
function callbackRoutes(app: App, options: HostedOptions): void {
  const { connect, publicUrl, people } = options
  const { goTo } = hostedAnswers(options)
  for (const path of ['/connect/callback', '/connect/callback/:integration']) {
    app.get<{ Params: { integration?: string } }>(path, { config: { access: 'public' } }, async (request, reply) => {
      const slug = request.params.integration ?? null
      const query = parametersOf(request.url.split('?').slice(1).join('?'))
      const stashed = query.get('answer')?.[0]
      const parameters = stashed === undefined ? query : connect.unstash(slug, stashed)
      const approval = parameters === null ? undefined : await connect.approval(parameters)
      if (approval !== undefined) return sendPage(reply, approvalPage(approval, lookOf(request, approval.brand, null)))
      const browserId = browserIdOf(request, publicUrl)
      if (parameters === null) return goTo({ kind: 'refused', code: 'connect_state_mismatch' }, request, reply)
      const person = (await people?.who(request)) ?? null
      return goTo(await connect.callback({ slug, parameters, browserId, person }), request, reply)
    })
    app.post<{ Params: { integration?: string } }>(path, { config: { access: 'public' }, bodyLimit: FORM_LIMIT }, (request, reply) => {
      const slug = request.params.integration ?? null
      const stashed = connect.stash(slug, request.body instanceof URLSearchParams ? parametersOf(request.body.toString()) : new Map())
      const here = slug === null ? '/connect/callback' : `/connect/callback/${encodeURIComponent(slug)}`
      return reply.redirect(stashed === null ? `/connect/problem/connect_failed?request=${request.id}` : `${here}?answer=${stashed}`, 303)
    })
  }
}

/** What the pages are made of. None of it says anything of anybody. */
function assetRoutes(app: App): void {
  const send = (reply: FastifyReply, type: string, text: string) => reply.header('cache-control', 'public, max-age=3600').type(type).send(text)
  app.get(STYLE_PATH, { config: { access: 'public' } }, (_request, reply) => send(reply, 'text/css; charset=utf-8', STYLESHEET))
  app.get(ENDED_SCRIPT_PATH, { config: { access: 'public' } }, (_request, reply) => send(reply, 'text/javascript; charset=utf-8', ENDED_SCRIPT))
  app.get<{ Params: { file: string } }>(`${ACCENT_PATH}:file`, { config: { access: 'public' } }, (request, reply) => {
    const [, accent] = /^([0-9a-f]{6})\.css$/.exec(request.params.file) ?? []
    if (accent === undefined) throw new Fault('not_found')
    return send(reply, 'text/css; charset=utf-8', accentSheet(`#${accent}`))
  })
}

/** Pages of nobody's session. */
function showProblem(reply: FastifyReply, request: FastifyRequest, code: FaultCode, text?: string): FastifyReply {
  const asked = new URLSearchParams(request.url.split('?')[1] ?? '').get('request') ?? ''
  const known = /^[A-Za-z0-9_.:-]{1,128}$/.test(asked)
  const path = pathHere(request)
  const look = lookOf(request, null, known ? `${path}?request=${encodeURIComponent(asked)}` : path)
  return sendPage(reply, problemPage(code, known ? asked : request.id, text, look), { status: FAULTS[code].status })
}

function showFault(error: unknown, request: FastifyRequest, reply: FastifyReply, { log }: Pick<HostedOptions, 'log'>): FastifyReply {
  const fault = faultOf(error, FORM_LIMIT)
  if (fault.code === 'internal')
    log.error({ request: request.id, error: error instanceof Error ? (error.stack ?? error.message) : typeof error }, 'a page failed')
  return showProblem(reply, request, fault.code)
}

function isFaultCode(code: string): code is FaultCode {
  return Object.hasOwn(FAULTS, code)
}
