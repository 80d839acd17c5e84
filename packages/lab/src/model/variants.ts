import { type Exploration, explore } from './explorer.ts'
import { leaseModel, PROTOCOL, type Rules } from './lease-model.ts'
import type { Budgets, State } from './lease-state.ts'
import { atRest, PROPERTIES, TARGETS } from './properties.ts'

/** One question to the model: these rules, this much bad luck, and what must come out. */
interface Variant {
  readonly name: string
  readonly rules: Rules
  readonly budgets: Budgets
  /** Properties that this variant must break, by the start of their names; everything else must hold. */
  readonly breaks: readonly string[]
  /** Targets that its assumptions put out of reach; null for a broken protocol, of which nothing more is asked. */
  readonly misses: readonly string[] | null
}

const SMALL: Budgets = { nodes: 2, rotations: 2, losses: 1, crashes: 1, reconnects: 0 }
const FULL: Budgets = { nodes: 2, rotations: 3, losses: 3, crashes: 3, reconnects: 1 }
const RECONNECT: Budgets = { nodes: 2, rotations: 2, losses: 1, crashes: 1, reconnects: 1 }
const THREE: Budgets = { nodes: 3, rotations: 3, losses: 2, crashes: 2, reconnects: 0 }

const UNBOUNDED: Rules = { ...PROTOCOL, boundedPauses: false }
const KNOWN: Rules = { ...UNBOUNDED, deathIsKnown: true }
const LOCK: Rules = { ...PROTOCOL, intents: false, claimNamesEpoch: false, commitCompares: false, deathCompares: false }

const MOVED_LEASE = 'an answer arrives after'
const MOVED_TOKEN = 'a refusal comes for a token'

export const VARIANTS: readonly Variant[] = [
  { name: 'the protocol', rules: PROTOCOL, budgets: SMALL, breaks: [], misses: [MOVED_LEASE, MOVED_TOKEN] },
  { name: 'the protocol with a reconnect', rules: PROTOCOL, budgets: RECONNECT, breaks: [], misses: [MOVED_LEASE] },
  { name: 'pauses without bound, but death is known', rules: KNOWN, budgets: RECONNECT, breaks: [], misses: [MOVED_LEASE] },
  { name: 'pauses without bound', rules: UNBOUNDED, budgets: SMALL, breaks: ['I1', 'I5'], misses: [] },
  { name: 'a holder of an answer that stays away', rules: { ...PROTOCOL, holdersReturn: false }, budgets: SMALL, breaks: ['I5'], misses: [] },
  mutant('takeover before the request is dead', { takeoverOutlivesRequest: false }, SMALL, ['I1', 'I5']),
  mutant('a claim that names no epoch', { claimNamesEpoch: false }, SMALL, ['I1', 'I5']),
  mutant('an answer refused when the lease moved', { answersFenced: true, boundedPauses: false }, SMALL, ['I1', 'I5', 'I7']),
  mutant('an answer applied whatever is stored', { commitCompares: false }, RECONNECT, ['I1', 'I5', 'a reconnect']),
  mutant('a refusal of an older token believed', { deathCompares: false }, RECONNECT, ['I3']),
  mutant('one silent probe ends the grant', { deathFromSilence: true }, { ...SMALL, losses: 2 }, ['I3']),
  mutant('a plain lock', LOCK, SMALL, ['I1', 'I5']),
  mutant('a plain lock, pauses without bound', { ...LOCK, boundedPauses: false }, SMALL, ['I1', 'I5']),
]

/** The same questions with more bad luck: minutes instead of seconds. */
export const LARGE: readonly Variant[] = [
  { name: 'the protocol', rules: PROTOCOL, budgets: FULL, breaks: [], misses: [MOVED_LEASE] },
  { name: 'the protocol on three nodes', rules: PROTOCOL, budgets: THREE, breaks: [], misses: [MOVED_LEASE, MOVED_TOKEN] },
  { name: 'pauses without bound, but death is known', rules: KNOWN, budgets: FULL, breaks: [], misses: [MOVED_LEASE] },
  { name: 'pauses without bound', rules: UNBOUNDED, budgets: { ...FULL, losses: 2, crashes: 2, reconnects: 0 }, breaks: ['I1', 'I5'], misses: [] },
]

function mutant(name: string, rules: Partial<Rules>, budgets: Budgets, breaks: readonly string[]): Variant {
  return { name, rules: { ...PROTOCOL, ...rules }, budgets, breaks, misses: null }
}

interface Answered {
  readonly variant: Variant
  readonly exploration: Exploration<State>
  /** Empty when the model says what it must. */
  readonly complaints: readonly string[]
}

const STATES_MAX = 12_000_000

export function ask(variant: Variant, limit = STATES_MAX): Answered {
  const exploration = explore(leaseModel(variant.rules, variant.budgets), {
    properties: PROPERTIES,
    targets: TARGETS,
    ...(variant.misses === null ? {} : { rest: atRest(variant.budgets) }),
    limit,
  })
  return { variant, exploration, complaints: complaintsOf(variant, exploration) }
}

function complaintsOf(variant: Variant, exploration: Exploration<State>): string[] {
  const complaints: string[] = []
  if (!exploration.complete) complaints.push('not explored to the end')
  const expected = (name: string) => variant.breaks.some((start) => name.startsWith(start))
  for (const name of exploration.broken.keys()) if (!expected(name)) complaints.push(`${name} is broken`)
  for (const start of variant.breaks)
    if (![...exploration.broken.keys()].some((name) => name.startsWith(start))) complaints.push(`${start} holds, and should not`)
  if (variant.misses === null) return complaints
  for (const { name } of TARGETS) {
    const missed = variant.misses.some((start) => name.startsWith(start))
    if (exploration.reached.has(name) === missed) complaints.push(missed ? `reached: ${name}` : `never: ${name}`)
  }
  if (exploration.stuck > 0) complaints.push(`${exploration.stuck} states have no way back to rest`)
  return complaints
}
