import { beforeAll, expect, test } from 'vitest'
import { openVolatileStore } from '../../store/memory/volatile-store.ts'
import { systemClock, systemTimers } from '../../system.ts'
import { type AccessLab, createAccessLab, genuineClaims, signedInAt } from '../../testing/access-lab.ts'
import { type GenuineParts, signedToken } from '../../testing/bad-tokens.ts'
import { SECOND } from '../time.ts'
import { isForEnrolment } from './access-token.ts'

let lab: AccessLab
let genuine: GenuineParts
beforeAll(async () => {
  lab = createAccessLab({ store: openVolatileStore({ clock: systemClock, timers: systemTimers }) })
  const key = await lab.issuerKey()
  genuine = { claims: genuineClaims(lab.time.clock.wall()), key, other: key }
})

const wrong = {
  text: [undefined, null, '', 7, [], {}],
  count: [undefined, null, '7', -1, 1.5, Number.MAX_SAFE_INTEGER + 1, [7]],
  id: [undefined, null, '', 'usr_short', ['usr_short'], 7],
  methods: [undefined, null, 'pwd', ['pwd', 7], ['pwd', ''], [null], {}],
  binding: [null, 'thumb', {}, { jkt: 7 }, { jkt: '' }, []],
  role: [undefined, null, 'root', '', ['owner'], 'toString'],
}

/** A signature says that we wrote it, not that this version did. */
const cases = Object.entries({
  jti: wrong.text,
  owner: wrong.text,
  gen: wrong.count,
  auth_time: wrong.count,
  sub: wrong.id,
  sid: wrong.id,
  org: wrong.id,
  amr: wrong.methods,
  cnf: wrong.binding,
  role: wrong.role,
}).flatMap(([claim, values]) => values.map((value) => [claim, JSON.stringify(value) ?? 'left out', value] as const))

test.each(cases)('a genuine signature over claims whose %s is %s lets nobody in', async (claim, _, value) => {
  const token = signedToken(genuine, {}, { [claim]: value })
  expect(await lab.tokens.read(token)).toEqual({ kind: 'refused', why: 'claims_incomplete' })
  expect(lab.tokens.peek(token)).toBe('unknown')
})

test.each([
  ['gen', 0],
  ['auth_time', 0],
  ['amr', []],
  ['cnf', undefined],
  ['cnf', { jkt: 'thumb' }],
] as const)('claims whose %s is %j are what a genuine token may have', async (claim, value) => {
  expect(await lab.tokens.read(signedToken(genuine, {}, { [claim]: value }))).toMatchObject({ kind: 'verified' })
})

test('who may only add or show a second factor gets a token for that alone, and everybody else one for this server', async () => {
  const at = lab.time.clock.wall()
  const signedIn = signedInAt(at, { session: { methods: ['pwd'] } })
  const audienceOf = async (factorDemanded: boolean) => {
    const reading = await lab.tokens.read((await lab.tokens.issue({ ...signedIn, factorDemanded })).token)
    if (reading.kind === 'refused') return expect.unreachable(reading.why)
    return isForEnrolment(reading.claims)
  }
  expect([await audienceOf(true), await audienceOf(false)]).toEqual([true, false])
})

test('a token of a session that ends within this second lives for a second, and is never over before it begins', async () => {
  const at = lab.time.clock.wall()
  for (const left of [-SECOND, 0, 1]) expect(await lab.tokens.issue(signedInAt(at, { session: { expiresAt: at + left } }))).toMatchObject({ expiresIn: 1 })
})
