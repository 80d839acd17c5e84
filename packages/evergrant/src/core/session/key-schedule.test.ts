import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DAY, HOUR, type Instant, MINUTE } from '../time.ts'
import { planReplacement, planRing, type RingPlan, type SigningKey, type SigningKeyState } from './signing-key.ts'

const LONGEST_TOKEN_MS = 10 * MINUTE

/** The store and any number of nodes, as plain values: what is written is what the plan says, at once. */
class Ring {
  readonly all = new Map<string, SigningKey>()
  readonly publishedAt = new Map<string, Instant>()
  /** When each key signed last, and whether it was thrown away as stolen. */
  readonly signedAt = new Map<string, Instant>()
  readonly stolen = new Set<string>()
  #made = 0

  live(): SigningKey[] {
    return [...this.all.values()].filter(({ state }) => state !== 'retired')
  }

  only(state: SigningKeyState): SigningKey[] {
    return this.live().filter((key) => key.state === state)
  }

  apply({ moves, missing }: RingPlan, at: Instant): void {
    for (const { key, to } of moves) this.all.set(key.id, { ...key, state: to, changedAt: at })
    for (const state of missing) {
      this.#made += 1
      const id = `sgk_${this.#made}` as const
      this.all.set(id, { id, algorithm: 'EdDSA', state, publicJwk: {}, privateKey: null, createdAt: at, changedAt: at })
      this.publishedAt.set(id, at)
    }
  }

  tick(at: Instant): void {
    this.apply(planRing({ version: 0, keys: this.live() }, at), at)
  }
}

const step = fc.record({
  afterMs: fc.oneof(fc.integer({ min: 0, max: 2 * MINUTE }), fc.integer({ min: 0, max: 3 * HOUR }), fc.integer({ min: 0, max: 40 * DAY })),
  act: fc.constantFrom('tick', 'tick', 'tick', 'tick', 'replace', 'stolen'),
})

test('at any time, with ticks as late as they like: one key signs, its successor is published, and no token outlives its key', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), (steps) => {
      const ring = new Ring()
      let at: Instant = Date.UTC(2026, 0, 1)
      ring.tick(at)
      for (const { afterMs, act } of steps) {
        const before = ring.only('active')[0]?.id ?? ''
        at += afterMs
        // Until the moment of the change, the key that was active may have signed.
        ring.signedAt.set(before, at)
        const live = ring.live()
        if (act === 'stolen') for (const { id } of live) ring.stolen.add(id)
        if (act === 'tick') ring.tick(at)
        else ring.apply(planReplacement({ version: 0, keys: live }, act === 'stolen'), at)
        const now = ring.only('active')[0]
        expect([ring.only('active').length, ring.only('next').length]).toEqual([1, 1])
        if (act === 'tick' && now !== undefined && now.id !== before) expect(at - (ring.publishedAt.get(now.id) ?? at)).toBeGreaterThanOrEqual(DAY)
        for (const [id, key] of ring.all) {
          const over = at - (ring.signedAt.get(id) ?? Number.NEGATIVE_INFINITY) >= LONGEST_TOKEN_MS
          if (key.state === 'retired') expect(over || ring.stolen.has(id), `${id} was retired while a token of it lived`).toBe(true)
        }
      }
    }),
    { numRuns: 500 },
  )
})

test('ticks that come every minute retire each key an hour after it stopped signing', () => {
  const ring = new Ring()
  const start = Date.UTC(2026, 0, 1)
  const stopped = new Map<string, Instant>()
  for (let at = start; at < start + 100 * DAY; at += 10 * MINUTE) {
    ring.tick(at)
    for (const { id } of ring.only('retiring')) if (!stopped.has(id)) stopped.set(id, at)
    for (const [id, when] of stopped) expect(ring.all.get(id)?.state === 'retired').toBe(at - when >= HOUR)
    expect(ring.live().length).toBeLessThanOrEqual(3)
  }
  expect(ring.all.size).toBe(5)
})

test('keys that were changed while the clock was a year ahead change by the schedule once it is right again', () => {
  const ring = new Ring()
  const start = Date.UTC(2026, 0, 1)
  const ahead = start + 365 * DAY
  ring.tick(ahead)
  ring.apply(planReplacement({ version: 0, keys: ring.live() }, false), ahead)
  const [old, signing, next] = [ring.only('retiring')[0], ring.only('active')[0], ring.only('next')[0]]
  // By so little, nothing has to begin anew.
  ring.tick(ahead - DAY)
  expect(ring.live()).toEqual([old, signing, next])
  for (let at = start; at <= start + 31 * DAY; at += HOUR) ring.tick(at)
  const states = [old, signing, next].map((key) => ring.all.get(key?.id ?? '')?.state)
  expect(states).toEqual(['retired', 'retired', 'active'])
})
