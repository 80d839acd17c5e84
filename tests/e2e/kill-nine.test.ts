import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { at, textAt } from '../../packages/lab/src/http.ts'
import { type Held, Workbench } from '../../packages/lab/src/workbench.ts'
import { freshDatabase } from '../fresh-database.ts'
import { CAMPAIGN_PROFILES, killCampaign, type Victim } from './kill-campaign.ts'

/** Twenty, to be as sure as a release has to be: `KILL_ROUNDS=20`, every night. Each moment of each class comes up in every round. */
const ROUNDS = Number(process.env['KILL_ROUNDS'] ?? 2)
const { database, skip } = await freshDatabase()
afterAll(() => database?.drop())

const STORES = [
  { store: 'the embedded database', absent: false, why: '', options: {} },
  { store: 'PostgreSQL', absent: database === null, why: skip ?? '', options: database === null ? {} : { databaseUrl: database.url } },
]

// Kills of a real process for each class on each store. Both stores run side by side.
describe.concurrent('kill -9 in the middle of a refresh', () => {
  for (const { store, absent, why, options } of STORES) {
    test.skipIf(absent)(`${ROUNDS} rounds on ${store} lose no stored answer and end no grant that could be kept${why}`, { timeout: 900_000 }, async () => {
      const bench = await Workbench.start({ timeScale: 20, profiles: { ...CAMPAIGN_PROFILES, idle: 'P4' }, ...options })
      try {
        const bystanders = await Promise.all([1, 2, 3].map(() => bench.hold('idle')))
        const victims = await killCampaign(bench, ROUNDS)
        await settled(bench, victims)
        const ends: string[] = []
        for (const victim of victims) ends.push(`${victim.held.profile} ${await judge(bench, victim)}`)
        // Each class lost in every counted round what it had to lose, and no more.
        expect(ends.filter((end) => end === 'p4-after over').length).toBeGreaterThanOrEqual(ROUNDS)
        for (const profile of ['p0-before', 'p0-after', 'p1-before', 'p1-after', 'p4-before']) {
          expect(ends.filter((end) => end === `${profile} lives`).length).toBe(victims.length / Object.keys(CAMPAIGN_PROFILES).length)
        }
        for (const held of bystanders) expect((await bench.show(held)).body).toMatchObject({ status: 'active', generation: 1, fault: null })
      } finally {
        await bench.dispose()
      }
    })
  }
})

describe('one kill -9', () => {
  let bench: Workbench
  beforeAll(async () => {
    // Slow enough that a busy machine kills the process before the provider's time is over.
    bench = await Workbench.start({ timeScale: 10 })
  })
  afterEach(() => bench.heal())
  afterAll(() => bench?.dispose())

  async function killAfterCommit(profile: string): Promise<Held> {
    const held = await bench.hold(profile, 600)
    await bench.fault(profile, { kind: 'hang', when: 'after', times: 1 })
    const pending = bench.refresh(held).catch(() => 'gone')
    await expect.poll(() => bench.hanging()).toBe(1)
    await bench.server.kill()
    expect(await pending).toBe('gone')
    await bench.server.start()
    return held
  }

  test('at P2, after the provider had spent the token: the same answer is fetched again', { timeout: 60_000 }, async () => {
    const held = await killAfterCommit('p2')
    await expect.poll(async () => at((await bench.show(held)).body, 'generation'), { timeout: 20_000 }).toBe(2)
    expect(await bench.grantBehind('p2', textAt(await bench.token(held), 'access_token'))).toBe(held.grant)
    expect(await bench.truth(held)).toMatchObject({ state: 'live', generation: 2, overlaps: 0 })
  })

  test('at P4, after the provider had spent the token: the old access token is served to its end, nothing is sent twice in haste', {
    timeout: 60_000,
  }, async () => {
    const held = await killAfterCommit('p4')
    expect((await bench.token(held)).body).toMatchObject({ access_token: held.accessToken })
    expect(await bench.works('p4', held.accessToken)).toBe(200)
    expect((await bench.show(held)).body).not.toMatchObject({ status: 'needs_reauth' })
    expect(await bench.truth(held)).toMatchObject({ state: 'live', refresh_requests: 1 })
  })
})

/** Only looked at, never touched: what recovers, recovers by itself. */
async function settled(bench: Workbench, victims: readonly Victim[]): Promise<void> {
  for (const { held } of victims) {
    await vi.waitFor(async () => expect(outcome((await bench.show(held)).body), held.profile).not.toBe('open'), { timeout: 180_000, interval: 100 })
  }
}

function outcome(shown: unknown): 'open' | 'lives' | 'over' {
  const status = at(shown, 'status')
  if (status === 'needs_reauth') return 'over'
  return status === 'active' && Number(at(shown, 'generation')) > 1 ? 'lives' : 'open'
}

/** What the server believes, held against what the provider knows. */
async function judge(bench: Workbench, { held, reported }: Victim): Promise<'lives' | 'over'> {
  const { body } = await bench.show(held)
  const truth = await bench.truth(held)
  expect(truth, held.profile).toMatchObject({ overlaps: 0 })
  if (outcome(body) === 'over') {
    await lost(bench, held, reported, body, truth)
    return 'over'
  }
  // The provider had spent the token and its answer was destroyed: the strict class leaves no other end.
  expect([held.profile, committedFirst(truth)]).not.toEqual(['p4-after', true])
  expect(Number(at(body, 'generation')), held.profile).toBeGreaterThanOrEqual(reported)
  expect(truth, held.profile).toMatchObject({ state: 'live', revoked: null })
  const token = await bench.token(held)
  expect(token.status, token.text).toBe(200)
  expect(await bench.grantBehind(held.profile, textAt(token, 'access_token'))).toBe(held.grant)
  return 'lives'
}

/** The one gap that nobody can protect: committed there, never heard here. It is named, and one new grant repairs it. */
async function lost(bench: Workbench, held: Held, reported: number, shown: unknown, truth: unknown): Promise<void> {
  expect(held.profile).toMatch(/^p4-(after|answer)$/)
  expect([reported, committedFirst(truth)]).toEqual([1, true])
  expect(shown).toMatchObject({ fault: { code: 'refresh_outcome_lost', action: 'reconnect', evidence: { intent: expect.stringMatching(/^itn_/) } } })
  expect((await bench.token(held)).body).toMatchObject({ code: 'refresh_outcome_lost', needs_reauth: true })
  const again = await bench.regrant(held)
  expect(again.connection).toBe(held.connection)
  expect((await bench.token(held)).body).toMatchObject({ access_token: again.accessToken, status: 'active' })
}

function committedFirst(truth: unknown): boolean {
  return at(truth, 'presentations.0.decision') === 'rotated'
}
