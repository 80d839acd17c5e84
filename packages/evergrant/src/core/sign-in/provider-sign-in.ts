import type { Organization, Organizations } from '../access/organization.ts'
import { connectEvent } from '../connect/connect-event.ts'
import type { ConnectPorts } from '../connect/connect-ports.ts'
import { type ConnectSession, NOBODY_YET } from '../connect/connect-sessions.ts'
import { CONNECT_TIMES } from '../connect/connect-times.ts'
import { storeSession } from '../connect/create-session.ts'
import { discardStaged, expireStaged } from '../connect/expire-staged.ts'
import { type FlowOutcome, failFlow } from '../connect/fail-flow.ts'
import { flowContext } from '../connect/flow-context.ts'
import { randomToken } from '../connect/random-token.ts'
import { burn } from '../connect/signed-in.ts'
import { openHeldGrant } from '../connect/staged-grant.ts'
import { startFlow } from '../connect/start-flow.ts'
import { everyItem } from '../connection/every-item.ts'
import type { Integration } from '../connection/integration.ts'
import type { Integrations } from '../connection/integrations.ts'
import { providerNameOf } from '../connection/provider-name.ts'
import { Fault, type FaultCode } from '../fault/fault.ts'
import type { Visitor } from '../identity/identity-ports.ts'
import type { NewSignIn, SignedInHere, SignIn } from '../identity/sign-in.ts'
import { SignInThrottle } from '../identity/sign-in-throttle.ts'
import type { Throttles } from '../identity/throttle.ts'
import { type ConnectSessionId, newId, type OrganizationId, type SessionId } from '../ids.ts'
import { endOf } from '../session/session-refusals.ts'
import type { Present, SessionService } from '../session/session-service.ts'
import type { Sessions } from '../session/sessions.ts'
import { SECOND } from '../time.ts'
import { ownerOf } from '../user/user.ts'
import { userOfOwner } from '../user/user-of-owner.ts'
import type { Users } from '../user/users.ts'
import { grantChange } from './grant-change.ts'
import { type Arrival, personChange } from './person-change.ts'
import type { SignIns } from './sign-ins.ts'

interface ProviderSignInPorts {
  readonly connect: ConnectPorts
  readonly organizations: Pick<Organizations, 'get' | 'bySlug'>
  readonly integrations: Pick<Integrations, 'list' | 'bySlug' | 'load'>
  readonly users: Pick<Users, 'get' | 'byIdentity' | 'byExternalId' | 'identitiesOf' | 'membershipsOf'>
  readonly signIns: SignIns
  readonly signIn: Pick<SignIn, 'withProvider' | 'remember'>
  readonly service: Pick<SessionService, 'current'>
  readonly sessions: Pick<Sessions, 'get'>
  readonly throttles: Throttles
  /** Whose integrations are meant when an address names no organization. */
  readonly organization: OrganizationId
}

/** A way to sign in, as a page shows it. */
export interface Offer {
  readonly integration: Integration
  readonly application: string
  readonly provider: string
}

interface Beginning {
  /** Who is signed in here already and adds this way to themselves; null for everybody else. */
  readonly person: Present | null
  /** Null: the owner's page. */
  readonly returnUrl: string | null
  readonly browserId: string
}

type Finished = { readonly kind: 'signed_in'; readonly here: SignedInHere; readonly returnUrl: string | null } | FlowOutcome

/** A repeated callback is answered with the same session this long; then it is a step back in the history, and signs nobody in. */
const REPEATED_MS = 30 * SECOND
/** How long a twin of the callback that won waits for its session. */
const TWIN_WAIT_MS = 3 * SECOND
const TRIES = 10
const SILENT = { httpStatus: null, code: null, text: null }

/** Signing in through an integration whose setting `sign_in` allows it. */
export class ProviderSignIn {
  readonly #ports: ProviderSignInPorts
  readonly #throttle: SignInThrottle

  constructor(ports: ProviderSignInPorts) {
    this.#ports = ports
    this.#throttle = new SignInThrottle({ throttles: ports.throttles, seal: ports.connect.seal, clock: ports.connect.clock })
  }

  /** What pages call the application; null: the default organization. */
  async applicationOf(organization: string | null): Promise<string> {
    return (await this.#organizationOf(organization))?.name ?? 'Evergrant'
  }

  /** What an organization offers, by slug; null: the default one. Empty for one that does not exist. */
  async offers(organization: string | null): Promise<readonly Offer[]> {
    const found = await this.#organizationOf(organization)
    return found === undefined ? [] : this.offersIn(found.id)
  }

  async offersIn(organization: OrganizationId): Promise<readonly Offer[]> {
    const found = await this.#ports.organizations.get(organization)
    if (found === undefined) return []
    const offers: Offer[] = []
    for await (const integration of everyItem((page) => this.#ports.integrations.list(found.id, page))) {
      const offer = this.#offerOf(integration, found)
      if (offer !== undefined) offers.push(offer)
    }
    return offers
  }

  /** By slug in the organization, or by id. Undefined when nobody signs in that way. */
  async offer(named: string, organization: string | null): Promise<Offer | undefined> {
    const found = isId(named) ? await this.#ports.integrations.load(named) : undefined
    const home = found === undefined ? await this.#organizationOf(organization) : await this.#ports.organizations.get(found.organization)
    const integration = found ?? (home === undefined ? undefined : await this.#ports.integrations.bySlug(home.id, named))
    return integration === undefined || home === undefined ? undefined : this.#offerOf(integration, home)
  }

  /** Binds the browser and answers the provider's address. @throws Fault `rate_limited`, and what starting a flow throws */
  async begin({ integration }: Offer, { person, returnUrl, browserId }: Beginning, visitor: Visitor): Promise<string> {
    await this.#throttle.request(visitor.bucket)
    const { connect } = this.#ports
    const at = connect.clock.wall()
    const session: ConnectSession = {
      id: newId('cs', connect.entropy),
      organization: integration.organization,
      integration: integration.id,
      owner: person === null ? NOBODY_YET : ownerOf(person.user),
      mode: 'sign_in',
      connection: null,
      // There is no link: only the browser that this answer goes to can find the session again.
      tokenHash: connect.seal.digest(randomToken(connect.entropy)),
      state: 'open',
      scopes: null,
      returnUrl,
      createdAt: at,
      expiresAt: at + CONNECT_TIMES.linkMs,
      flow: null,
      staged: null,
      fault: null,
      result: null,
      variables: {},
    }
    await storeSession(session, person === null ? { kind: 'browser', id: null } : { kind: 'user', id: person.user.id }, connect)
    return startFlow({ session, browserId, form: {} }, connect)
  }

  /**
   * The provider said who it is. Finds the user, or makes one, stores the connection with them and opens a session. Of twins one does it, and both get
   * the same session. @throws Fault `second_factor_required` for who has one; any other when nothing could be decided: the same callback may be repeated
   */
  async finish(id: ConnectSessionId, here: Present | null, visitor: Visitor): Promise<Finished> {
    for (let attempt = 0; attempt < TRIES; attempt += 1) {
      const session = await this.#ports.connect.sessions.load(id)
      if (session === undefined || session.mode !== 'sign_in') return { kind: 'refused', code: 'connect_session_used' }
      if (session.state === 'completed') return this.#again(session, visitor)
      if (session.state !== 'staged' || session.staged === null) return { kind: 'page', session: id }
      const finished = await this.#settle(session, here, visitor)
      if (finished !== 'look_again') return finished
    }
    throw new Fault('conflict', { detail: 'This sign-in met a change at every try. Repeat it.' })
  }

  /** Where a sign-in leads in the end; null: the owner's page. */
  async returnUrlOf(id: ConnectSessionId): Promise<string | null> {
    return (await this.#ports.connect.sessions.load(id))?.returnUrl ?? null
  }

  async #settle(session: ConnectSession, here: Present | null, visitor: Visitor): Promise<Finished | 'look_again'> {
    const { connect } = this.#ports
    if (session.staged === null || session.staged.stagedAt + CONNECT_TIMES.completionMs <= connect.clock.wall()) {
      await expireStaged(session, connect)
      return { kind: 'page', session: session.id }
    }
    // Somebody adds this way in to themselves: then it is their browser alone that ends what they began.
    if (session.owner !== NOBODY_YET && (here === null || ownerOf(here.user) !== session.owner)) return burn(session, browserPerson(here), connect)
    const grant = openHeldGrant(session.staged.grant, session, connect.seal)
    const flowing = await flowContext(session, connect, { facts: grant.facts })
    if (grant.account === null) return this.#refuse(session, 'connect_failed', `${flowing.context.record.name} did not say which account signed in.`)
    const arrival: Arrival = { flowing, grant, account: grant.account, adding: session.owner === NOBODY_YET ? null : here }
    const change = await personChange(arrival, this.#ports)
    if (change.kind === 'refused') return this.#refuse(session, change.code, null)
    const { user, person, issuer } = change
    const owned = { ...flowing, session: { ...session, owner: ownerOf(user) } }
    const actor = { kind: 'user', id: user.id } as const
    const { change: granted, connection } = await grantChange({ flowing: owned, grant, actor }, connect)
    const event = connectEvent({ type: 'connect.completed', actor, session: owned.session, connection, data: { sign_in: true } }, connect)
    if ((await this.#ports.signIns.commit({ session: session.id, owner: owned.session.owner, event, person, grant: granted })) !== 'committed')
      return 'look_again'
    // Who adds a way in has proven before that it is them; this is one proof more, and none of a recent kind where they could prove it here.
    const methods = [...new Set([...(arrival.adding?.session.methods ?? []), 'fed' as const])]
    const provenAt = user.passwordHash === null ? undefined : arrival.adding?.session.authenticatedAt
    return this.#open(session, { user, issuer, methods, ...(provenAt === undefined ? {} : { provenAt }) }, visitor)
  }

  async #open(
    session: ConnectSession,
    who: Pick<NewSignIn, 'user' | 'methods' | 'provenAt'> & { readonly issuer: string | null },
    visitor: Visitor,
  ): Promise<Finished> {
    const signedIn = await this.#ports.signIn.withProvider(
      { ...who, organization: session.organization, mode: 'cookie', key: null, id: sessionOf(session.id) },
      visitor,
    )
    return { kind: 'signed_in', here: signedIn, returnUrl: session.returnUrl }
  }

  /** The callback once more: a twin, or a browser that did not hear the answer. */
  async #again(session: ConnectSession, visitor: Visitor): Promise<Finished> {
    const { connect, sessions, service } = this.#ports
    const until = connect.clock.mono() + TWIN_WAIT_MS
    let opened = await sessions.get(sessionOf(session.id))
    while (opened === undefined && connect.clock.mono() < until) {
      await connect.timers.sleep(CONNECT_TIMES.twinPollMs)
      opened = await sessions.get(sessionOf(session.id))
    }
    const at = connect.clock.wall()
    if (opened !== undefined) {
      const fresh = endOf(opened.session, at) === null && at - opened.session.createdAt <= REPEATED_MS
      if (!fresh) return { kind: 'refused', code: 'connect_session_used' }
      const current = await service.current(opened.session.id)
      return { kind: 'signed_in', here: { opened: current, device: this.#ports.signIn.remember(opened.user, visitor) }, returnUrl: session.returnUrl }
    }
    // Stored, and the process ended before it opened the session: the connection says whose it is.
    const row = session.result === null ? undefined : await connect.connections.get(session.organization, session.result)
    const user = row === undefined ? undefined : await userOfOwner(this.#ports.users, row.connection.owner)
    if (user === undefined || at >= (session.flow?.expiresAt ?? 0)) return { kind: 'refused', code: 'connect_session_used' }
    // Whoever took the account over since has taken this way in away.
    const known = (await this.#ports.users.identitiesOf(user.id)).some(({ subject }) => subject === row?.connection.account)
    if (!known) return { kind: 'refused', code: 'connect_session_used' }
    // Whose word it was is not asked again: without it the session stays in this organization.
    return this.#open(session, { user, issuer: null, methods: ['fed'] }, visitor)
  }

  async #refuse(session: ConnectSession, code: FaultCode, text: string | null): Promise<FlowOutcome> {
    const outcome = await failFlow(session, code, { ...SILENT, text }, this.#ports.connect)
    await discardStaged(session, this.#ports.connect)
    return outcome
  }

  #organizationOf(slug: string | null): Promise<Organization | undefined> {
    return slug === null ? this.#ports.organizations.get(this.#ports.organization) : this.#ports.organizations.bySlug(slug)
  }

  #offerOf(integration: Integration, { name }: Organization): Offer | undefined {
    const record = this.#ports.connect.providers.get(integration.provider)
    if (!integration.settings.signIn || record === undefined) return undefined
    return { integration, application: name, provider: providerNameOf(record, integration) }
  }
}

/** The session that a flow opens has an id of its own, known beforehand: a twin cannot open another. */
function sessionOf(id: ConnectSessionId): SessionId {
  return `ses_${id.slice('cs_'.length)}`
}

function browserPerson(here: Present | null) {
  return here === null ? null : { user: here.user.id, owner: ownerOf(here.user), organization: here.session.organization }
}

function isId(text: string): text is Integration['id'] {
  return text.startsWith('int_')
}
