import type { FastifyReply } from 'fastify'
import { Fault } from '../../core/fault/fault.ts'
import type { ConnectSessionId } from '../../core/ids.ts'
import { isRecentProof } from '../../core/session/recent-proof.ts'
import { lacksFactor } from '../../core/session/second-factor.ts'
import type { Present } from '../../core/session/session-service.ts'
import { ownerOf } from '../../core/user/user.ts'
import { browserIdOf, giveBrowserId } from '../connect/browser-cookie.ts'
import type { ConnectPeople } from '../connect/connect-people.ts'
import { towardsProvider } from '../connect/hosted-answers.ts'
import { sendPage } from '../connect/page-frame.ts'
import type { App } from '../schema.ts'
import { type PageDesk, queryOf } from './page-desk.ts'
import { withReturn } from './return-address.ts'
import { providerPage } from './sign-in-page.ts'
import { nameOf, secondStepOf } from './sign-in-routes.ts'
import { giveStepTicket } from './step-cookie.ts'

const PUBLIC = { config: { access: 'public' as const } }

/** Signing in through an integration that is marked for it. Looking is free; the button binds this browser and starts the flow. */
export function providerRoutes(app: App, desk: PageDesk): void {
  const { providers, publicUrl, connect, services } = desk.parts
  const offerOf = async (named: string, organization: string | null) => {
    const offer = await providers.offer(named, organization)
    if (offer === undefined) throw new Fault('not_found')
    return offer
  }
  app.get<{ Params: { integration: string } }>('/auth/sign-in/:integration', PUBLIC, async (request, reply) => {
    const query = queryOf(request)
    const offer = await offerOf(request.params.integration, query['organization'] ?? null)
    const returnUrl = await desk.returnTo(query['return_url'], offer.integration)
    const person = await desk.who(request)
    return sendPage(reply, providerPage({ offer, returnUrl, person: person === null ? null : nameOf(person) }), towardsProvider(publicUrl))
  })
  app.post<{ Params: { integration: string } }>('/auth/sign-in/:integration', PUBLIC, async (request, reply): Promise<FastifyReply> => {
    const form = desk.form(request)
    const offer = await offerOf(request.params.integration, form['organization'] ?? null)
    const returnUrl = await desk.returnTo(form['return_url'], offer.integration)
    const person = await desk.who(request)
    // Who can prove it here does so before they go to the provider and come back in vain.
    if (person !== null && person.user.passwordHash !== null && !isRecentProof(person, services.clock.wall()))
      return reply.redirect(withReturn('/auth/confirm', withReturn(`/auth/sign-in/${offer.integration.id}`, returnUrl)), 303)
    const known = browserIdOf(request, publicUrl)
    const browserId = known ?? connect.newBrowserId()
    const url = await providers.begin(offer, { person, returnUrl, browserId }, desk.visitor(request))
    if (known === null) giveBrowserId(reply, browserId, publicUrl)
    return reply.redirect(url, 303)
  })
}

/** What the connect pages ask about people. */
export function connectPeople(desk: PageDesk): ConnectPeople {
  return {
    who: async (request) => {
      const person = await desk.who(request)
      // Nobody, until they added a second factor that their organization asks for.
      return person === null || lacksFactor(person) ? null : browserPerson(person)
    },
    signIn: async (session: ConnectSessionId, request, reply) => {
      try {
        const finished = await desk.parts.providers.finish(session, await desk.who(request), desk.visitor(request))
        if (finished.kind !== 'signed_in') return finished
        await desk.signedIn(request, reply, finished.here)
        return desk.onward(finished.here, finished.returnUrl)
      } catch (error) {
        const step = secondStepOf(error)
        if (step === null) throw error
        giveStepTicket(reply, 'factor', step, desk.parts.publicUrl)
        return withReturn('/auth/second-step', await desk.parts.providers.returnUrlOf(session))
      }
    },
  }
}

function browserPerson({ user, session }: Present) {
  return { user: user.id, owner: ownerOf(user), organization: session.organization }
}
