import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Browser, type Exchange, IDLE_MS, SessionRecord, START, sessionRow, type Verdict } from '../../testing/session-games.ts'
import { DAY, HOUR, type Instant, MINUTE, SECOND } from '../time.ts'
import { FLIGHT_MS, judgePresentation, REPLAY_WINDOW_MS } from './rotation.ts'
import type { Session, SessionMode } from './session.ts'

const W = REPLAY_WINDOW_MS
const RUNS = { numRuns: 600 }

/** A record that was rotated once, a day after it was opened. */
function rotated(changes: { readonly used?: boolean; readonly mode?: SessionMode } = {}): { readonly record: SessionRecord; readonly at: Instant } {
  const record = new SessionRecord(sessionRow({ mode: changes.mode ?? 'cookie' }))
  const at = START + DAY
  record.present(1, at)
  if (changes.used === true) record.use(2, at + 1)
  return { record, at }
}

const verdicts = (record: SessionRecord, ...presented: readonly (readonly [generation: number, at: Instant])[]): readonly Verdict[] =>
  presented.map(([generation, at]) => record.present(generation, at).verdict)

describe('the rule', () => {
  test('the current generation rotates, and the one before gets the same successor for 30 seconds', () => {
    const { record, at } = rotated({ used: true })
    expect(record.row).toMatchObject({ generation: 2, previous: 1, issuedAt: at, usedAt: at + 1, idleExpiresAt: at + IDLE_MS })
    expect(record.present(1, at + W)).toEqual({ verdict: 'replay', given: 2 })
    expect(record.present(2, at + HOUR)).toEqual({ verdict: 'rotate', given: 3 })
    expect(record.row.usedAt).toBeNull()
  })

  test('a lost answer never signs anybody out, however late and however often it is lost', () => {
    const { record, at } = rotated()
    for (let time = 1; time <= 20; time++) expect(record.present(1, at + time * HOUR)).toEqual({ verdict: 'reissue', given: 2 + time })
    expect(verdicts(record, [22, at + 21 * HOUR])).toEqual(['rotate'])
  })

  test('the generation before is reuse once somebody was seen with the current one and the window is over (S44)', () => {
    const { record, at } = rotated({ used: true })
    expect(verdicts(record, [1, at + W + 1], [2, at + HOUR])).toEqual(['reuse', 'ended'])
    expect(record.row).toMatchObject({ revokedAt: at + W + 1, end: 'reuse_detected', generation: 2 })
  })

  test('a generation older than the one before is reuse, whether or not the current one was seen', () => {
    const { record, at } = rotated()
    expect(verdicts(record, [2, at + HOUR], [1, at + HOUR + W + 1])).toEqual(['rotate', 'reuse'])
  })

  test('a withdrawn generation is reuse from the first moment', () => {
    const { record, at } = rotated()
    expect(verdicts(record, [1, at + W + 1], [2, at + W + 2])).toEqual(['reissue', 'reuse'])
  })

  test('a presentation overtaken by two rotations on its way gets the current generation (three tabs)', () => {
    const { record, at } = rotated()
    expect(verdicts(record, [2, at + 5 * SECOND])).toEqual(['rotate'])
    expect(record.present(1, at + 20 * SECOND)).toEqual({ verdict: 'replay', given: 3 })
    expect(record.present(1, at + 5 * SECOND + W)).toEqual({ verdict: 'replay', given: 3 })
  })

  test('two answers that cross leave an older generation in the jar that tabs share, which is honoured', () => {
    const { record, at } = rotated()
    expect(verdicts(record, [1, at + SECOND], [2, at + 2 * SECOND])).toEqual(['replay', 'rotate'])
    record.use(3, at + 3 * SECOND)
    expect(record.present(2, at + 9 * MINUTE)).toEqual({ verdict: 'reissue', given: 4 })
    expect(verdicts(record, [3, at + 9 * MINUTE + 1])).toEqual(['reuse'])
  })

  test('a generation that was handed out once has no other answer under way, and one tab alone never has', () => {
    const once = rotated()
    expect(verdicts(once.record, [2, once.at + 2 * SECOND])).toEqual(['rotate'])
    const alone = rotated({ mode: 'bearer' })
    expect(verdicts(alone.record, [1, alone.at + SECOND], [2, alone.at + 2 * SECOND])).toEqual(['replay', 'rotate'])
    for (const { record, at } of [once, alone]) {
      record.use(3, at + 3 * SECOND)
      expect(verdicts(record, [2, at + 9 * MINUTE])).toEqual(['reuse'])
    }
  })

  test('the slowest exchanges that are allowed for: an answer of the last moment, and a request that was sent just before it came', () => {
    const slow = (mode: SessionMode) => {
      const { record, at } = rotated({ mode })
      expect(record.present(1, at + W)).toEqual({ verdict: 'replay', given: 2 })
      record.use(2, at + W + FLIGHT_MS)
      return { record, at, verdict: record.present(1, at + W + 2 * FLIGHT_MS).verdict }
    }
    const { record, at, verdict } = slow('cookie')
    expect(verdict).toBe('reissue')
    expect(record.present(2, at + 9 * MINUTE)).toEqual({ verdict: 'reissue', given: 4 })
    expect(verdicts(record, [3, at + 9 * MINUTE + 1])).toEqual(['reuse'])
    expect(slow('bearer').verdict).toBe('reuse')
  })

  test('a replay so soon after a noted one that it is not noted itself may be as slow', () => {
    const { record, at } = rotated()
    expect(verdicts(record, [1, at + 25 * SECOND], [1, at + 29_999])).toEqual(['replay', 'replay'])
    record.use(2, at + 29_999 + FLIGHT_MS)
    expect(verdicts(record, [1, at + 29_999 + 2 * FLIGHT_MS], [2, at + 9 * MINUTE])).toEqual(['reissue', 'reissue'])
  })

  test('a replay is noted once in five seconds where tabs share a jar, and writes nothing else', () => {
    const { record, at } = rotated()
    const before = record.row
    record.present(1, at + SECOND)
    expect(record.row).toEqual({ ...before, recent: [{ generation: 2, from: 1, issuedAt: at, againAt: at + SECOND }] })
    const noted = record.row
    record.present(1, at + 5 * SECOND)
    expect(record.row).toBe(noted)
    record.present(1, at + 6 * SECOND)
    expect(record.row.recent[0]?.againAt).toBe(at + 6 * SECOND)
    const alone = rotated({ mode: 'bearer' })
    const untouched = alone.record.row
    alone.record.present(1, alone.at + SECOND)
    expect(alone.record.row).toBe(untouched)
  })

  test('a generation ahead of the record moves the record, and goes on from there', () => {
    const { record, at } = rotated()
    expect(record.present(9, at + HOUR)).toEqual({ verdict: 'roll_forward', given: 10 })
    expect(verdicts(record, [9, at + HOUR + W], [9, at + 2 * HOUR], [11, at + 3 * HOUR])).toEqual(['replay', 'reissue', 'rotate'])
  })

  test('the last generation that can be written has no successor', () => {
    const last = 999_999_999_999_999
    const record = new SessionRecord(sessionRow({ generation: last - 1 }))
    expect(record.present(last - 1, START + DAY)).toEqual({ verdict: 'rotate', given: last })
    expect(verdicts(record, [last, START + 2 * DAY], [Number.MAX_SAFE_INTEGER, START + 2 * DAY])).toEqual(['ended', 'ended'])
  })

  test('what is over stays over, inside every window (S45)', () => {
    const { record, at } = rotated()
    record.row = { ...record.row, revokedAt: at, end: 'signed_out' }
    for (const generation of [1, 2, 3]) {
      expect(judgePresentation(record.row, generation, at + 1, { idleMs: IDLE_MS })).toEqual({ kind: 'ended', why: 'signed_out' })
    }
  })
})

/** Gaps that matter: inside a window, around its edges, and the usual ones. */
const gap = (max: number = 30 * MINUTE) =>
  fc.oneof(fc.integer({ min: 0, max: 2 * SECOND }), fc.integer({ min: 0, max: 2 * W }), fc.integer({ min: 8 * MINUTE, max }))

/** No exchange takes longer than a flight, and no copy of a request does. */
const exchange: fc.Arbitrary<Exchange> = fc
  .record({
    gapMs: gap(),
    wayMs: fc.oneof(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: FLIGHT_MS })),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
    lost: fc.boolean(),
    copyMs: fc.option(fc.integer({ min: 0, max: FLIGHT_MS })),
    useMs: fc.option(fc.integer({ min: 0, max: 10 * MINUTE })),
  })
  .map(({ gapMs, wayMs, share, lost, copyMs, useMs }) => {
    const requestMs = Math.floor(wayMs * share)
    return { gapMs, requestMs, answerMs: lost ? null : wayMs - requestMs, copyMs, useMs }
  })
const exchanges = fc.array(exchange, { minLength: 1, maxLength: 40 })

const sent = (gapMs: number, answerMs: number | null, copyMs: number | null = null): Exchange => ({ gapMs, requestMs: 0, answerMs, copyMs, useMs: null })

/** What ended an honest session before the rule was what it is. */
const FOUND: readonly (readonly Exchange[])[] = [
  // A copy takes back what another answer brought; then a copy of that one is overtaken twice.
  [sent(0, null), sent(21_680, 0, 8_321), sent(22_246, 0, 2_756), sent(1_673, 0), sent(1_082, 0)],
  [sent(0, null), sent(26_377, 1_550), sent(1_550, 0, 2_074), sent(17_553, 0, 5_899), sent(5_462, 0), sent(436, 0), sent(480_000, 0)],
]

const REFUSED: readonly Verdict[] = ['reuse', 'ended']

/** Plays on, and tells what was refused. */
function play(record: SessionRecord, browser: () => Browser, rounds: readonly (readonly Exchange[])[], between: (round: number) => void): void {
  let at = START + DAY
  for (const [index, round] of rounds.entries()) {
    at = browser().run(round, at) + W + 1
    between(index)
    expect(record.row.revokedAt).toBeNull()
  }
}

describe('an honest browser', () => {
  test('never loses its session to lost answers, retries, tabs, copies and answers that cross', () => {
    fc.assert(
      fc.property(exchanges, (some) => {
        const record = new SessionRecord()
        const browser = new Browser(record, (verdict) => expect(REFUSED).not.toContain(verdict))
        browser.run(some, START + DAY)
      }),
      { numRuns: 1_500, examples: FOUND.map((some) => [some]) },
    )
  })

  test('never loses its session with one tab that has one refresh at a time, gives up, and comes again', () => {
    const attempt = fc.record({
      pauseMs: gap(),
      requestMs: fc.integer({ min: 0, max: FLIGHT_MS }),
      answerMs: fc.option(fc.integer({ min: 0, max: FLIGHT_MS })),
      use: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(attempt, { maxLength: 40 }), (attempts) => {
        const record = new SessionRecord(sessionRow({ mode: 'bearer' }))
        let [held, at] = [1, START + DAY]
        for (const { pauseMs, requestMs, answerMs, use } of attempts) {
          at += pauseMs
          const { verdict, given } = record.present(held, at + requestMs)
          expect(REFUSED).not.toContain(verdict)
          const heard = answerMs !== null && requestMs + answerMs <= FLIGHT_MS
          at += heard ? requestMs + answerMs : FLIGHT_MS
          if (heard) held = given ?? held
          if (heard && use) record.use(held, at)
        }
      }),
      RUNS,
    )
  })

  test('may send a request twice: within 30 seconds of its successor the copy changes nothing, whatever happened meanwhile', () => {
    fc.assert(
      fc.property(exchanges, fc.integer({ min: 0, max: W }), fc.nat(), (some, lateMs, pick) => {
        const record = new SessionRecord()
        const end = new Browser(record, () => {}).run(some, START + DAY)
        const fresh = record.row.recent.filter(({ from, issuedAt }) => from > 0 && end + lateMs - issuedAt <= W)
        const successor = fresh[pick % Math.max(1, fresh.length)]
        fc.pre(successor !== undefined)
        const { generation } = record.row
        expect(record.present(successor?.from ?? 0, end + lateMs)).toEqual({ verdict: 'replay', given: generation })
        expect(record.row.generation).toBe(generation)
      }),
      RUNS,
    )
  })

  test('ends with what it holds good for one more refresh, after whatever went wrong', () => {
    fc.assert(
      fc.property(exchanges, (some) => {
        const record = new SessionRecord()
        const browser = new Browser(record, () => {})
        const end = browser.run(some, START + DAY) + HOUR
        const { given } = record.present(browser.jar, end)
        expect(given).not.toBeNull()
        expect(record.present(given ?? 0, end + HOUR).verdict).toBe('rotate')
      }),
      RUNS,
    )
  })

  test('loses nothing when the database is set back to any earlier state', () => {
    const round = fc.array(exchange, { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(fc.array(fc.tuple(round, fc.option(fc.nat())), { minLength: 1, maxLength: 6 }), (rounds) => {
        const record = new SessionRecord()
        const saved = [record.row]
        const browser = new Browser(record, (verdict) => expect(REFUSED).not.toContain(verdict))
        play(
          record,
          () => browser,
          rounds.map(([some]) => some),
          (index) => {
            const back = rounds[index]?.[1] ?? null
            saved.push(record.row)
            if (back === null) return
            // What came after it never was: no backup of it is played back later.
            saved.splice((back % saved.length) + 1)
            record.row = saved.at(-1) ?? record.row
          },
        )
      }),
      RUNS,
    )
  })

  /** The idle lifetime is counted from here: a clock that went back is no reason to count from earlier. */
  const newestOf = (row: Session, at: Instant): Instant => Math.max(at, ...row.recent.map(({ issuedAt }) => issuedAt))

  test('loses nothing when the clock stood far behind for a while and is right again', () => {
    const record = new SessionRecord()
    const at = START + DAY
    const behind = at - 3 * IDLE_MS
    expect(verdicts(record, [1, at], [2, behind], [3, behind + 10 * MINUTE], [4, behind + 20 * MINUTE], [5, at + HOUR])).toEqual(Array(5).fill('rotate'))
    expect(record.row.idleExpiresAt).toBe(at + HOUR + IDLE_MS)
  })

  test('is refused while the clock is past a lifetime, and goes on as before when the clock comes back', () => {
    const jump = fc.integer({ min: -30 * DAY, max: 30 * DAY })
    fc.assert(
      fc.property(fc.array(fc.tuple(jump, gap(DAY)), { minLength: 1, maxLength: 40 }), (steps) => {
        const record = new SessionRecord(sessionRow({ expiresAt: START + 60 * DAY }))
        let [jar, at] = [1, START + 20 * DAY]
        for (const [jumpMs, gapMs] of steps) {
          at = Math.max(START, at + jumpMs + gapMs)
          const before = record.row
          const { verdict, given } = record.present(jar, at)
          const over = at >= before.idleExpiresAt || at >= before.expiresAt
          expect(verdict).toBe(over ? 'ended' : 'rotate')
          if (over) expect(record.row).toBe(before)
          else expect(record.row.idleExpiresAt).toBe(Math.min(newestOf(before, at) + IDLE_MS, START + 60 * DAY))
          jar = given ?? jar
        }
      }),
      RUNS,
    )
  })
})

/** `pick` chooses among everything the thief ever got. */
interface Move {
  readonly who: 'victim' | 'thief'
  readonly gapMs: number
  readonly pick: number
}

const move = (gapMs: fc.Arbitrary<number>): fc.Arbitrary<Move> =>
  fc.record({ who: fc.constantFrom('victim' as const, 'thief' as const), gapMs, pick: fc.nat({ max: 9 }) })

/** Both hold generation 1, and nobody sees an access token. Refusals end the game, and are told. */
class TheftGame {
  readonly record: SessionRecord
  readonly #stolen = [1]
  #jar = 1

  constructor(mode: SessionMode) {
    this.record = new SessionRecord(sessionRow({ mode }))
  }

  /** 0 is the thief's newest. */
  play(who: Move['who'], pick: number, at: Instant): Verdict {
    const credential = who === 'victim' ? this.#jar : (this.#stolen.at(-1 - (pick % this.#stolen.length)) ?? 1)
    const { verdict, given } = this.record.present(credential, at)
    if (given !== null && who === 'victim') this.#jar = given
    if (given !== null && who === 'thief') this.#stolen.push(given)
    return verdict
  }
}

const MODES: readonly SessionMode[] = ['cookie', 'bearer']

describe.each(MODES)('the theft game in %s mode, where the application checks access tokens offline', (mode) => {
  test('a thief who comes between two refreshes of the victim is caught by the second, in 100 periods of any order', () => {
    const apart = fc.integer({ min: W + 1, max: 20 * MINUTE })
    fc.assert(
      fc.property(fc.array(move(apart), { minLength: 1, maxLength: 100 }), (moves) => {
        const game = new TheftGame(mode)
        let at = START + DAY
        let [refreshed, between] = [false, false]
        for (const { who, gapMs, pick } of moves) {
          at += gapMs
          const verdict = game.play(who, pick, at)
          if (REFUSED.includes(verdict)) return
          if (who === 'victim') expect(refreshed && between).toBe(false)
          if (who === 'victim') [refreshed, between] = [true, false]
          else between = true
        }
      }),
      RUNS,
    )
  })

  test('a thief who always takes the newest is caught by whoever comes second, at the latest one refresh later', () => {
    const apart = fc.integer({ min: W + 1, max: 20 * MINUTE })
    fc.assert(
      fc.property(fc.array(move(apart), { minLength: 100, maxLength: 100 }), (moves) => {
        const game = new TheftGame(mode)
        let at = START + DAY
        let turns = 0
        let last: Move['who'] | null = null
        for (const { who, gapMs } of moves) {
          at += gapMs
          if (last !== null && who !== last) turns += 1
          last = who
          const verdict = game.play(who, 0, at)
          if (REFUSED.includes(verdict)) break
          expect(turns).toBeLessThan(2)
        }
        if (turns >= 2) expect(game.record.row.end).toBe('reuse_detected')
      }),
      RUNS,
    )
  })

  test('at any distance: after a time when only the victim came, and one when only the thief did, the victim finds the session ended', () => {
    fc.assert(
      fc.property(fc.array(move(gap(20 * MINUTE)), { minLength: 1, maxLength: 100 }), (moves) => {
        const game = new TheftGame(mode)
        let at = START + DAY
        // Who came in each cluster of presentations, none of them more than a window after the one before.
        let cluster = new Set<Move['who']>()
        let state: 'open' | 'victim' | 'thief' = 'open'
        for (const { who, gapMs, pick } of moves) {
          at += gapMs
          const opens = gapMs > W
          if (opens) {
            if (cluster.size === 2) state = 'open'
            else if (cluster.has('victim')) state = 'victim'
            else if (cluster.has('thief') && state !== 'open') state = 'thief'
            cluster = new Set()
          }
          cluster.add(who)
          const verdict = game.play(who, pick, at)
          if (REFUSED.includes(verdict)) return
          if (opens && who === 'victim') expect(state).not.toBe('thief')
        }
      }),
      { numRuns: 1_500 },
    )
  })

  test('a thief who is seen with what he got ends the session sooner, never later', () => {
    const { record, at } = rotated({ mode })
    const thief = record.present(1, at + HOUR)
    record.use(thief.given ?? 0, at + HOUR + 1)
    expect(verdicts(record, [1, at + 2 * HOUR])).toEqual(['reuse'])
  })

  test('a thief who always comes within 30 seconds of the victim is not told apart: decision 0034 says so', () => {
    const game = new TheftGame(mode)
    for (let period = 1; period <= 100; period++) {
      const at = START + DAY + period * 10 * MINUTE
      expect(REFUSED).not.toContain(game.play('victim', 0, at))
      expect(REFUSED).not.toContain(game.play('thief', 0, at + 20 * SECOND))
    }
  })
})

describe.each(MODES)('one lineage in %s mode', (mode) => {
  const presented = fc.array(fc.record({ pick: fc.nat({ max: 30 }), gapMs: gap(), use: fc.boolean() }), { maxLength: 30 })

  test('of all credentials ever issued at most one is current, and no two both rotate later (peers.md 4 row 6)', () => {
    fc.assert(
      fc.property(presented, fc.nat(), fc.nat(), (some, first, second) => {
        const record = new SessionRecord(sessionRow({ mode }))
        let at = START + DAY
        for (const { pick, gapMs, use } of some) {
          const known = [...record.issued]
          at += gapMs
          record.present(known[pick % known.length] ?? 1, at)
          if (use) record.use(record.row.generation, at)
          expect(Math.max(...record.issued)).toBe(record.row.generation)
        }
        const known = [...record.issued]
        const [one, other] = [known[first % known.length] ?? 1, known[second % known.length] ?? 1]
        at += W + 1
        const { verdict } = record.present(one, at)
        fc.pre(one !== other && !REFUSED.includes(verdict))
        expect(verdict).toMatch(/^(rotate|reissue)$/)
        expect(record.present(other, at + W + 1).verdict).toBe('reuse')
      }),
      RUNS,
    )
  })

  test('what is kept of a session in a refresh loop stays small', () => {
    const record = new SessionRecord(sessionRow({ mode }))
    for (let time = 1; time <= 1_000; time++) record.present(record.row.generation, START + time * 10)
    expect(record.row.recent.length).toBe(50)
    record.present(record.row.generation, START + HOUR)
    expect(record.row.recent.length).toBe(1)
  })
})
