import type { Organization } from '../access/organization.ts'
import { Fault } from '../fault/fault.ts'
import { newId, type OrganizationId, type SessionId, type UserId } from '../ids.ts'
import type { Seal } from '../seal/seal.ts'
import type { Clock, Entropy, Instant } from '../time.ts'
import type { Role, User } from '../user/user.ts'
import type { Users } from '../user/users.ts'
import type { AccessTokens } from './access-token.ts'
import type { OrganizationNames } from './organization-names.ts'
import { requireRecentProof } from './recent-proof.ts'
import { readRefreshCredential, refreshCredential } from './refresh-credential.ts'
import { type Judgement, judgePresentation } from './rotation.ts'
import type { AuthMethod, Session, SessionMode } from './session.ts'
import { type CallerFacts, sessionEvent } from './session-events.ts'
import { endedFault, endOf, misplacedFault, refusalOf, SIGN_OUT_CODES } from './session-refusals.ts'
import type { Sessions, Shown, SignedIn } from './sessions.ts'

/** A person who may go on: the session lives, the user is enabled, the membership holds. */
export type Present = SignedIn & { readonly role: Role }

interface SessionPorts {
  readonly clock: Pick<Clock, 'wall'>
  readonly entropy: Entropy
  readonly seal: Pick<Seal, 'mac'>
  readonly store: Sessions
  readonly users: Pick<Users, 'membershipsOf'>
  readonly organizations: Pick<OrganizationNames, 'get' | 'peek'>
  readonly accessTokens: Pick<AccessTokens, 'issue'>
  /** A credential was used from two places: somebody should hear of it. Must not throw. */
  readonly alert: (alert: SessionAlert) => void
  readonly lifetimes: SessionLifetimes
}

interface SessionLifetimes {
  /** Without any refresh. */
  readonly idleMs: number
  /** In all. */
  readonly absoluteMs: number
}

export interface SessionAlert {
  readonly organization: OrganizationId
  readonly user: UserId
  readonly session: SessionId
  /** The generation that came back. */
  readonly generation: number
  readonly address: string | null
}

interface NewSession extends CallerFacts {
  readonly user: User
  /** The user must be a member of it. */
  readonly organization: OrganizationId
  readonly mode: SessionMode
  readonly methods: readonly AuthMethod[]
  /** RFC 7638 thumbprint of the key that the session is bound to. */
  readonly keyThumbprint?: string | null
  /** Whose word the sign-in rests on. */
  readonly issuer?: string | null
  /** When the person last proved who they are, where that is not now. */
  readonly provenAt?: Instant
  /** Decided beforehand, so that repeating what opens it cannot open a second one. */
  readonly id?: SessionId
}

/** What a client gets: who it is, and its two credentials. */
export interface Opened {
  readonly signedIn: Present
  readonly organization: Pick<Organization, 'id' | 'name'>
  readonly accessToken: string
  /** Whole seconds. */
  readonly expiresIn: number
  /** Derived, so the same generation always gets the same text. */
  readonly refreshCredential: string
  readonly generation: number
  /** This old credential was answered before, and gets the same successor again. */
  readonly replayed: boolean
}

/** `here` is this browser or device with all its tabs. */
export type SignOutScope = 'here' | 'others' | 'everywhere'

/** More devices of one person than this: the one that was not used for longest ends (S57). */
const DEVICES_MAX = 100
/** More tabs of one device than this: the one that was not used for longest ends. */
const BRANCHES_MAX = 50

/** Sessions of people: open, refresh, branch, end. What happens to one is judged in `rotation.ts` and applied by the store. */
export class SessionService {
  readonly #ports: SessionPorts

  constructor(ports: SessionPorts) {
    this.#ports = ports
  }

  /** A session for somebody who has just proved who they are: always a new id (S38). @throws Fault `role_missing` for who is no member */
  async open(wanted: NewSession): Promise<Opened> {
    const { user, organization } = wanted
    const membership = (await this.#ports.users.membershipsOf(user.id)).find((held) => held.organization === organization)
    if (membership === undefined)
      throw new Fault('role_missing', { detail: 'You are not a member of this organization. Ask one of its administrators to invite you.' })
    await this.#makeRoom(user.id, ({ parent }) => parent === null, DEVICES_MAX, 'oldest_device')
    const at = this.#ports.clock.wall()
    const expiresAt = at + this.#ports.lifetimes.absoluteMs
    const session = this.#newSession(wanted, { user: user.id, parent: null, expiresAt, authenticatedAt: wanted.provenAt ?? at }, at)
    await this.#store(session, at)
    return this.current(session.id)
  }

  /**
   * Another tab of the same device: a session of its own, so that no two share a credential in memory. It ends with the first one. An access token alone,
   * which applications see too, must not become a longer life: `text` is the session's own refresh credential. Nothing rotates. @throws Fault
   */
  async branch(signedIn: SignedIn, text: string, facts: CallerFacts): Promise<Opened> {
    const from = signedIn.session
    if (from.mode !== 'bearer') throw new Fault('conflict', { detail: 'This session lives in a cookie, which all tabs share. Only a bearer session branches.' })
    await this.#checkHolder(from.id, text)
    // The first tab may be over by itself for so long that it is forgotten: then the one that asks takes its place.
    const parent = (await this.#ports.store.get(rootOf(from)))?.session.id ?? from.id
    await this.#makeRoom(from.user, (other) => other.parent === parent, BRANCHES_MAX, 'oldest_branch')
    const at = this.#ports.clock.wall()
    const { organization, mode, methods, keyThumbprint, issuer, expiresAt, authenticatedAt, user } = from
    const session = this.#newSession({ organization, mode, methods, keyThumbprint, issuer, ...facts }, { user, parent, expiresAt, authenticatedAt }, at)
    await this.#store(session, at)
    // The store makes it over from its beginning when the parent has ended meanwhile.
    return this.current(session.id)
  }

  /**
   * The next credentials for an old one. A text that is not ours is refused before the store is asked; from there on every step may be repeated:
   * whoever did not hear the answer asks again and gets the same. `shown`: where the request had it, and with what key; null where this server presents it
   * itself, for somebody who was let in already. A credential that is misplaced changes nothing.
   * @throws Fault one of {@link SIGN_OUT_CODES}, `dpop_proof_invalid`, or `store_unavailable` when it cannot be told
   */
  async refresh(text: string, facts: CallerFacts, shown: Shown | null = null): Promise<Opened> {
    const { clock, entropy, seal, store, lifetimes } = this.#ports
    const credential = readRefreshCredential(text, seal)
    if (credential === null) throw new Fault('session_missing', { detail: 'This is no refresh credential of this server. Sign in.' })
    const { idleMs } = lifetimes
    const { address, userAgent } = facts
    const presented = await store.present({ ...credential, address, userAgent, at: clock.wall(), idleMs, eventId: newId('evt', entropy), shown })
    if (presented.kind === 'refused') throw misplacedFault(presented.why, shown)
    if (presented.kind === 'unknown')
      throw new Fault('session_expired', { detail: 'This session ended so long ago that nothing is known of it. Sign in again.' })
    const { judgement, signedIn } = presented
    if (judgement.kind === 'ended') throw endedFault(judgement.why)
    if (judgement.kind === 'reuse') {
      const { id: session, organization, user } = signedIn.session
      this.#ports.alert({ organization, user, session, generation: credential.generation, address: facts.address })
      throw endedFault('reuse_detected')
    }
    return this.#opened(signedIn, judgement.kind === 'replay')
  }

  /** Of several texts, those that this server made, the newest first: of one session only its highest generation. Asks no store. */
  genuine(texts: readonly string[]): readonly string[] {
    const newest = new Map<SessionId, { readonly text: string; readonly generation: number }>()
    for (const text of texts) {
      const credential = readRefreshCredential(text, this.#ports.seal)
      if (credential === null || (newest.get(credential.session)?.generation ?? 0) >= credential.generation) continue
      newest.set(credential.session, { text, generation: credential.generation })
    }
    return [...newest].sort(([left], [right]) => (left < right ? 1 : -1)).map(([, { text }]) => text)
  }

  /** The credentials of a session as it is now, after its organization or its proof of identity changed. Nothing rotates. @throws Fault */
  async current(id: SessionId): Promise<Opened> {
    const signedIn = await this.#ports.store.get(id)
    if (signedIn === undefined) throw endedFault('absolute')
    return this.#opened(signedIn, false)
  }

  /**
   * Ends what a refresh credential stands for, and says how many sessions that were. A credential of nothing ends nothing. `key`: thumbprint of the one that
   * the request was proven with. @throws Fault `dpop_proof_invalid`: whoever copied a credential without its key has no say in anybody's sessions;
   * `reauthentication_required` for `others`
   */
  async signOut(text: string, scope: SignOutScope, facts: CallerFacts, key: string | null = null): Promise<number> {
    const credential = readRefreshCredential(text, this.#ports.seal)
    const signedIn = credential === null ? undefined : await this.#ports.store.get(credential.session)
    if (signedIn === undefined) return 0
    // The credential of a session that is over has no say in the others.
    const isOver = endOf(signedIn.session, this.#ports.clock.wall()) !== null
    if (scope !== 'here' && isOver) return 0
    const { mode, keyThumbprint } = signedIn.session
    if (!isOver && keyThumbprint !== null && keyThumbprint !== key) throw misplacedFault('key', { mode, key })
    if (credential !== null && this.#judged(signedIn.session, credential.generation) === 'reuse' && (await this.#isEndedAsStolen(text, facts))) return 1
    return scope === 'others' && !isOver ? this.endOthers(signedIn, facts) : this.end(signedIn.session, scope, facts)
  }

  /**
   * A sign-in has given this browser a new cookie: what the old ones stood for is over (S38). Says how many sessions that were. Never rejects: the new session
   * stands, and an old one that could not be ended is no reason to refuse it.
   */
  async replace(texts: readonly string[], by: SessionId, facts: CallerFacts): Promise<number> {
    let ended = 0
    for (const text of this.genuine(texts)) if (await this.#replaceOne(text, by, facts).catch(() => false)) ended += 1
    return ended
  }

  /**
   * Ends the person's other sessions. Whoever sits at a browser that was left open could otherwise lock its owner out and stay; `everywhere` ends their own
   * as well, so it needs no more than the session. @throws Fault `reauthentication_required`
   */
  async endOthers(signedIn: SignedIn, facts: CallerFacts): Promise<number> {
    requireRecentProof(signedIn, this.#ports.clock.wall())
    return this.end(signedIn.session, 'others', facts)
  }

  /** Returns how many sessions were live and are over now. Repeating it ends nothing more. */
  async end(session: Session, scope: SignOutScope, facts: CallerFacts): Promise<number> {
    const { clock, entropy, store } = this.#ports
    const at = clock.wall()
    const event = sessionEvent('session.ended', session, at, { scope, address: facts.address }, entropy)
    const live = session.parent === null ? [] : await store.listOf(session.user)
    const device = deviceOf(session, live)
    if (scope === 'others') return (await store.endAll(session.user, { except: device, organization: null }, 'signed_out_elsewhere', at, event)).length
    if (scope === 'everywhere') return (await store.endAll(session.user, { except: null, organization: null }, 'signed_out', at, event)).length
    const ended = await store.end(device, 'signed_out', at, event)
    if (ended !== 'gone') return ended === 'ended' ? 1 : 0
    // The first tab is over by itself, and forgotten: its branches are ended one by one.
    let count = 0
    for (const tab of live.filter((other) => deviceOf(other, live) === device)) {
      const told = sessionEvent('session.ended', tab, at, { scope, address: facts.address }, entropy)
      if ((await store.end(tab.id, 'signed_out', at, told)) === 'ended') count += 1
    }
    return count
  }

  /**
   * Ends one of the person's own sessions. @throws Fault `not_found`, the same for somebody else's and for none; `reauthentication_required` for one that is not
   * the asking one
   */
  async endById(asking: SignedIn, id: SessionId, facts: CallerFacts): Promise<number> {
    const { clock, entropy, store } = this.#ports
    const found = await store.get(id)
    if (found === undefined || found.user.id !== asking.user.id) throw new Fault('not_found', { detail: `You have no session ${id}.` })
    if (id !== asking.session.id && id !== asking.session.parent) requireRecentProof(asking, clock.wall())
    const at = clock.wall()
    const event = sessionEvent('session.ended', found.session, at, { scope: 'one', address: facts.address }, entropy)
    return (await store.end(id, 'signed_out_elsewhere', at, event)) === 'ended' ? 1 : 0
  }

  /** The person's devices, newest first: the tabs of one device are one entry, as it was used last. */
  async list(user: UserId): Promise<readonly Session[]> {
    const live = await this.#ports.store.listOf(user)
    const devices = new Map<SessionId, Session>()
    for (const session of live) {
      const device = deviceOf(session, live)
      const named = live.find(({ id }) => id === device) ?? session
      devices.set(device, { ...named, issuedAt: Math.max(session.issuedAt, devices.get(device)?.issuedAt ?? 0) })
    }
    return [...devices.values()]
  }

  /** As {@link organizationOf}, from memory alone. Synchronous: the hot path. */
  peekOrganization({ session }: Pick<SignedIn, 'session'>): Opened['organization'] | undefined {
    return this.#ports.organizations.peek(session.organization)
  }

  /** Whose application the person is signed in to. @throws Fault */
  async organizationOf({ session }: Pick<SignedIn, 'session'>): Promise<Opened['organization']> {
    const organization = await this.#ports.organizations.get(session.organization)
    if (organization === undefined) throw endedFault('membership_ended')
    return organization
  }

  #newSession(
    wanted: Pick<NewSession, 'organization' | 'mode' | 'methods' | 'keyThumbprint' | 'issuer' | 'userAgent' | 'address' | 'id'>,
    from: Pick<Session, 'user' | 'parent' | 'expiresAt' | 'authenticatedAt'>,
    at: Instant,
  ): Session {
    const { organization, mode, methods, keyThumbprint = null, issuer = null, userAgent, address } = wanted
    return {
      id: wanted.id ?? newId('ses', this.#ports.entropy),
      organization,
      ...from,
      mode,
      generation: 1,
      previous: null,
      issuedAt: at,
      usedAt: null,
      recent: [{ generation: 1, from: 0, issuedAt: at }],
      createdAt: at,
      idleExpiresAt: Math.min(at + this.#ports.lifetimes.idleMs, from.expiresAt),
      revokedAt: null,
      end: null,
      methods,
      keyThumbprint,
      userAgent,
      address,
      issuer,
    }
  }

  #store(session: Session, at: Instant): Promise<void> {
    const { mode, methods, parent, address, userAgent } = session
    const data = { mode, methods: [...methods], parent, address, user_agent: userAgent }
    return this.#ports.store.open(session, sessionEvent('session.opened', session, at, data, this.#ports.entropy))
  }

  /** @throws Fault when the person may not go on after all */
  async #opened(signedIn: SignedIn, replayed: boolean): Promise<Opened> {
    const { clock, seal, accessTokens } = this.#ports
    const refused = refusalOf(signedIn, clock.wall())
    const { session, role } = signedIn
    if (refused !== null || role === null) throw refused ?? endedFault('membership_ended')
    const present = { ...signedIn, role }
    const [token, organization] = await Promise.all([accessTokens.issue(present), this.organizationOf(signedIn)])
    return {
      signedIn: present,
      organization,
      accessToken: token.token,
      expiresIn: token.expiresIn,
      refreshCredential: refreshCredential(session.id, session.generation, seal),
      generation: session.generation,
      replayed,
    }
  }

  async #replaceOne(text: string, by: SessionId, facts: CallerFacts): Promise<boolean> {
    const { clock, entropy, seal, store } = this.#ports
    const credential = readRefreshCredential(text, seal)
    const found = credential === null || credential.session === by ? undefined : await store.get(credential.session)
    if (found === undefined) return false
    const at = clock.wall()
    const event = sessionEvent('session.ended', found.session, at, { scope: 'replaced', by, address: facts.address }, entropy)
    return (await store.end(found.session.id, 'replaced', at, event)) === 'ended'
  }

  /** Whoever copied an old credential has no say in other sessions. That it came back is what it is in a refresh: the session ends, and somebody hears of it. */
  async #isEndedAsStolen(text: string, facts: CallerFacts): Promise<boolean> {
    let refused: unknown = null
    try {
      await this.refresh(text, facts)
    } catch (error) {
      refused = error
    }
    const code = refused instanceof Fault && SIGN_OUT_CODES.has(refused.code) ? refused.code : null
    if (refused !== null && code === null) throw refused
    return code === 'session_reuse_detected'
  }

  #judged(session: Session, generation: number): Judgement['kind'] {
    return judgePresentation(session, generation, this.#ports.clock.wall(), this.#ports.lifetimes).kind
  }

  /** @throws Fault unless a refresh with this text would be answered as an honest one: by the rule of rotation, which is applied to nothing here */
  async #checkHolder(id: SessionId, text: string): Promise<void> {
    const credential = readRefreshCredential(text, this.#ports.seal)
    const held = credential?.session === id ? await this.#ports.store.get(id) : undefined
    const judged = held === undefined || credential === null ? null : this.#judged(held.session, credential.generation)
    if (judged === 'rotate' || judged === 'replay') return
    throw new Fault('forbidden', {
      field: '/refresh_token',
      detail: 'This is not the current refresh credential of the session that asks. Refresh the session, and send the `refresh_token` of that answer.',
    })
  }

  async #makeRoom(user: UserId, counts: (session: Session) => boolean, max: number, scope: string): Promise<void> {
    const { clock, entropy, store } = this.#ports
    const open = (await store.listOf(user)).filter(counts)
    const idlest = open.sort((left, right) => left.issuedAt - right.issuedAt)[0]
    if (open.length < max || idlest === undefined) return
    const at = clock.wall()
    await store.end(idlest.id, 'signed_out', at, sessionEvent('session.ended', idlest, at, { scope }, entropy))
  }
}

/** Branches are all of one parent: the session that was signed in. */
function rootOf(session: Pick<Session, 'id' | 'parent'>): SessionId {
  return session.parent ?? session.id
}

/** What all tabs of one device have in common: the id of the first one, as far as it can be told from those that live. */
function deviceOf(session: Pick<Session, 'id' | 'parent'>, live: readonly Session[]): SessionId {
  const root = rootOf(session)
  const above = root === session.id ? undefined : live.find(({ id }) => id === root)
  return above === undefined ? root : deviceOf(above, live)
}
