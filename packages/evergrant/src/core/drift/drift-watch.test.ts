import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { defineProvider } from '../../providers/define.ts'
import { systemEntropy } from '../../system.ts'
import { createManualTime } from '../../testing/manual-time.ts'
import { testSeal } from '../../testing/seal.ts'
import type { NewEvent } from '../audit/event.ts'
import type { JsonObject, JsonValue } from '../json.ts'
import { DAY } from '../time.ts'
import { DriftWatch } from './drift-watch.ts'
import { compareShape, shapeOf } from './shape.ts'

const SAMPLE = {
  token_type: 'Bearer',
  access_token: 'a4b945687g',
  expires_at: 1_568_775_134,
  athlete: { id: 227_615, premium: true, bikes: [{ id: 'b1', distance: 12.5 }] },
} as const
const shape = shapeOf(SAMPLE)
const live = (changes: JsonObject = {}): JsonObject => ({ ...SAMPLE, ...changes })

describe('a shape', () => {
  test('is met by other values, by further members, by null and by empty lists', () => {
    expect(compareShape(shape, live({ access_token: 'other', country: 'DE' }))).toBeNull()
    expect(compareShape(shape, live({ token_type: null }))).toBeNull()
    expect(compareShape(shape, live({ athlete: { id: 1, premium: false, bikes: [] } }))).toBeNull()
  })

  test('is met by a number that is too wide for a double, which is read as its digits, and by no other text for a number', () => {
    expect(compareShape(shape, live({ athlete: { id: '17841400000000001234', premium: true, bikes: [] } }))).toBeNull()
    expect(compareShape(shape, live({ athlete: { id: '1784', premium: true, bikes: [] } }))?.changed).toHaveLength(1)
    expect(compareShape(shape, live({ athlete: { id: 1, premium: '17841400000000001234', bikes: [] } }))?.changed).toHaveLength(1)
  })

  test('is missed by a member that is gone, a type that changed and a token that nobody documented', () => {
    const { expires_at: _, ...gone } = SAMPLE
    expect(compareShape(shape, gone)).toEqual({ missing: ['expires_at'], changed: [], added: [] })
    expect(compareShape(shape, live({ expires_at: '2026-01-01', athlete: 'ada' }))?.changed).toEqual([
      { path: 'expires_at', expected: ['number'], found: ['string'] },
      { path: 'athlete', expected: ['object'], found: ['string'] },
    ])
    expect(compareShape(shape, live({ refreshToken: 'r1', Expires_In: 3_600 }))?.added).toEqual(['refresh_token', 'expires_in'])
  })

  test('is met without what the sample has as null, which is no surprise when it comes', () => {
    const optional = shapeOf({ access_token: 'a', refresh_token: null })
    expect(compareShape(optional, { access_token: 'b' })).toBeNull()
    expect(compareShape(optional, { access_token: 'b', refresh_token: 'r' })).toBeNull()
    expect(compareShape(shapeOf({ access_token: 'a' }), { access_token: 'b', refresh_token: 'r' })?.added).toEqual(['refresh_token'])
  })

  test('of a list is that of all its elements', () => {
    const list = shapeOf({ items: [{ a: 1 }, { a: 'x', b: true }] })
    expect(compareShape(list, { items: [{ a: 'y' }, { a: 2, b: false }] })).toBeNull()
    expect(compareShape(list, { items: [{ b: 1 }] })).toEqual({
      missing: ['items.*.a'],
      changed: [{ path: 'items.*.b', expected: ['boolean'], found: ['number'] }],
      added: [],
    })
  })
})

const record = defineProvider({
  id: 'drifting',
  name: 'Drifting',
  authorize: { url: 'https://provider.example/authorize' },
  token: { url: 'https://provider.example/token' },
  samples: { refresh: SAMPLE },
})

function watchOf(every = 1) {
  const time = createManualTime()
  const events: NewEvent[] = []
  const keys = new Set<string>()
  const appendOnce = async (key: string, event: NewEvent) => {
    if (keys.has(key)) return false
    keys.add(key)
    events.push(event)
    return true
  }
  const log = { info: () => {}, warn: () => {}, error: () => {} }
  const watch = () => new DriftWatch({ events: { appendOnce }, seal: testSeal(), clock: time.clock, entropy: systemEntropy, log, every })
  return { time, events, watch }
}

const answer = (body: JsonValue) =>
  ({ record, organization: 'org_a', step: 'refresh', answer: { headers: { 'content-type': 'application/json' }, text: JSON.stringify(body) } }) as const

describe('the watch', () => {
  test('tells of a difference once a day, whatever node sees it and however often', async () => {
    const { time, events, watch } = watchOf()
    const [one, other] = [watch(), watch()]
    for (const node of [one, one, other]) node.look(answer(live({ expires_at: 'soon' })))
    other.look(answer(live({ expires_at: true })))
    await time.advance(0)
    expect(events.map(({ subject, data }) => ({ subject, data }))).toEqual([
      { subject: 'drifting', data: { step: 'refresh', missing: [], changed: [{ path: 'expires_at', expected: ['number'], found: ['string'] }], added: [] } },
      { subject: 'drifting', data: { step: 'refresh', missing: [], changed: [{ path: 'expires_at', expected: ['number'], found: ['boolean'] }], added: [] } },
    ])
    await time.advance(DAY)
    one.look(answer(live({ expires_at: 'soon' })))
    await time.advance(0)
    expect(events).toHaveLength(3)
  })

  test('misses neither a scope nor the id_token of a refresh, which the standards leave out', async () => {
    const { time, events, watch } = watchOf()
    const sample = { access_token: 'a', scope: 'read', id_token: 'x.y.z' }
    const generous = { ...record, samples: { ...record.samples, exchange: sample, refresh: sample } }
    watch().look({ ...answer({ access_token: 'b' }), record: generous })
    await time.advance(0)
    expect(events).toEqual([])
    watch().look({ ...answer({ access_token: 'b' }), record: generous, step: 'exchange' })
    await time.advance(0)
    expect(events.map(({ data }) => data)).toMatchObject([{ step: 'exchange', missing: ['id_token'] }])
  })

  test('misses no refresh token of a refresh where the provider does not always rotate it', async () => {
    const { time, events, watch } = watchOf()
    const samples = { ...record.samples, refresh: { access_token: 'a', refresh_token: 'r' } }
    watch().look({ ...answer({ access_token: 'b' }), record: { ...record, rotation: 'sometimes', samples } })
    await time.advance(0)
    expect(events).toEqual([])
    watch().look({ ...answer({ access_token: 'b' }), record: { ...record, rotation: 'always', samples } })
    await time.advance(0)
    expect(events.map(({ data }) => data)).toMatchObject([{ missing: ['refresh_token'] }])
  })

  test('looks at the first answer and then at one in so many', async () => {
    const { time, events, watch } = watchOf(10)
    const node = watch()
    node.look(answer(live()))
    for (let count = 0; count < 9; count += 1) node.look(answer({}))
    await time.advance(0)
    expect(events).toHaveLength(0)
    node.look(answer({}))
    await time.advance(0)
    expect(events).toHaveLength(1)
  })

  test('is silent about a step without a sample and about what is no object, and never throws', async () => {
    const { time, events, watch } = watchOf()
    const node = watch()
    node.look({ ...answer({}), step: 'exchange' })
    for (const text of ['', 'null', '[]', '<html>', '"text"']) node.look({ ...answer({}), answer: { headers: {}, text } })
    await time.advance(0)
    expect(events).toHaveLength(0)
  })
})

/** Answers of any shape: members of the sample with other values, and keys and texts that are secrets themselves. */
const secret = fc.string({ minLength: 6, maxLength: 12, unit: fc.constantFrom(...'GHJKMNPQRSTVWXYZ') }).map((text) => `zz${text}zz`)
const value: fc.Arbitrary<JsonValue> = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    secret,
    fc.integer({ min: 100_000, max: 99_999_999 }),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.oneof(secret, fc.constantFrom('access_token', 'refresh_token', 'athlete', 'id', 'expiresIn', 'bikes')), tie('value'), { maxKeys: 4 }),
  ),
})).value
const answers = fc.dictionary(fc.oneof(secret, fc.constantFrom('token_type', 'access_token', 'expires_at', 'athlete', 'refresh_token')), value, { maxKeys: 6 })

test('no value and no undocumented key of an answer is ever in an event', async () => {
  await fc.assert(
    fc.asyncProperty(answers, async (body) => {
      const { time, events, watch } = watchOf()
      watch().look(answer(body))
      await time.advance(0)
      const told = JSON.stringify(events.map(({ data }) => data))
      for (const planted of JSON.stringify(body).match(/zz[A-Z]+zz|\d{6,}/g) ?? []) expect(told).not.toContain(planted)
    }),
    { numRuns: 300 },
  )
})
