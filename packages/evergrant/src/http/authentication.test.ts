import type { FastifyReply, FastifyRequest } from 'fastify'
import { beforeEach, expect, test } from 'vitest'
import { Fault } from '../core/fault/fault.ts'
import { authenticator, callerOf, personOf, proofsOf } from './authentication.ts'
import { RateLimiter } from './rate-limit.ts'
import type { Caller } from './services.ts'

const EVER = { perSecond: 0.001, capacity: 1_000 }
const ONCE = { perSecond: 0.001, capacity: 1 }
const token = (subject: string): string => `eyJhbGciOiJFZERTQSJ9.${Buffer.from(JSON.stringify({ sub: subject })).toString('base64url')}.c2lnbmF0dXJl`

let guardSays: () => Promise<unknown>
let installationSays: () => Promise<unknown>
let remembered: unknown
let keys: RateLimiter
let failures: RateLimiter
beforeEach(() => {
  guardSays = installationSays = () => Promise.reject(new Error('a socket broke'))
  remembered = 'unknown'
  keys = new RateLimiter(EVER, () => 0)
  failures = new RateLimiter(EVER, () => 0)
})

/** The code that a request is refused with; undefined when it is let in. */
function ask(authorization: string | undefined, config: object = { access: 'connections:read', agents: true }): Promise<string | undefined> {
  const services = {
    apiKeys: { hashOf: () => 'hash', peek: () => 'unknown', lookUp: () => Promise.reject(new Error('a socket broke')) },
    guard: { peek: () => 'unknown', lookUp: () => guardSays() },
    installationGuard: { peek: () => remembered, lookUp: () => installationSays() },
    uses: { countDay: () => {} },
    proofs: { check: () => Promise.reject(new Fault('dpop_proof_invalid')) },
    clock: { wall: () => 0 },
  }
  const hook = authenticator(services as unknown as Parameters<typeof authenticator>[0], { keys, failures }, 'https://evergrant.example')
  const request = { headers: { authorization }, ip: '192.0.2.1', routeOptions: { config }, method: 'GET', url: '/', caller: null } as unknown as FastifyRequest
  return new Promise((resolve) =>
    hook(request, {} as FastifyReply, (fault) => resolve(fault instanceof Fault ? fault.code : fault === undefined ? undefined : 'no fault')),
  )
}

test('what broke while a credential was looked up is told as an outage, and never as a refusal of the credential (S97)', async () => {
  expect(await ask('Bearer egk_1')).toBe('store_unavailable')
  expect(await ask(`Bearer ${token('usr_1')}`)).toBe('store_unavailable')
  expect(await ask(`Bearer ${token('agt_1')}`)).toBe('store_unavailable')
})

test('an outage takes no turn from the address: it did nothing wrong', async () => {
  failures = new RateLimiter(ONCE, () => 0)
  for (let time = 0; time < 3; time++) expect(await ask(`Bearer ${token('agt_1')}`)).toBe('store_unavailable')
})

test('whoever makes up tokens of programs is slowed by address before a signature is looked at', async () => {
  failures = new RateLimiter(ONCE, () => 0)
  let looked = 0
  installationSays = () => {
    looked += 1
    return Promise.reject(new Fault('access_token_expired'))
  }
  expect(await ask(`Bearer ${token('agt_1')}`)).toBe('access_token_expired')
  expect(await ask(`Bearer ${token('agt_1')}`)).toBe('rate_limited')
  expect(looked).toBe(1)
})

test('an installation has a limit of its own', async () => {
  keys = new RateLimiter(ONCE, () => 0)
  const agent = { id: 'agt_1', policy: { access: ['token'] } }
  remembered = { installation: { id: 'ins_1', organization: 'org_1' }, agent, bound: true }
  expect(await ask(`Bearer ${token('agt_1')}`)).toBeUndefined()
  expect(await ask(`Bearer ${token('agt_1')}`)).toBe('rate_limited')
})

test('a proof that does not hold is refused before anybody is asked about the token', async () => {
  expect(await ask(`DPoP ${token('usr_1')}`)).toBe('dpop_proof_invalid')
})

test('a route that does not say who may use it lets nobody in (S97)', async () => {
  expect(await ask('Bearer egk_1', {})).toBe('internal')
})

test('a handler that asks for a caller where none was let in is refused, and one that asks for a person gets no key', () => {
  expect(() => callerOf({ caller: null })).toThrow(expect.objectContaining({ code: 'unauthenticated' }))
  expect(() => personOf({ caller: { person: null } as Caller })).toThrow(expect.objectContaining({ code: 'forbidden' }))
})

test('several proofs are seen as several, however they were sent', () => {
  expect(proofsOf({ headers: { dpop: 'a.b.c, d.e.f' } } as never)).toEqual(['a.b.c', 'd.e.f'])
  expect(proofsOf({ headers: { dpop: ['a.b.c', 'd.e.f'] } } as never)).toEqual(['a.b.c', 'd.e.f'])
  expect(proofsOf({ headers: {} })).toEqual([])
})
