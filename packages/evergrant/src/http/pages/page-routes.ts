import type { FastifyReply, FastifyRequest } from 'fastify'
import { Fault } from '../../core/fault/fault.ts'
import { FAULTS } from '../../core/fault/table.ts'
import { SIGN_OUT_CODES } from '../../core/session/session-refusals.ts'
import { readForms } from '../connect/forms.ts'
import { problemPage } from '../connect/outcome-pages.ts'
import { SCRIPT_PATH, sendPage } from '../connect/page-frame.ts'
import { faultOf, retryAfterSeconds } from '../problem.ts'
import type { App } from '../schema.ts'
import { dataRoutes } from './data-routes.ts'
import { deviceRoutes } from './device-routes.ts'
import { letterRoutes } from './letter-routes.ts'
import { meRoutes } from './me-routes.ts'
import { type PageDesk, pathOf } from './page-desk.ts'
import { PAGE_SCRIPT } from './page-script.ts'
import { programsRoutes } from './programs-routes.ts'
import { providerRoutes } from './provider-routes.ts'
import { withReturn } from './return-address.ts'
import { securityRoutes } from './security-routes.ts'
import { signInPageRoutes } from './sign-in-routes.ts'
import { visitRoutes } from './visit-routes.ts'

const FORM_LIMIT = 64 * 1_024

/** All pages for people but the connect pages. */
export function pageRoutes(app: App, desk: PageDesk): void {
  readForms(app, FORM_LIMIT)
  app.setErrorHandler((error, request, reply) => showFault(error, request, reply, desk))
  app.get(SCRIPT_PATH, { config: { access: 'public' } }, (_request, reply) =>
    reply.header('cache-control', 'public, max-age=3600').type('text/javascript; charset=utf-8').send(PAGE_SCRIPT),
  )
  signInPageRoutes(app, desk)
  providerRoutes(app, desk)
  letterRoutes(app, desk)
  meRoutes(app, desk)
  programsRoutes(app, desk)
  securityRoutes(app, desk)
  dataRoutes(app, desk)
  deviceRoutes(app, desk)
  visitRoutes(app, desk)
}

/** Some refusals have a page that lifts them. */
function showFault(error: unknown, request: FastifyRequest, reply: FastifyReply, { parts }: PageDesk): FastifyReply {
  const fault = faultOf(error, FORM_LIMIT)
  const back = request.method === 'GET' ? pathOf(request) : sectionOf(pathOf(request))
  if (fault.code === 'reauthentication_required') return reply.redirect(withReturn('/auth/confirm', back), 303)
  if (fault.code === 'second_factor_missing') return reply.redirect('/me/security', 303)
  if (SIGN_OUT_CODES.has(fault.code)) return reply.redirect(withReturn('/auth/sign-in', back), 303)
  if (fault.code === 'internal')
    parts.log.error({ request: request.id, error: error instanceof Error ? (error.stack ?? error.message) : typeof error }, 'a page failed')
  const { retryAt } = fault.details
  if (retryAt !== undefined) reply.header('retry-after', String(retryAfterSeconds(retryAt, parts.services.clock.wall())))
  const own =
    error instanceof Fault && (fault.code === 'invalid_request' || fault.code === 'conflict' || fault.code === 'rate_limited') ? fault.message : undefined
  return sendPage(reply, problemPage(fault.code === 'cross_site_request' ? 'forbidden' : fault.code, request.id, own), { status: FAULTS[fault.code].status })
}

/** The page whose button was pressed. */
function sectionOf(path: string): string {
  const section = /^\/(?:device(?=\/)|me\/(?:programs|devices|security|data|visit))/.exec(path)
  return section === null ? '/me' : section[0]
}
