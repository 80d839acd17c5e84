import { expect, vi } from 'vitest'
import { at } from '../../packages/lab/src/http.ts'
import type { Held, Workbench } from '../../packages/lab/src/workbench.ts'

/**
 * One practice profile for each class and each moment of the kill: `before` the provider commits, `after` its commit but
 * before its answer, and around the `answer` itself. A fault then strikes its own moment only.
 */
export const CAMPAIGN_PROFILES = {
  'p0-before': 'P0',
  'p0-after': 'P0',
  'p0-answer': 'P0',
  'p1-before': 'P1:60',
  'p1-after': 'P1:60',
  'p1-answer': 'P1:60',
  'p4-before': 'P4',
  'p4-after': 'P4',
  'p4-answer': 'P4',
} as const

const NAMES = Object.keys(CAMPAIGN_PROFILES)
const AFTER = NAMES.filter((name) => name.endsWith('-after'))
const BEFORE = NAMES.filter((name) => name.endsWith('-before'))
const ANSWERED = NAMES.filter((name) => name.endsWith('-answer'))
const HELD = [...BEFORE, ...AFTER]
/** At strict classes the probe of a suspect comes shortly before this end. */
const ACCESS_SECONDS = 20
/** A slow machine may let a held request time out before the kill; such a round is run again. */
const ATTEMPTS_MAX = 2

/** One connection of one round. */
export interface Victim {
  readonly held: Held
  /** The generation that the API reported before the kill: from then on it must never be lost. */
  readonly reported: number
}

/** Runs `rounds` kills, each with every moment at every class in flight. Returns every connection that was there. */
export async function killCampaign(bench: Workbench, rounds: number): Promise<readonly Victim[]> {
  const victims: Victim[] = []
  let counted = 0
  for (let round = 1; counted < rounds; round += 1) {
    expect(round, 'rounds in which every request was in flight at the kill').toBeLessThanOrEqual(rounds * ATTEMPTS_MAX)
    const { all, inFlight } = await killOnce(bench, round % 2 === 0)
    victims.push(...all)
    if (inFlight) counted += 1
  }
  return victims
}

/** `race`: the kill comes with the first of three answers, and the other two may be anywhere. */
async function killOnce(bench: Workbench, race: boolean): Promise<{ readonly all: readonly Victim[]; readonly inFlight: boolean }> {
  const held = new Map(await Promise.all(NAMES.map(async (name) => [name, await bench.hold(name, ACCESS_SECONDS)] as const)))
  const of = (name: string): Held => held.get(name) ?? expect.fail(name)
  await Promise.all(AFTER.map((name) => bench.fault(name, { kind: 'hang', when: 'after', times: null })))
  await Promise.all(BEFORE.map((name) => bench.fault(name, { kind: 'hang', when: 'before', times: null })))
  const reported = new Map<string, number>()
  const refresh = async (name: string): Promise<void> => {
    const reply = await bench.refresh(of(name)).catch(() => null)
    if (reply?.status === 200) reported.set(name, Number(at(reply.body, 'generation')))
  }
  const hanging = HELD.map(refresh)
  const hang = vi.waitFor(async () => expect(await allHang(bench)).toBe(true), { timeout: 3_000, interval: 5 })
  const answers = ANSWERED.map(refresh)
  await Promise.all([hang.then(undefined, () => undefined), race ? Promise.race(answers) : Promise.all(answers)])
  const inFlight = await allHang(bench)
  await bench.server.kill()
  await Promise.all([...hanging, ...answers])
  // A held request whose client is gone is never committed; one that is let go before the provider notices would be.
  await vi.waitFor(async () => expect(await bench.hanging()).toBe(0), { timeout: 30_000 })
  await bench.heal()
  await bench.server.start()
  return { all: NAMES.map((name) => ({ held: of(name), reported: reported.get(name) ?? 1 })), inFlight }
}

async function allHang(bench: Workbench): Promise<boolean> {
  const profiles = await bench.hangingProfiles()
  return HELD.every((name) => profiles.includes(name))
}
