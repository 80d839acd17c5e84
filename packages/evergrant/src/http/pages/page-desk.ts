import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ConnectService } from '../../core/connect/connect-service.ts'
import type { Integration } from '../../core/connection/integration.ts'
import { Fault } from '../../core/fault/fault.ts'
import { FAULTS } from '../../core/fault/table.ts'
import { fillWords } from '../../core/fault/words.ts'
import type { Visitor } from '../../core/identity/identity-ports.ts'
import type { SignedInHere } from '../../core/identity/sign-in.ts'
import type { Log } from '../../core/log.ts'
import { lacksFactor, requireFactor } from '../../core/session/second-factor.ts'
import type { Opened, Present } from '../../core/session/session-service.ts'
import type { OwnerVisits } from '../../core/sign-in/owner-visits.ts'
import type { PageSessions } from '../../core/sign-in/page-sessions.ts'
import type { ProviderSignIn } from '../../core/sign-in/provider-sign-in.ts'
import { SECOND } from '../../core/time.ts'
import { giveDevice, visitorOf } from '../auth/device-cookie.ts'
import { giveSessionCookie, sessionCookiesOf, takeSessionCookie } from '../auth/session-cookie.ts'
import { isSameOrigin } from '../connect/browser-cookie.ts'
import { formOf } from '../connect/forms.ts'
import type { Services } from '../services.ts'
import { returnAddress, withReturn } from './return-address.ts'

/** What the pages for people are built on. */
interface PageParts {
  readonly services: Services
  readonly providers: ProviderSignIn
  readonly pageSessions: PageSessions
  readonly visits: OwnerVisits
  readonly connect: ConnectService
  readonly publicUrl: string
  readonly allowedOrigins: readonly string[]
  readonly log: Pick<Log, 'error'>
}

/** What went wrong with a form, in words for the person who sent it. */
export interface Refused {
  readonly title: string
  readonly text: string
  readonly status: number
  /** The field to mend; null: the form as a whole. */
  readonly field: string | null
}

type Query = Readonly<Record<string, string | undefined>>

export function queryOf(request: Pick<FastifyRequest, 'url'>): Query {
  return Object.fromEntries([...new URLSearchParams(request.url.split('?').slice(1).join('?'))].reverse())
}

export function pathOf({ url }: Pick<FastifyRequest, 'url'>): string {
  return url.split('?')[0] ?? ''
}

/** What every page does alike. */
export class PageDesk {
  readonly parts: PageParts

  constructor(parts: PageParts) {
    this.parts = parts
  }

  /** Who the cookie says; null: nobody. */
  who(request: FastifyRequest): Promise<Present | null> {
    const cookies = sessionCookiesOf(request, this.parts.publicUrl)
    return cookies.length === 0 ? Promise.resolve(null) : this.parts.pageSessions.look(cookies, this.visitor(request))
  }

  /** @throws Fault `session_missing`, which leads to the sign-in page and back; `second_factor_missing`, which leads to where one is added */
  async person(request: FastifyRequest): Promise<Present> {
    const person = await this.enrolling(request)
    requireFactor(person)
    return person
  }

  /** Also somebody who may only add or show a second factor. @throws Fault `session_missing` */
  async enrolling(request: FastifyRequest): Promise<Present> {
    const person = await this.who(request)
    if (person === null) throw new Fault('session_missing')
    return person
  }

  /** Where somebody goes who has just signed in. */
  onward({ opened }: SignedInHere, returnUrl: string | null): string {
    return lacksFactor(opened.signedIn) ? withReturn('/me/security', returnUrl) : (returnUrl ?? '/me')
  }

  /** Pages alone keep a session alive, too. */
  async keepAlive(person: Present, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { publicUrl, pageSessions } = this.parts
    const renewed = await pageSessions.renew(sessionCookiesOf(request, publicUrl), person, this.visitor(request))
    if (renewed !== null) this.giveSession(reply, renewed)
  }

  visitor(request: FastifyRequest): Visitor {
    return visitorOf(request, 'cookie', this.parts.publicUrl)
  }

  /** The fields of a form of ours. @throws Fault `cross_site_request`: a form of somebody else signs nobody in and changes nothing (S52, S53) */
  form(request: FastifyRequest): Readonly<Record<string, string>> {
    if (!isSameOrigin(request, this.parts.publicUrl)) throw new Fault('cross_site_request', { detail: 'This form was not sent by a page of this server.' })
    return formOf(request)
  }

  /**
   * Where this page leads in the end; null: nowhere was named. Also to the addresses of integrations that people sign in through: those of the default
   * organization, and `of`'s. @throws Fault `invalid_request`
   */
  async returnTo(text: string | undefined, of?: Integration): Promise<string | null> {
    const address = returnAddress(text, this.parts, of?.settings.returnUrls)
    if (address !== 'refused') return address
    const offers = await this.parts.providers.offers(null)
    const own = returnAddress(
      text,
      this.parts,
      offers.flatMap(({ integration }) => integration.settings.returnUrls),
    )
    if (own !== 'refused') return own
    throw new Fault('invalid_request', {
      field: '/return_url',
      detail: 'The address to return to is not one that this server knows. An operator adds its origin to EVERGRANT_ALLOWED_ORIGINS.',
    })
  }

  /** The cookies of somebody who has just signed in. A session that this browser had before ends (S38). */
  async signedIn(request: FastifyRequest, reply: FastifyReply, { opened, device }: SignedInHere): Promise<void> {
    const cookies = sessionCookiesOf(request, this.parts.publicUrl)
    await this.parts.services.sessions.replace(cookies, opened.signedIn.session.id, this.visitor(request))
    this.giveSession(reply, opened)
    giveDevice(reply, device, 'cookie', this.parts.publicUrl)
  }

  giveSession(reply: FastifyReply, { refreshCredential, signedIn: { session } }: Opened): void {
    const seconds = Math.ceil((session.expiresAt - this.parts.services.clock.wall()) / SECOND)
    giveSessionCookie(reply, refreshCredential, seconds, this.parts.publicUrl)
  }

  async signOut(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const person = await this.who(request)
    if (person !== null) await this.parts.services.sessions.end(person.session, 'here', this.visitor(request))
    takeSessionCookie(reply, this.parts.publicUrl)
  }

  /** What a page says about a refusal. @throws what is no refusal of a form */
  refused(error: unknown): Refused {
    if (!(error instanceof Fault) || !IN_FORM.has(error.code)) throw error
    const { title, endUser, status } = FAULTS[error.code]
    // Details of these are written for the person; the table has words for those that come without.
    const own = DETAILED.has(error.code) && error.details.detail !== undefined
    return { title: fillWords(title, {}), text: own ? error.message : fillWords(endUser, {}), status, field: error.details.field ?? null }
  }
}

/** Refusals after which the same form may be sent again. */
const IN_FORM: ReadonlySet<string> = new Set([
  'sign_in_refused',
  'rate_limited',
  'overloaded',
  'password_list_unavailable',
  'password_refused',
  'role_missing',
  'invalid_request',
  'conflict',
  'already_exists',
])
const DETAILED: ReadonlySet<string> = new Set(['sign_in_refused', 'rate_limited', 'password_refused', 'role_missing', 'invalid_request', 'conflict'])
