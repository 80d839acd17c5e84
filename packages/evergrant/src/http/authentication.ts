import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ApiKey } from '../core/access/api-key.ts'
import { LOCAL_KEY_HINT } from '../core/access/api-keys-service.ts'
import type { Actor } from '../core/audit/event.ts'
import { Fault } from '../core/fault/fault.ts'
import { factorMissing, lacksFactor } from '../core/session/second-factor.ts'
import { personActor } from '../core/session/session-events.ts'
import type { ProvenKey, ProvenPerson } from '../core/session/session-guard.ts'
import { looksLikeToken } from '../core/session/token-reader.ts'
import { RIGHTS } from '../core/user/roles.ts'
import { ownerOf } from '../core/user/user.ts'
import { type Access, allows, type Done, type Limits, limited } from './admission.ts'
import { iso } from './connection-view.ts'
import { installationHook } from './installation-authentication.ts'
import { addressBucket } from './rate-limit.ts'
import type { Caller, Services } from './services.ts'

export { type Access, allows } from './admission.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access
    /** The handler keeps to `caller.owner`. Without it a person who reaches only their own is refused. */
    own?: true
    /** The answer is about the access token itself, and gives nothing away that is not in it: no proof of a key is asked. */
    aboutToken?: true
    /** Whoever sends a connect session's link token (`Evergrant-Connect-Link`) is let in without a caller: the handler looks at it. */
    orLink?: true
    /** Agents may use it, within their policy: the handler keeps to `caller.installation`. Without it they are refused. */
    agents?: true
    /** Also for a session that may only add or show a second factor. */
    enrolling?: true
  }
  interface FastifyRequest {
    /** Set before the handler of every route that is not public. */
    caller: Caller | null
    /** Who was known and not let in, for the record of refusals; everybody else asks `caller`. */
    turnedAway: Caller | null
    /** Names for the texts of a problem, once the route knows them. */
    words: { readonly provider: string; readonly account: string | null } | null
  }
}

type AuthServices = Pick<Services, 'apiKeys' | 'guard' | 'installationGuard' | 'uses' | 'proofs' | 'clock'>

/** An access token has about 700 characters; a longer header is no credential of ours. */
const HEADER_MAX = 4_200

/** The hook that lets a request in: a backend by its key, a person or an installation by an access token. Synchronous for what is in memory. No cookie lets anybody in (S55). */
export function authenticator(services: AuthServices, limits: Limits, publicUrl: string) {
  const admitKey = keyHook(services, limits)
  const admitPerson = personHook(services, limits)
  const prove = proofHook(services, publicUrl)
  return (request: FastifyRequest, _reply: FastifyReply, done: Done): void => {
    const { access, aboutToken, orLink } = request.routeOptions.config
    // Only the answer to an unknown path has no route, and so no access.
    if (access === 'public' || request.is404 || (orLink === true && linkTokenOf(request) !== null)) return done()
    if (access === undefined) return done(new Fault('internal', { detail: 'This route does not say who may use it.' }))
    const { authorization } = request.headers
    const text = bearerOf(authorization)
    if (text !== undefined && looksLikeToken(text)) return admitPerson(request, text, aboutToken === true ? 'not_asked' : null, access, done)
    const bound = text === undefined ? credentialOf(authorization, 'dpop ') : undefined
    if (bound === undefined || !looksLikeToken(bound)) return admitKey(request, text, access, done)
    prove(request, bound).then((key) => admitPerson(request, bound, key, access, done), done)
  }
}

/** The token of a connect session's link; null when none was sent. */
export function linkTokenOf({ headers }: Pick<FastifyRequest, 'headers'>): string | null {
  const sent = headers['evergrant-connect-link']
  return typeof sent === 'string' ? sent : null
}

/** The key that a request was proven with (RFC 9449 section 7.1). */
function proofHook({ proofs }: AuthServices, publicUrl: string) {
  return (request: FastifyRequest, accessToken: string): Promise<string> =>
    proofs.check({ headers: proofsOf(request), method: request.method, url: publicUrl + request.url, accessToken, boundTo: null })
}

/** The `DPoP` fields of a request. Node joins repeated ones, and a proof has no comma in it. */
export function proofsOf(request: Pick<FastifyRequest, 'headers'>): readonly string[] {
  const sent = request.headers['dpop']
  return (Array.isArray(sent) ? sent.join(',') : (sent ?? '')).split(',').flatMap((text) => (text.trim() === '' ? [] : [text.trim()]))
}

function keyHook(services: AuthServices, limits: Limits) {
  const refuse = (request: FastifyRequest, detail: string): Fault => {
    const waitMs = limits.failures.take(addressBucket(request.ip))
    return waitMs > 0 ? limited(services, waitMs, 'Too many invalid credentials from this address.') : new Fault('unauthenticated', { detail })
  }
  const admit = (request: FastifyRequest, key: ApiKey, access: Access): Fault | undefined => {
    const waitMs = limits.keys.take(key.id)
    if (waitMs > 0) return limited(services, waitMs, 'The limit of this key was reached.')
    const refused = keyOutOfReach(key, access)
    request[refused === undefined ? 'caller' : 'turnedAway'] = keyCaller(key)
    return refused
  }
  return (request: FastifyRequest, text: string | undefined, access: Access, done: Done): void => {
    if (text === undefined) return done(refuse(request, access === 'person' ? 'Send an access token: `Authorization: Bearer eyJ...`.' : SEND_A_KEY))
    const hash = services.apiKeys.hashOf(text)
    if (hash === undefined) return done(refuse(request, 'This is no API key of this server: check that it was copied whole.'))
    const known = services.apiKeys.peek(hash)
    if (known === 'ended') return done(refuse(request, noValidKey(services, hash)))
    if (known !== 'unknown') return done(admit(request, known, access))
    const bucket = addressBucket(request.ip)
    const waitMs = limits.failures.take(bucket)
    if (waitMs > 0) return done(limited(services, waitMs, 'Too many unknown credentials from this address.'))
    services.apiKeys.lookUp(hash).then(
      (key) => {
        if (key === undefined) return done(new Fault('unauthenticated', { detail: noValidKey(services, hash) }))
        limits.failures.giveBack(bucket)
        done(admit(request, key, access))
      },
      (cause: unknown) => done(cause instanceof Fault ? cause : new Fault('store_unavailable', { cause })),
    )
  }
}

/** Whoever has all of a key hears how it ended, so that nobody looks for a mistake that is none; about any other text nothing is said. */
function noValidKey(services: AuthServices, hash: string): string {
  const end = services.apiKeys.endOf(hash)
  if (end === undefined) return 'This is no valid API key: it is unknown, revoked or expired.'
  const remedy = 'If it was rotated, use its successor; else make a new one with `evergrant api-keys create`, or in the console.'
  return `The API key ${end.hint}... ${end.how === 'revoked' ? 'was revoked' : 'expired'} at ${iso(end.at)}. ${remedy}`
}

function keyOutOfReach(key: ApiKey, access: Access): Fault | undefined {
  if (access === 'person')
    return new Fault('forbidden', { detail: 'This route is about the person who is signed in. Send an access token of a session, not an API key.' })
  if (allows(key, access)) return undefined
  return new Fault('forbidden', { detail: `This route needs the scope \`${access}\`, and the key ${key.hint}... does not have it.` })
}

const SEND_A_KEY = 'Send an API key: `Authorization: Bearer egk_...`.'

function personHook(services: AuthServices, limits: Limits) {
  const admitInstallation = installationHook(services, limits)
  const admit = (request: FastifyRequest, person: ProvenPerson, access: Access): Fault | undefined => {
    const waitMs = limits.keys.take(person.session.id)
    if (waitMs > 0) return limited(services, waitMs, 'The limit of this session was reached.')
    const { own, enrolling } = request.routeOptions.config
    const caller = personCaller(person)
    const refused = lacksFactor(person) && enrolling !== true ? factorMissing() : outOfReach(caller, person, access, own === true)
    request[refused === undefined ? 'caller' : 'turnedAway'] = caller
    return refused
  }
  return (request: FastifyRequest, token: string, proven: ProvenKey, access: Access, done: Done): void => {
    const known = services.guard.peek(token, proven)
    if (known instanceof Fault) return done(known)
    if (known !== 'unknown') return done(admit(request, known, access))
    if (admitInstallation(request, token, proven, access, done)) return
    // Somebody who makes tokens up must not keep us busy with signatures; whoever sends a genuine one gets the turn back.
    const bucket = addressBucket(request.ip)
    const waitMs = limits.failures.take(bucket)
    if (waitMs > 0) return done(limited(services, waitMs, 'Too many invalid credentials from this address.'))
    services.guard.lookUp(token, proven).then(
      (person) => {
        limits.failures.giveBack(bucket)
        done(admit(request, person, access))
      },
      (cause: unknown) => {
        const fault = cause instanceof Fault ? cause : new Fault('store_unavailable', { cause })
        if (fault.code !== 'access_token_expired') limits.failures.giveBack(bucket)
        done(fault)
      },
    )
  }
}

/** What keeps a person from a route: the role, or a reach that the route does not keep to. */
function outOfReach(caller: Caller, { role }: ProvenPerson, access: Access, own: boolean): Fault | undefined {
  if (access === 'person') return undefined
  // Also not of those who may do everything else: a person uses a connection and never sees its secret (S89).
  if (access === 'tokens:read')
    return new Fault('role_missing', { detail: 'No role reads access tokens. Call the provider through the proxy, or read the token with an API key.' })
  if (!allows(caller, access)) return new Fault('role_missing', { detail: `This needs the right \`${access}\`, and the role ${role} does not give it.` })
  if (caller.owner === null || own) return undefined
  return new Fault('role_missing', { detail: `This is about the whole organization, and the role ${role} reaches only what is your own.` })
}

export function bearerOf(header: string | undefined): string | undefined {
  return credentialOf(header, 'bearer ')
}

/** `scheme` in lower case, with its space. */
function credentialOf(header: string | undefined, scheme: string): string | undefined {
  if (header === undefined || header.length <= scheme.length || header.length > HEADER_MAX) return undefined
  return header.slice(0, scheme.length).toLowerCase() === scheme ? header.slice(scheme.length).trim() : undefined
}

function keyCaller(key: ApiKey): Caller {
  const actor: Actor = key.hint === LOCAL_KEY_HINT ? { kind: 'cli', id: null } : { kind: 'api_key', id: key.id }
  return { organization: key.organization, actor, scopes: key.scopes, owner: null, key, person: null, installation: null }
}

function personCaller(person: ProvenPerson): Caller {
  const { scopes, reach } = RIGHTS[person.role]
  const owner = reach === 'own' ? ownerOf(person.user) : null
  return { organization: person.session.organization, actor: personActor(person.user.id), scopes, owner, key: null, person, installation: null }
}

/** The caller of a route that is not public. */
export function callerOf(request: Pick<FastifyRequest, 'caller'>): Caller {
  if (request.caller === null) throw new Fault('unauthenticated')
  return request.caller
}

/** The person who calls a route of `access: 'person'`. */
export function personOf(request: Pick<FastifyRequest, 'caller'>): ProvenPerson {
  const { person } = callerOf(request)
  if (person === null)
    throw new Fault('forbidden', { detail: 'This route is about the person who is signed in. Send an access token of a session, not an API key.' })
  return person
}

/** Who is written into events. */
export function actorOf(caller: Caller): Actor {
  return caller.actor
}
