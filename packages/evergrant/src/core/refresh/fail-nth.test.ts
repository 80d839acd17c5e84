import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Store } from '../../store/index.ts'
import { systemClock, systemTimers } from '../../system.ts'
import { BLOWS, type Blow, NumberedCalls } from '../../testing/numbered-calls.ts'
import { CLASSES, RefreshTrials, TRIAL_TIMES, type Trial } from '../../testing/refresh-trials.ts'
import { trialStores } from '../../testing/trial-stores.ts'
import type { TruthfulClass } from '../../testing/truthful-provider.ts'
import { Fault } from '../fault/fault.ts'
import type { Engine } from './engine.ts'

/** Longer than an eager lease and than the time from claim to send, shorter than a strict lease. */
const PAUSE_MS = 200
const PATIENCE_MS = 8_000
const HANG_MS = 30_000
/** Trials side by side: most of their time is waiting. */
const AT_ONCE = 18
/** The wait counts from the claim, which may be so much earlier than the request. */
const SOONEST_MS = TRIAL_TIMES.orphanWaitMs - TRIAL_TIMES.claimToSendMs

/** Where nothing is kept of an answer, where the old token works until the new one is used, and where a second presentation ends everything. */
const CHAINED: readonly TruthfulClass[] = ['P0', 'P2', 'P4']
const KINDS: readonly (readonly [TruthfulClass, boolean])[] = [
  ...CLASSES.map((reuse) => [reuse, false] as const),
  ...CHAINED.map((reuse) => [reuse, true] as const),
]

const { stores, remove } = await trialStores()
afterAll(remove)

const well = () => new NumberedCalls({ blow: () => null, pause: () => Promise.resolve() })
const quietly = (work: Promise<unknown>) => work.then(undefined, () => undefined)

for (const { name, absent, shared, open } of stores) {
  describe.skipIf(absent)(`the n-th call of one refresh is struck, on ${name}`, () => {
    let store: Store
    let trials: RefreshTrials
    beforeAll(async () => {
      store = await open()
      trials = await RefreshTrials.on(store, { sharedDatabase: shared })
    })
    afterAll(async () => {
      trials?.close()
      await store?.close()
    })

    for (const [reuse, chained] of KINDS) {
      const which = chained ? `${reuse} with a second request after each refresh` : reuse
      test(`at ${which} every call, in every way: what can be kept is kept, and what is lost says so`, { timeout: 300_000 }, async () => {
        const calls = await callsOfOneRefresh(trials, reuse, chained)
        expect(calls.filter((call) => call.startsWith('socket'))).toEqual(['socket.connect', 'socket.write', 'socket.read'])
        expect(calls).toEqual(expect.arrayContaining(['store.read', 'store.claim', 'store.commitGrant']))
        const plan = calls.flatMap((_, index) => BLOWS.map((blow) => ({ number: index + 1, blow })))
        const found: string[] = []
        for (let start = 0; start < plan.length; start += AT_ONCE) {
          const batch = plan.slice(start, start + AT_ONCE).map(({ number, blow }) => strike({ trials, reuse, chained, shared }, number, blow))
          found.push(...(await Promise.all(batch)).flat())
        }
        expect(found).toEqual([])
      })
    }
  })
}

async function callsOfOneRefresh(trials: RefreshTrials, reuse: TruthfulClass, chained: boolean): Promise<readonly string[]> {
  const trial = await trials.begin(reuse, { chained })
  const calls = well()
  const engine = await trials.engine(trial, { id: 'node-1', incarnation: 'first' }, calls)
  expect(await engine.refresh(trial.organization, trial.connection)).toMatchObject({ generation: chained ? 3 : 2 })
  // The journal hears that the database has the answer after the caller does.
  if (reuse !== 'P0') await expect.poll(() => calls.made).toContain('journal.settle')
  return [...calls.made]
}

interface Arena {
  readonly trials: RefreshTrials
  readonly reuse: TruthfulClass
  readonly chained: boolean
  readonly shared: boolean
}

/** One refresh with one call struck; then somebody reads until it is decided. Returns what was not as it must be. */
async function strike(arena: Arena, number: number, blow: Blow): Promise<readonly string[]> {
  const pause = () => systemTimers.sleep(PAUSE_MS)
  const calls = new NumberedCalls({ blow: (call) => (call.number === number ? blow : null), pause })
  const told = struck(arena, calls, blow)
  const hung = systemTimers.sleep(HANG_MS).then(() => [`it hangs after ${calls.made.join(', ')}`])
  return (await Promise.race([told, hung])).map((complaint) => `${arena.reuse}, call ${number} (${calls.struck.join()}): ${complaint}`)
}

async function struck({ trials, reuse, chained, shared }: Arena, calls: NumberedCalls, blow: Blow): Promise<readonly string[]> {
  const trial = await trials.begin(reuse, { chained })
  const engine = await trials.engine(trial, { id: 'node-1', incarnation: 'first' }, calls)
  const asked = quietly(engine.refresh(trial.organization, trial.connection))
  // While the first node is held up, another one is asked for the same; the embedded database has one node.
  const other = shared && blow.startsWith('pauses') ? await trials.engine(trial, { id: 'node-2', incarnation: 'first' }, well()) : null
  if (other !== null) {
    await Promise.race([calls.firstBlow, asked])
    await quietly(other.refresh(trial.organization, trial.connection))
  }
  await Promise.race([asked, calls.died])
  // The caller may be answered by another call before the one that kills has come to its end.
  if (blow.startsWith('dies') && calls.struck.length > 0) await calls.died
  return await complaints(trials, trial, calls, await decided(new LivingNode(trials, trial, calls, engine), trial))
}

/**
 * The node that a caller asks: the first, and after its death the one that takes its place. On a slow machine the caller is told to come back before
 * the call that kills is made, and the node dies while it is asked again.
 */
class LivingNode {
  readonly #trials: RefreshTrials
  readonly #trial: Trial
  readonly #calls: NumberedCalls
  readonly #first: Engine
  #heir: Engine | null = null

  constructor(trials: RefreshTrials, trial: Trial, calls: NumberedCalls, first: Engine) {
    this.#trials = trials
    this.#trial = trial
    this.#calls = calls
    this.#first = first
  }

  /** Null when the node died over it. */
  async token() {
    const { organization, connection } = this.#trial
    const asked = (await this.#engine()).token({ organization, connection, minTtlMs: 0, rejectedGeneration: null })
    return this.#heir === null ? Promise.race([asked, this.#calls.died.then(() => null)]) : asked
  }

  async #engine(): Promise<Engine> {
    if (!this.#calls.dead) return this.#first
    if (this.#heir === null) {
      this.#heir = await this.#trials.engine(this.#trial, { id: 'node-1', incarnation: 'second' }, well())
      await this.#heir.recover()
    }
    return this.#heir
  }
}

type End =
  | { readonly kind: 'kept' }
  | { readonly kind: 'over'; readonly code: string; readonly intent: string | null }
  | { readonly kind: 'open'; readonly why: string }

async function decided(node: LivingNode, trial: Trial): Promise<End> {
  const { provider } = trial
  const deadline = systemClock.mono() + PATIENCE_MS
  let why = 'nothing was answered'
  while (systemClock.mono() < deadline) {
    try {
      const answer = await node.token()
      if (answer === null) continue
      provider.use(answer.accessToken)
      const first = provider.accessToken(provider.issued)
      const newest = answer.accessToken === (trial.chained ? `session-of-${first}` : first)
      // A reusable refresh token outlives answers that nobody heard.
      if (answer.generation > 1 && (newest || trial.reuse === 'P0')) return { kind: 'kept' }
      why = `generation ${answer.generation} is served while the provider is at ${provider.issued}`
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      if (error.definition.class === 'grant') return { kind: 'over', code: error.code, intent: null }
      why = error.code
    }
    await systemTimers.sleep(10)
  }
  return { kind: 'open', why }
}

async function complaints(trials: RefreshTrials, trial: Trial, calls: NumberedCalls, end: End): Promise<readonly string[]> {
  const found: string[] = []
  const row = await settledRow(trials, trial)
  const { provider, reuse } = trial
  const strict = reuse === 'P3' || reuse === 'P4' || reuse === 'PU'
  const destroyed = strict && answerDestroyed(calls)
  if (end.kind === 'open') found.push(`it does not come to rest: ${end.why}`)
  if (end.kind === 'over' && !destroyed) found.push(`it is over (${end.code}) although nothing was destroyed`)
  if (end.kind === 'over' && end.code !== 'refresh_outcome_lost') found.push(`it says ${end.code}`)
  if (end.kind === 'over' && row?.connection.fault?.evidence.intent?.startsWith('itn_') !== true) found.push('no intent stands as evidence')
  if (end.kind === 'kept' && destroyed) found.push('it lives although its answer was destroyed: the test does not see what it thinks it sees')
  if (strict && provider.overlaps > 0) found.push('one refresh token was under way twice')
  if (row?.credential.lease !== null || row?.credential.intent !== null) found.push('a lease or an intent was left behind')
  const [first, second] = provider.seen
  if (strict && second !== undefined && first?.generation === second.generation && second.sentAt - first.sentAt < SOONEST_MS) {
    found.push(`the token was presented again after ${second.sentAt - first.sentAt} ms`)
  }
  return found
}

/** The token may be served from the journal while the database still waits for it. */
async function settledRow(trials: RefreshTrials, trial: Trial) {
  const deadline = systemClock.mono() + 2_000
  for (;;) {
    const row = await trials.store.credentials.read(trial.connection)
    if (row?.credential.lease === null || systemClock.mono() > deadline) return row
    await systemTimers.sleep(10)
  }
}

/**
 * The provider had acted, and its answer ended in a line that broke or in a process that died before it was durable. The
 * commit is begun first, the journal in the same turn: a death at the commit is one before both.
 */
function answerDestroyed(calls: NumberedCalls): boolean {
  const [number = '0', name = '', ...words] = (calls.struck[0] ?? '').split(' ')
  // By the time of its second request the first answer is stored.
  if (calls.made.slice(0, Number(number)).includes('chain.connect')) return false
  const blow = words.join(' ')
  if (name === 'socket.write') return blow === 'unknown' || blow === 'dies after'
  if (name === 'store.commitGrant') return blow === 'dies before'
  if (name === 'socket.read') return blow === 'fails' || blow === 'unknown' || blow.startsWith('dies')
  return false
}
