import { Fault } from '../../core/fault/fault.ts'
import { isSameOrigin } from '../connect/browser-cookie.ts'
import { problemPage } from '../connect/outcome-pages.ts'
import { sendPage } from '../connect/page-frame.ts'
import { faultOf } from '../problem.ts'
import type { App } from '../schema.ts'
import type { TryIt } from './try-it.ts'
import { tryItPage } from './try-it-page.ts'

const FORM_LIMIT = 16 * 1_024

/** `GET /try` in development: an application to play with. Never registered in production. */
export function tryItRoutes(app: App, options: { readonly tryIt: TryIt; readonly publicUrl: string }): void {
  const { tryIt, publicUrl } = options
  app.addContentTypeParser<string>('application/x-www-form-urlencoded', { parseAs: 'string', bodyLimit: FORM_LIMIT }, (_request, _body, done) =>
    done(null, null),
  )

  app.setErrorHandler((error, request, reply) => {
    const fault = faultOf(error, FORM_LIMIT)
    return sendPage(reply, problemPage(fault.code, request.id, fault.code === 'internal' ? undefined : fault.message), { status: fault.definition.status })
  })

  app.get('/try', { config: { access: 'public' } }, async (request, reply) => {
    const said = new URLSearchParams(request.url.split('?')[1] ?? '').get('said')
    return sendPage(reply, tryItPage(await tryIt.view(), said), { withForm: true })
  })
  app.get('/try/return', { config: { access: 'public' } }, async (request, reply) => {
    const query = new URLSearchParams(request.url.split('?')[1] ?? '')
    const [session, code] = [query.get('session'), query.get('code')]
    if (session === null || code === null) return reply.redirect('/try?said=cancelled', 303)
    const before = (await tryIt.view()).connection
    await tryIt.returned(session, code)
    return reply.redirect(before === null ? '/try?said=connected' : '/try?said=reconnected', 303)
  })
  const steps: Readonly<Record<string, () => Promise<string>>> = {
    connect: () => tryIt.connect(),
    reconnect: () => tryIt.reconnect(),
    refresh: () => attempt(() => tryIt.refresh(), 'refreshed'),
    'ask-again': () => attempt(() => tryIt.askAgain(), 'healed'),
    expire: () => attempt(() => tryIt.expireAtProvider(), 'expired'),
    revoke: () => attempt(() => tryIt.revokeAtProvider(), 'revoked'),
  }
  app.post<{ Body: { owner?: unknown } }>('/try/break', { config: { access: 'public' } }, async (request, reply) => {
    if (!isSameOrigin(request, publicUrl)) throw new Fault('forbidden', { detail: 'This only works from a page of this server.' })
    const { owner } = request.body
    if (typeof owner !== 'string') throw new Fault('invalid_request', { field: '/owner', detail: 'Name the `owner` whose practice grant ends.' })
    await tryIt.revokeOf(owner)
    return reply.code(204).send()
  })
  for (const [step, act] of Object.entries(steps)) {
    app.post(`/try/${step}`, { config: { access: 'public' } }, async (request, reply) => {
      if (!isSameOrigin(request, publicUrl)) throw new Fault('forbidden', { detail: 'This button only works on its own page.' })
      return reply.redirect(await act(), 303)
    })
  }
}

/** A refused step is what the page is for: it shows the status that followed. */
async function attempt(act: () => Promise<void>, said: string): Promise<string> {
  try {
    await act()
    return `/try?said=${said}`
  } catch (error) {
    if (error instanceof Fault) return '/try?said=failed'
    throw error
  }
}
