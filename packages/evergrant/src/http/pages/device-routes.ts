import type { FastifyReply, FastifyRequest } from 'fastify'
import type { AgentCaller } from '../../core/agent/agent-caller.ts'
import { shownUserCode, userCodeOf } from '../../core/agent/device-service.ts'
import type { Enrolment } from '../../core/agent/enrolments.ts'
import { Fault } from '../../core/fault/fault.ts'
import { type AgentId, idPattern } from '../../core/ids.ts'
import { isRecentProof } from '../../core/session/recent-proof.ts'
import type { Present } from '../../core/session/session-service.ts'
import { MINUTE } from '../../core/time.ts'
import { personOnPage } from '../agent-caller.ts'
import { towardsProvider } from '../connect/hosted-answers.ts'
import { type Page, sendPage } from '../connect/page-frame.ts'
import { addressBucket, RateLimiter } from '../rate-limit.ts'
import type { App } from '../schema.ts'
import { codePage, type DeviceFrame, decisionPage, endPage, isDeviceEnd, NEW_AGENT } from './device-page.ts'
import { type PageDesk, queryOf, type Refused } from './page-desk.ts'
import { withReturn } from './return-address.ts'
import { nameOf } from './sign-in-routes.ts'

const PUBLIC = { config: { access: 'public' as const } }
const AGENT_ID = new RegExp(idPattern('agt'))
/** Codes that are tried: there are 25,600,000,000 of them, and each lives for fifteen minutes (RFC 8628 section 5.1). */
const TRIES = { perSecond: 1 / 30, capacity: 20 }
const AGENTS_SHOWN = 200

type Form = Readonly<Record<string, string>>

interface Visit {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly person: Present
  readonly caller: AgentCaller
}

/** Where a person lets a machine in that shows a code (RFC 8628 section 3.3). Nothing happens before a button is pressed. */
export function deviceRoutes(app: App, desk: PageDesk): void {
  const tries = new RateLimiter(TRIES, () => desk.parts.services.clock.mono())
  const pages = new DevicePages(desk, tries)
  app.get('/device', PUBLIC, (request, reply) => pages.show(request, reply))
  app.post('/device/allow', PUBLIC, (request, reply) => pages.decide(request, reply, 'allowed'))
  app.post('/device/deny', PUBLIC, (request, reply) => pages.decide(request, reply, 'denied'))
}

class DevicePages {
  readonly #desk: PageDesk
  readonly #tries: RateLimiter

  constructor(desk: PageDesk, tries: RateLimiter) {
    this.#desk = desk
    this.#tries = tries
  }

  async show(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { user_code: typed = '', done } = queryOf(request)
    const visit = await this.#visit(request, reply, typed)
    if (visit === null) return reply
    if (isDeviceEnd(done)) return this.#send(visit, endPage(await this.#frame(visit), done))
    if (typed === '') return this.#send(visit, codePage(await this.#frame(visit), '', null))
    try {
      return await this.#ask(visit, await this.#find(visit, typed), {}, null)
    } catch (error) {
      return this.#again(visit, typed, this.#desk.refused(error))
    }
  }

  async decide(request: FastifyRequest, reply: FastifyReply, decision: 'allowed' | 'denied'): Promise<FastifyReply> {
    const form = this.#desk.form(request)
    const typed = form['user_code'] ?? ''
    const visit = await this.#visit(request, reply, typed)
    if (visit === null) return reply
    const { devices } = this.#desk.parts.services
    let device: Enrolment | null = null
    try {
      device = await this.#find(visit, typed)
      if (decision === 'denied') await devices.deny(visit.caller, typed)
      else await devices.allow(visit.caller, typed, await this.#agent(visit.caller, form))
      return reply.redirect(`/device?done=${decision}`, 303)
    } catch (error) {
      const refused = this.#desk.refused(error)
      return device === null || refused.field === '/user_code' ? this.#again(visit, typed, refused) : this.#ask(visit, device, form, refused)
    }
  }

  /** Null: the person signs in first, or proves again who they are, and comes back with the code. */
  async #visit(request: FastifyRequest, reply: FastifyReply, typed: string): Promise<Visit | null> {
    const code = userCodeOf(typed)
    const back = code === null ? '/device' : `/device?user_code=${shownUserCode(code)}`
    if ((await this.#desk.who(request)) === null) {
      reply.redirect(withReturn('/auth/sign-in', back), 303)
      return null
    }
    const person = await this.#desk.person(request)
    const caller = personOnPage(person)
    // Somebody who found this browser open lets no program in.
    if (typed !== '' && !isRecentProof(person, this.#desk.parts.services.clock.wall())) {
      reply.redirect(withReturn('/auth/confirm', back), 303)
      return null
    }
    return { request, reply, person, caller }
  }

  /** @throws Fault `rate_limited`, `invalid_request` */
  async #find({ request, person }: Visit, typed: string): Promise<Enrolment> {
    const { clock, devices } = this.#desk.parts.services
    const waitMs = Math.max(this.#tries.take(addressBucket(request.ip)), this.#tries.take(person.user.id))
    if (waitMs > 0)
      throw new Fault('rate_limited', {
        detail: 'Too many codes were tried. Wait a few minutes, and compare the code with the screen.',
        retryAt: clock.wall() + waitMs,
      })
    const found = await devices.find(typed)
    // Who knows a code that is right has not guessed.
    this.#tries.giveBack(addressBucket(request.ip))
    this.#tries.giveBack(person.user.id)
    return found
  }

  /** The chosen one, or a new one that may use nothing yet. */
  async #agent(caller: AgentCaller, form: Form): Promise<AgentId> {
    const { agents } = this.#desk.parts.services
    const chosen = form['agent'] ?? NEW_AGENT
    if (isAgentId(chosen)) return chosen
    const name = (form['name'] ?? '').trim()
    if (name === '' || name.length > 100 || [...name].some((letter) => letter < ' ' || letter === '\u007f'))
      throw new Fault('invalid_request', { field: '/name', detail: 'Give the new agent a name of at most 100 letters.' })
    const made = await agents.create(caller, { name, description: null, owner: null, policy: {}, recovery: {} })
    return made.agent.id
  }

  async #ask(visit: Visit, device: Enrolment, form: Form, refused: Refused | null): Promise<FastifyReply> {
    const { agents, clock } = this.#desk.parts.services
    const own = (await agents.list(visit.caller, { limit: AGENTS_SHOWN, after: null })).filter(
      ({ status, owner, policy }) =>
        (status === 'pending' || status === 'verified') &&
        (owner === visit.caller.user || policy.access.every((access) => visit.caller.gives.includes(access))),
    )
    const view = {
      device,
      agents: own,
      askedAgo: ago(clock.wall() - device.createdAt),
      // Whoever was led here and presses the button lets in a program that may use nothing. Power is chosen by hand.
      chosen: form['agent'] ?? NEW_AGENT,
      newName: form['name'] ?? device.name ?? device.asked.host ?? '',
    }
    return this.#send(visit, decisionPage(await this.#frame(visit), view, refused), refused?.status)
  }

  async #again(visit: Visit, typed: string, refused: Refused): Promise<FastifyReply> {
    return this.#send(visit, codePage(await this.#frame(visit), typed, refused), refused.status)
  }

  async #frame({ person }: Visit): Promise<DeviceFrame> {
    const { name } = await this.#desk.parts.services.sessions.organizationOf(person)
    return { application: name, name: nameOf(person) }
  }

  #send({ reply }: Visit, page: Page, status = 200): FastifyReply {
    return sendPage(reply, page, { ...towardsProvider(this.#desk.parts.publicUrl), status })
  }
}

function ago(ms: number): string {
  const minutes = Math.floor(ms / MINUTE)
  return minutes < 1 ? 'a moment ago' : minutes === 1 ? 'a minute ago' : `${minutes} minutes ago`
}

function isAgentId(text: string): text is AgentId {
  return AGENT_ID.test(text)
}
