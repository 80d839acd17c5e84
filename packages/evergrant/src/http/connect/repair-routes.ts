import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Repair } from '../../core/connect/repair.ts'
import { REPAIR_PATH } from '../../core/connect/repair-link.ts'
import { Fault, type FaultCode } from '../../core/fault/fault.ts'
import { FAULTS } from '../../core/fault/table.ts'
import type { App } from '../schema.ts'
import { isSameOrigin } from './browser-cookie.ts'
import { formOf } from './forms.ts'
import { hostedAnswers, towardsProvider } from './hosted-answers.ts'
import type { HostedOptions } from './hosted-options.ts'
import { type Aside, landingPage } from './landing-page.ts'
import { languageOf, lookOf, pathHere, withLanguage } from './language.ts'
import { problemPage, repairedPage } from './outcome-pages.ts'
import { sendPage } from './page-frame.ts'
import { REMINDER, sendReminder } from './reminder.ts'
import { disconnectedPage, disconnectPage, laterPage } from './repair-pages.ts'

type Broken = Extract<Repair, { kind: 'broken' }>

/** Behind the `reconnect_url` of problems and connections. Looking is free; a button opens a connect session and starts it, or gives the connection up. */
export function repairRoutes(app: App, options: HostedOptions): void {
  const { connect, publicUrl, clock, giveUp } = options
  const { start } = hostedAnswers(options)
  const path = `${REPAIR_PATH}:link`
  app.get<{ Params: { link: string } }>(path, { config: { access: 'public' } }, async (request, reply) =>
    showRepair(await connect.lookAtRepair(request.params.link), request, reply, publicUrl),
  )
  app.get<{ Params: { link: string } }>(`${path}${REMINDER}`, { config: { access: 'public' } }, async (request, reply) => {
    const repair = await connect.lookAtRepair(request.params.link)
    return repair.kind === 'broken' ? sendReminder(reply, request, repair, clock.wall()) : showRepair(repair, request, reply, publicUrl)
  })
  app.post<{ Params: { link: string } }>(path, { config: { access: 'public' }, bodyLimit: 64 * 1_024 }, async (request, reply) => {
    if (!isSameOrigin(request, publicUrl)) {
      const look = lookOf(request, null)
      return sendPage(reply, problemPage('forbidden', request.id, languageOf(request).ownPage, look), { status: FAULTS.forbidden.status })
    }
    const repair = await connect.lookAtRepair(request.params.link)
    if (repair.kind !== 'broken') return showRepair(repair, request, reply, publicUrl)
    if (formOf(request)['step'] !== 'disconnect') return start(await connect.openRepair(repair.connection), request, reply)
    if (!MAY_GIVE_UP.has(repair.why)) throw new Fault('forbidden')
    // Another tab was first: its page is the same as for whoever comes later.
    if ((await giveUp(repair.connection)) === 'mended') return showRepair(await connect.lookAtRepair(request.params.link), request, reply, publicUrl)
    return sendPage(reply, disconnectedPage(repair.view, lookOf(request, repair.view.brand)))
  })
}

/** Whoever has the link may give the connection up only where its provider has ended the grant: then nothing ends by it. */
const MAY_GIVE_UP: ReadonlySet<FaultCode> = new Set(['connection_revoked'])

/** @throws Fault where there is nothing to show */
function showRepair(repair: Repair, request: FastifyRequest, reply: FastifyReply, publicUrl: string): FastifyReply {
  switch (repair.kind) {
    case 'unknown':
      throw new Fault('not_found')
    case 'gone':
      throw new Fault('connection_disconnected')
    case 'repaired':
      return sendPage(reply, repairedPage(repair.view, lookOf(request, repair.view.brand)))
    case 'broken':
      return showBroken(repair, request, reply, publicUrl)
  }
}

function showBroken({ view, why, connection, until }: Broken, request: FastifyRequest, reply: FastifyReply, publicUrl: string): FastifyReply {
  const path = pathHere(request)
  const here = withLanguage(path, request)
  const asked = new URLSearchParams(request.url.split('?')[1] ?? '')
  if (asked.has('disconnect') && MAY_GIVE_UP.has(why)) {
    const page = disconnectPage(view, lookOf(request, view.brand, `${path}?disconnect`), { action: here, back: here })
    return sendPage(reply, page, { withForm: true })
  }
  if (asked.has('later')) return sendPage(reply, laterPage(view, lookOf(request, view.brand, `${path}?later`), { back: here, until }))
  const landing = { action: here, stopped: { code: why, at: connection.fault?.at ?? 0 }, aside: asideOf(why, path, request) }
  return sendPage(reply, landingPage(view, lookOf(request, view.brand), landing), towardsProvider(publicUrl))
}

/** What else somebody may do about it than repair it at once. */
function asideOf(why: FaultCode, path: string, request: FastifyRequest): Aside {
  if (MAY_GIVE_UP.has(why)) return { kind: 'disconnect', url: withLanguage(`${path}?disconnect`, request) }
  if (why === 'scope_missing') return { kind: 'later', url: withLanguage(`${path}?later`, request) }
  return { kind: 'remind', url: withLanguage(`${path}${REMINDER}`, request) }
}
