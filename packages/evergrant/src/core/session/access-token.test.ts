import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { openVolatileStore } from '../../store/memory/volatile-store.ts'
import { systemClock, systemTimers } from '../../system.ts'
import { type AccessLab, createAccessLab, genuineClaims, LAB_ISSUER, signedInAt } from '../../testing/access-lab.ts'
import { type BadToken, badTokens, type GenuineParts, signedToken } from '../../testing/bad-tokens.ts'
import { decodeJwt } from '../provider/base64url.ts'
import { MINUTE, SECOND } from '../time.ts'

const store = () => openVolatileStore({ clock: systemClock, timers: systemTimers })
let lab: AccessLab
let genuine: GenuineParts
let bad: readonly BadToken[]

beforeAll(async () => {
  lab = createAccessLab({ store: store() })
  const key = await lab.issuerKey()
  await lab.keys.rotateNow({ stolen: false, actor: { kind: 'cli', id: null } })
  genuine = { claims: genuineClaims(lab.time.clock.wall()), key, other: await lab.issuerKey() }
  bad = badTokens(genuine)
})

test('a token says who, which session, which generation and since when, and nothing that is secret', async () => {
  const at = lab.time.clock.wall()
  const signedIn = signedInAt(at, {
    role: 'operator',
    user: { externalId: 'ext-7' },
    session: { generation: 7, methods: ['pwd', 'otp'], authenticatedAt: at - MINUTE },
  })
  const { token: text, expiresIn } = await lab.tokens.issue(signedIn)
  const { header, claims } = decodeJwt(text) ?? {}
  expect(header).toEqual({ alg: 'EdDSA', typ: 'at+jwt', kid: expect.stringMatching(/^sgk_/) })
  const iat = at / SECOND
  expect(claims).toEqual({
    iss: LAB_ISSUER,
    aud: LAB_ISSUER,
    sub: signedIn.user.id,
    sid: signedIn.session.id,
    gen: 7,
    org: signedIn.session.organization,
    role: 'operator',
    owner: 'ext-7',
    iat,
    exp: iat + 600,
    jti: expect.any(String),
    amr: ['pwd', 'otp'],
    auth_time: iat - 60,
  })
  expect(expiresIn).toBe(600)
  expect(await lab.tokens.read(text)).toEqual({ kind: 'verified', claims })
})

test('a token of a session that is bound to a key names the key', async () => {
  const { token: text } = await lab.tokens.issue(signedInAt(lab.time.clock.wall(), { session: { keyThumbprint: 'thumb' } }))
  expect(decodeJwt(text)?.claims.cnf).toEqual({ jkt: 'thumb' })
})

test('a token never outlives its session', async () => {
  const at = lab.time.clock.wall()
  const { token: text, expiresIn } = await lab.tokens.issue(signedInAt(at, { session: { expiresAt: at + 90 * SECOND } }))
  expect(expiresIn).toBe(90)
  expect(Number(decodeJwt(text)?.claims.exp) * SECOND).toBe(at + 90 * SECOND)
})

test('a token that was read is known at once until five seconds after its end', async () => {
  const { tokens, time } = createAccessLab({ store: store() })
  const { token: text } = await tokens.issue(signedInAt(time.clock.wall()))
  expect(tokens.peek(text)).toBe('unknown')
  await tokens.read(text)
  expect(tokens.peek(text)).toMatchObject({ gen: 1 })
  await time.advance(10 * MINUTE + 4 * SECOND)
  expect(tokens.peek(text)).toMatchObject({ gen: 1 })
  expect(await tokens.read(text)).toMatchObject({ kind: 'verified' })
  await time.advance(SECOND)
  expect(tokens.peek(text)).toBe('expired')
  expect(await tokens.read(text)).toEqual({ kind: 'refused', why: 'expired' })
})

test('what was read is forgotten when keys change, also what was being read meanwhile', async () => {
  const { tokens, time } = createAccessLab({ store: store() })
  const { token: text } = await tokens.issue(signedInAt(time.clock.wall()))
  await tokens.read(text)
  tokens.forget()
  expect(tokens.peek(text)).toBe('unknown')
  const reading = tokens.read(text)
  tokens.forget()
  expect(await reading).toMatchObject({ kind: 'verified' })
  expect(tokens.peek(text)).toBe('unknown')
})

test('a genuine token made by hand is believed, so that the refusals below are for what is named', async () => {
  expect(await lab.tokens.read(signedToken(genuine))).toMatchObject({ kind: 'verified' })
  expect(await lab.tokens.read(signedToken({ ...genuine, key: genuine.other }))).toMatchObject({ kind: 'verified' })
})

test('nobody is let in by a token of the list, for the reason that it names (S17, peers row 58)', async () => {
  const believed: string[] = []
  for (const { name, token } of bad) {
    const reading = await lab.tokens.read(token)
    if (reading.kind !== 'refused' || lab.tokens.peek(token) !== 'unknown') believed.push(name)
  }
  expect(believed).toEqual([])
  expect(bad.length).toBeGreaterThan(60)
})

test.each([
  ['alg none without a signature', 'malformed'],
  ['HS256 with the public key as its secret', 'algorithm_refused'],
  ['signed by a stranger under the kid of the issuer', 'signature_wrong'],
  ['a key of its own in jwk', 'signature_wrong'],
  ['an unknown kid', 'key_unknown'],
  ['no kid', 'key_unknown'],
  ['the kid of another published key', 'signature_wrong'],
  ['an id_token in place of an access token', 'type_wrong'],
  ['another issuer', 'issuer_wrong'],
  ['another audience', 'audience_wrong'],
  ['issued a week ago', 'expired'],
  ['not valid before in an hour', 'not_yet_valid'],
  ['a role that does not exist', 'claims_incomplete'],
  ['truncated in the claims', 'signature_wrong'],
  ['oversized', 'malformed'],
])('%s is refused as %s', async (name, why) => {
  const token = bad.find((one) => one.name === name)?.token ?? 'there is no such case'
  expect(await lab.tokens.read(token)).toEqual({ kind: 'refused', why })
})

test('no sign of a genuine token can be altered', async () => {
  const token = signedToken(genuine)
  // The last sign of a signature carries bits that nobody reads.
  await fc.assert(
    fc.asyncProperty(fc.nat(token.length - 2), fc.constantFrom(...'AZaz09-_.='), async (index, letter) => {
      const altered = token.slice(0, index) + letter + token.slice(index + 1)
      fc.pre(altered !== token)
      expect(await lab.tokens.read(altered)).toMatchObject({ kind: 'refused' })
    }),
    { numRuns: 300 },
  )
})

test('whatever is sent, the answer is a refusal and never an error', async () => {
  const part = fc.oneof(
    fc.string(),
    fc.object().map((value) => Buffer.from(JSON.stringify({ alg: 'EdDSA', typ: 'at+jwt', kid: genuine.key.kid, ...value })).toString('base64url')),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 5 }), async (parts) => {
      expect(await lab.tokens.read(parts.join('.'))).toMatchObject({ kind: 'refused' })
    }),
    { numRuns: 300 },
  )
})
