// The rule of rotation, played: machines that lose answers, crash and are slow; thieves; a database that goes back.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Held, type Judged, KEY, SdkRecordKeeper, START } from '../../testing/sdk-games.ts'
import { HOUR, type Instant, MINUTE, SECOND } from '../time.ts'

const RUNS = 3_000
const FIRST: Held = { generation: 1, attempt: 'attempt of enrolment..' }

interface Sent {
  readonly held: Held
  readonly attempt: string
  readonly verb: 'refresh' | 'recover'
  readonly provenAt: Instant
  readonly key: string
  readonly nextKey: string | null
}

/** One machine that keeps to the protocol: one request at a time, the intent written before it is sent, the answer stored before it is used. */
class Machine {
  file: Held
  intent: { readonly attempt: string; readonly verb: Sent['verb'] } | null = null
  key = KEY
  /** Made before it is sent, and kept beside the key until an answer says which of the two counts. */
  nextKey: string | null = null
  readonly sent: Sent[] = []
  readonly #record: SdkRecordKeeper
  readonly #name: string
  #attempts = 0

  constructor(record: SdkRecordKeeper, name: string, file: Held = FIRST) {
    this.#record = record
    this.#name = name
    this.file = file
  }

  /** `lost`: the answer, after the server has done it. Codes that the protocol answers with another request are followed. */
  refresh(at: Instant, fate: 'arrives' | 'lost' = 'arrives'): Judged {
    this.#attempts += 1
    const verb = this.intent?.verb ?? 'refresh'
    const attempt = this.intent?.attempt ?? `${this.#name} ${this.#attempts}`
    this.intent = { attempt, verb }
    const request: Sent = { held: this.file, attempt, verb, provenAt: at, key: this.key, nextKey: this.nextKey }
    this.sent.push(request)
    const judged = deliver(this.#record, request, at)
    return fate === 'lost' ? judged : this.#hear(judged, at)
  }

  changeKey(at: Instant, fate: 'arrives' | 'lost'): Judged {
    // An attempt that may have been answered has its key: that answer is fetched first.
    if (this.intent !== null) this.refresh(at)
    this.nextKey ??= `${this.#name}, key ${this.#attempts}`
    return this.refresh(at, fate)
  }

  #hear(judged: Judged, at: Instant): Judged {
    if (judged.given !== null) {
      this.key = judged.given.keyThumbprint
      this.nextKey = null
      this.file = judged.given
      this.intent = null
    }
    if (judged.code === 'sdk_token_rotated' || judged.code === 'sdk_token_expired') {
      this.intent = { attempt: this.intent?.attempt ?? 'none', verb: 'recover' }
      return this.refresh(at)
    }
    if (judged.code === 'use_refresh' || judged.code === 'attempt_over') {
      this.intent = null
      return this.refresh(at)
    }
    return judged
  }
}

function deliver(record: SdkRecordKeeper, { held, attempt, verb, provenAt, key, nextKey }: Sent, at: Instant): Judged {
  return record.present(held, attempt, at, { verb, provenAt, key, ...(nextKey === null ? {} : { nextKey }) })
}

const step = fc.oneof(
  { weight: 6, arbitrary: fc.constant({ do: 'refresh' } as const) },
  { weight: 4, arbitrary: fc.constant({ do: 'lose' } as const) },
  { weight: 4, arbitrary: fc.constant({ do: 'use' } as const) },
  { weight: 1, arbitrary: fc.constant({ do: 'forget intent' } as const) },
  { weight: 1, arbitrary: fc.constantFrom({ do: 'change key' } as const, { do: 'lose key' } as const) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('repeat' as const), which: fc.nat({ max: 5 }) }) },
  { weight: 1, arbitrary: fc.constant({ do: 'rotate' } as const) },
  { weight: 1, arbitrary: fc.constant({ do: 'backup' } as const) },
  { weight: 1, arbitrary: fc.constant({ do: 'restore' } as const) },
)
const steps = fc.array(fc.record({ step, waitMs: fc.oneof(fc.nat({ max: 40 * SECOND }), fc.integer({ min: MINUTE, max: 20 * MINUTE })) }), { maxLength: 40 })

/** Lost answers are taken back five times an hour: this is longer, so that no other rule than the one that is played answers. */
const WITHIN_LIMITS = 12 * MINUTE

function play(
  record: SdkRecordKeeper,
  machine: Machine,
  moves: readonly { readonly step: { readonly do: string; readonly which?: number }; readonly waitMs: number }[],
): Instant {
  let at = START
  let backup = record.snapshot()
  for (const { step, waitMs } of moves) {
    at += waitMs
    if (step.do === 'refresh') machine.refresh(at)
    if (step.do === 'lose') at += WITHIN_LIMITS
    if (step.do === 'lose') machine.refresh(at, 'lost')
    if (step.do === 'lose key') at += WITHIN_LIMITS
    if (step.do === 'change key') machine.changeKey(at, 'arrives')
    if (step.do === 'lose key') machine.changeKey(at, 'lost')
    if (step.do === 'use') record.use(machine.file.generation, at)
    // The keys are in a place of their own: what is lost with the intent is made anew beside them.
    if (step.do === 'forget intent') machine.intent = null
    if (step.do === 'rotate') record.revoke({ ticket: true }, at)
    if (step.do === 'backup') backup = record.snapshot()
    if (step.do === 'restore') record.restore(backup)
    // A record from before knows nothing of a new key: that machine is enrolled anew.
    if (backup.installation.keyThumbprint !== record.installation.keyThumbprint) backup = record.snapshot()
    const late = step.do === 'repeat' ? machine.sent.at(-1 - (step.which ?? 0)) : undefined
    if (late !== undefined) deliver(record, late, at)
    expect([step.do, record.installation.status]).toEqual([step.do, 'active'])
  }
  return at
}

test('a machine that keeps to the protocol is never locked and never out, whatever is lost, repeated, rotated or restored', () => {
  fc.assert(
    fc.property(steps, (moves) => {
      const record = new SdkRecordKeeper()
      const machine = new Machine(record, 'honest')
      const at = play(record, machine, moves)
      // An hour later nothing is against it, not even the limit on lost answers.
      const judged = machine.refresh(at + HOUR)
      expect([judged.kind, judged.code, record.installation.status]).toEqual([expect.stringMatching(/issue|again/), null, 'active'])
    }),
    { numRuns: RUNS },
  )
})

test('two processes of one machine that cross are told to reload, and both go on', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ first: fc.boolean(), slowMs: fc.nat({ max: 25 * SECOND }), waitMs: fc.integer({ min: MINUTE, max: 20 * MINUTE }) })),
      (rounds) => {
        const record = new SdkRecordKeeper()
        const machine = new Machine(record, 'shared file')
        let at = START
        for (const { slowMs, waitMs } of rounds) {
          at += waitMs
          // The second one had read the file before the first one stored its answer, and its lock was taken over.
          const crossing: Sent = { held: machine.file, attempt: `crossing ${at}`, verb: 'refresh', provenAt: at, key: KEY, nextKey: null }
          const { given } = machine.refresh(at)
          record.use(given!.generation, at + slowMs / 2)
          expect(deliver(record, crossing, at + slowMs).code).toBe('reload_credentials')
          expect(record.installation.status).toBe('active')
        }
      },
    ),
    { numRuns: 300 },
  )
})

test('a thief with a copy of token and key: whoever of the two comes after the other has gone on is seen, at its next refresh at the latest', () => {
  const turns = fc.array(
    fc.record({ thief: fc.boolean(), uses: fc.boolean(), changesKey: fc.boolean(), waitMs: fc.integer({ min: 5 * MINUTE, max: 15 * MINUTE }) }),
    {
      minLength: 3,
      maxLength: 30,
    },
  )
  fc.assert(
    fc.property(steps, turns, (moves, played) => {
      const record = new SdkRecordKeeper()
      const owner = new Machine(record, 'owner')
      const honest = moves.filter(({ step }) => step.do !== 'restore' && step.do !== 'rotate')
      let at = play(record, owner, honest)
      const thief = new Machine(record, 'thief', owner.file)
      Object.assign(thief, { key: owner.key, nextKey: owner.nextKey })
      let changes = 0
      let keyChanged = owner.nextKey !== null
      let last: Machine | null = null
      for (const { thief: isThief, uses, changesKey, waitMs } of played) {
        at += waitMs
        const one = isThief ? thief : owner
        if (last !== null && last !== one) changes += 1
        last = one
        const { given } = isThief && changesKey ? one.changeKey(at, 'arrives') : one.refresh(at)
        if (given !== null && uses) record.use(given.generation, at)
        // The first, the other, and the first again: by then two are known to be there. Once more where the key was changed: that answer may have been lost.
        keyChanged ||= isThief && changesKey
        if (changes >= (keyChanged ? 3 : 2)) expect(record.installation.status).toBe('locked')
      }
    }),
    { numRuns: RUNS },
  )
})

test('a thief with the token alone moves nothing and locks nobody', () => {
  fc.assert(
    fc.property(steps, fc.nat({ max: 20 }), (moves, which) => {
      const record = new SdkRecordKeeper()
      const owner = new Machine(record, 'owner')
      const at = play(record, owner, moves)
      const stolen = owner.sent.at(which % Math.max(1, owner.sent.length))?.held ?? FIRST
      const before = record.snapshot()
      for (const verb of ['refresh', 'recover'] as const)
        expect(record.present(stolen, 'theft', at, { verb, key: 'the key of the thief' }).kind).toBe('stranger')
      expect(record.snapshot()).toEqual(before)
    }),
    { numRuns: 500 },
  )
})

test("canary: a rule without the look at the proof's age would lock an honest machine, and this game would see it", () => {
  const record = new SdkRecordKeeper()
  const machine = new Machine(record, 'honest')
  machine.refresh(START + MINUTE)
  machine.refresh(START + 10 * MINUTE)
  record.use(3, START + 11 * MINUTE)
  const [late] = machine.sent
  expect(deliver(record, { ...late!, attempt: 'as if by another' }, START + HOUR).code).toBe('reload_credentials')
  expect(deliver(record, { ...late!, attempt: 'as if by another', provenAt: START + HOUR }, START + HOUR).kind).toBe('clone')
})
