import type { Arena } from './arena.ts'
import { strikesFor } from './deck.ts'
import { Dice } from './dice.ts'
import { shimMissing } from './fault-shim.ts'
import { Readers } from './readers.ts'
import { type Findings, newFindings, settle } from './settle.ts'
import type { Strike } from './strike.ts'
import { truthOf } from './truth.ts'

interface CampaignPlan {
  readonly store: 'sqlite' | 'postgres'
  readonly profile: 'scaled' | 'true'
  readonly rounds: number
  readonly seed: number
  readonly say: (line: string) => void
  /** Names of strikes, instead of a hand from the deck. */
  readonly only?: readonly string[]
  /** Between two reads of one reader, in milliseconds. */
  readonly readEveryMs?: number
}

/** The last line of a campaign. All from `families_revoked_by_us` on must be 0. */
interface CampaignReport {
  readonly store: string
  readonly profile: string
  readonly seed: number
  readonly rounds: number
  readonly refreshes: number
  readonly kills: number
  readonly tokens_checked: number
  readonly reads_refused: number
  readonly grants: number
  readonly grants_lost: number
  readonly explained_losses: number
  readonly seconds: number
  readonly families_revoked_by_us: number
  readonly wrong_tokens_served: number
  readonly unexplained_states: number
}

/** A round at the true values takes minutes whatever is in it, so it holds one of each kind. */
const TRUE_HAND = [
  'C3 kill with the answer on the wire',
  'C5 kill with the answer only in the journal',
  'pause with the answer in the socket buffer',
  'slow provider',
  'database crash',
]

const READERS_PER_NODE = { sqlite: 4, postgres: 2 } as const

/** Rounds of chaos. After each, everything is mended, nobody touches anything, and all must come right or say why not. */
export async function runCampaign(arena: Arena, plan: CampaignPlan): Promise<CampaignReport> {
  const started = performance.now()
  const dice = new Dice(plan.seed)
  const readers = new Readers(arena, plan.readEveryMs)
  const findings = newFindings()
  readers.start(dice.apart(1), READERS_PER_NODE[plan.store])
  const deck = deckOf(plan, dice)
  try {
    for (let round = 1; round <= plan.rounds; round += 1) await playRound(arena, plan, { round, readers, findings, hand: deck(round), dice })
  } finally {
    await readers.stop()
  }
  findings.unexplained.push(...readers.odd)
  for (const line of arena.ledger.wrong) plan.say(`WRONG TOKEN ${line}`)
  for (const line of findings.unexplained) plan.say(`UNEXPLAINED ${line}`)
  return {
    store: plan.store,
    profile: plan.profile,
    seed: plan.seed,
    rounds: plan.rounds,
    refreshes: await presentationsOf(arena),
    kills: arena.kills,
    tokens_checked: arena.ledger.checked,
    reads_refused: readers.counts.refused,
    grants: arena.subjects.reduce((sum, { grants }) => sum + grants.length, 0),
    grants_lost: findings.lost,
    explained_losses: findings.explained,
    seconds: Math.round((performance.now() - started) / 100) / 10,
    families_revoked_by_us: findings.revokedByUs,
    wrong_tokens_served: arena.ledger.wrong.length,
    unexplained_states: findings.unexplained.length,
  }
}

/** Every strike comes up once before any comes up again; one round in three has two. At the true values each round is the same. */
function deckOf(plan: CampaignPlan, dice: Dice): (round: number) => readonly Strike[] {
  const missing = shimMissing()
  if (missing !== null) plan.say(`SKIPPED: full disks, failing syncs and moved clocks (${missing})`)
  const all = strikesFor(plan.store, missing === null)
  const chosen = plan.only === undefined ? all : all.filter(({ name }) => plan.only?.includes(name))
  if (chosen.length === 0) throw new RangeError(`no such strike; there are ${all.map(({ name }) => name).join(', ')}`)
  let left: Strike[] = []
  const draw = (): Strike => {
    if (left.length === 0) left = dice.shuffled(chosen)
    const strike = left.pop()
    if (strike === undefined) throw new Error('the deck is empty')
    return strike
  }
  if (plan.profile === 'true' && plan.only === undefined) return () => chosen.filter(({ name }) => TRUE_HAND.includes(name))
  return () => (plan.only === undefined && dice.chance(1 / 3) ? [draw(), draw()] : [draw()])
}

interface Round {
  readonly round: number
  readonly readers: Readers
  readonly findings: Findings
  readonly hand: readonly Strike[]
  readonly dice: Dice
}

async function playRound(arena: Arena, plan: CampaignPlan, { round, readers, findings, hand, dice }: Round): Promise<void> {
  const started = performance.now()
  const before = arena.ledger.wrong.length + findings.unexplained.length + findings.revokedByUs
  const notes: string[] = []
  for (const strike of hand) {
    notes.push(`${strike.name}${(await strike.run(arena, dice)) ? '' : ' (missed)'}`)
    await arena.mend()
  }
  const ends = await settle(arena, findings, plan)
  await readers.judge()
  const took = ((performance.now() - started) / 1000).toFixed(1)
  plan.say(`round ${round}: ${notes.join(', ')}; ${ends}; ${took} s`)
  if (arena.ledger.wrong.length + findings.unexplained.length + findings.revokedByUs > before) {
    plan.say(`round ${round} FAILED; again: npm run chaos -- --store ${plan.store} --profile ${plan.profile} --seed ${plan.seed} --rounds ${round}`)
    for (const line of [...arena.ledger.wrong, ...findings.unexplained]) plan.say(`  ${line}`)
  }
}

/** How often a refresh token was presented, in all. */
export async function presentationsOf(arena: Arena): Promise<number> {
  const grants = arena.subjects.flatMap((subject) => subject.grants)
  const truths = await Promise.all(grants.map((grant) => truthOf(arena, grant)))
  return truths.reduce((sum, { presentations }) => sum + presentations.length, 0)
}
