import type { Mutant } from './mutant.ts'
import { storeMutants } from './store-mutants.ts'

const DRAIN = `  if (reuse.class === 'P1') return Math.min(times.windowDrainMaxMs, Math.floor(reuse.windowMs / 3))
  return isStrict(reuse) ? times.strictDrainMs : times.drainMs`
const LEASE = `  if (reuse.class === 'P1') return drainFor(reuse, times) + times.windowLeaseExtraMs
  return isStrict(reuse) ? times.strictLeaseMs : times.leaseMs`
const LOOK_ONCE_MORE = `      lookOnceMore(timers, () => {
        if (done) return
        if (begun) cancelTimer = timers.after(BEGUN_MS, () => fail('truncated'))
        else fail('timeout')
      })`
const HANDED_OUT = `  if (databaseOnly || journaled === null) await settled
  else await Promise.any([settled, afterGrace(world, journaled, settled)])`
// biome-ignore lint/suspicious/noTemplateCurlyInString: it is the text of a source file
const SEALED_ROW = 'row: `${connection}#${generation}`'
const REJECTED = 'ask.rejectedGeneration !== null && ask.rejectedGeneration === credential.generation'

/** Rules of the engine. */
const engineMutants: readonly Mutant[] = [
  {
    name: 'one_timeout_for_all',
    does: 'waits and leases alike for every reuse class',
    edits: [
      { file: 'core/refresh/protocol-times.ts', find: DRAIN, replace: '  return times.drainMs' },
      { file: 'core/refresh/protocol-times.ts', find: LEASE, replace: '  return times.leaseMs' },
    ],
    scenario: 'slow-gateway',
  },
  {
    name: 'window_ignored_in_the_deadline',
    does: 'waits as long at a provider with a window as anywhere, so that the window passes in waiting',
    edits: [
      {
        file: 'core/refresh/protocol-times.ts',
        find: "  if (reuse.class === 'P1') return Math.min(times.windowDrainMaxMs, Math.floor(reuse.windowMs / 3))\n",
        replace: '',
      },
    ],
    scenario: 'three-within-a-window',
  },
  {
    name: 'client_style_timeout',
    does: 'gives up on a single-use provider after 10 seconds, as HTTP clients do',
    edits: [
      {
        file: 'core/refresh/protocol-times.ts',
        find: 'isStrict(reuse) ? times.strictDrainMs : times.drainMs',
        replace: 'isStrict(reuse) ? 10 * SECOND : times.drainMs',
      },
    ],
    scenario: 'slow-gateway',
  },
  {
    name: 'one_attempt_to_commit',
    does: 'tries once to store an answer',
    edits: [
      {
        file: 'core/refresh/settle-grant.ts',
        find: "untilDurable(world, 'grant', () => commitWhenFree(world, commit))",
        replace: 'commitWhenFree(world, commit)',
      },
    ],
    scenario: 'database-away-at-the-answer',
  },
  {
    name: 'gives_up_after_a_silent_probe',
    does: 'ends a grant whose probe was not answered',
    edits: [
      {
        file: 'core/refresh/record-failure.ts',
        find: "    case 'unknown':\n      return 'suspect'",
        replace: "    case 'unknown':\n      return failed.row.credential.suspicion !== null && !failed.verdict.answered ? 'dead' : 'suspect'",
      },
    ],
    scenario: 'silent-for-hours',
  },
  {
    name: 'timeout_counts_as_unsent',
    does: 'takes a request without an answer for one that was never sent',
    edits: [
      {
        file: 'core/refresh/record-failure.ts',
        find: "    case 'unknown':\n      return 'suspect'",
        replace: "    case 'unknown':\n      return failed.verdict.answered ? 'suspect' : 'untouched'",
      },
    ],
    scenario: 'silence-is-no-answer',
  },
  {
    name: 'marks_on_invalid_client',
    does: 'ends grants when the client secret is refused',
    edits: [
      {
        file: 'core/refresh/record-failure.ts',
        find: "    case 'dead':\n      return 'dead'\n    case 'unknown':",
        replace: "    case 'dead':\n    case 'config':\n      return 'dead'\n    case 'unknown':",
      },
      {
        file: 'core/refresh/record-failure.ts',
        find: "    case 'throttled':\n    case 'config':\n    case 'restart_flow':\n      return 'untouched'",
        replace: "    case 'throttled':\n    case 'restart_flow':\n      return 'untouched'",
      },
    ],
    scenario: 'client-refused',
  },
  {
    name: 'no_window_guard_at_send',
    does: 'looks at the window when it plans and not when it sends',
    edits: [{ file: 'core/refresh/present.ts', find: '  if (until === null || until > databaseNow) {', replace: '  if (until === null) {' }],
    scenario: 'window-closed-while-claiming',
  },
  {
    name: 'takeover_at_once',
    does: 'frees the leases of a lost node whatever the reuse class',
    edits: [{ file: 'core/refresh/takeover.ts', find: "  if (reuse.class !== 'P1') return false\n", replace: "  if (reuse.class !== 'P1') return true\n" }],
    scenario: 'answer-in-the-journal-of-a-lost-node',
  },
  {
    name: 'short_lease_everywhere',
    does: 'leases for 20 seconds',
    edits: [{ file: 'core/refresh/protocol-times.ts', find: LEASE, replace: '  return 20 * SECOND' }],
    scenario: 'answer-in-the-journal-of-a-lost-node',
  },
  {
    name: 'overtakes_a_living_holder',
    does: 'takes a lease that is over although its holder lives',
    edits: [
      {
        file: 'core/refresh/living-holder.ts',
        find: '  if (!holder.alive) return missedUntil(world, holder, row, reuse)\n',
        replace: '  if (holder.alive) return null\n',
      },
    ],
    scenario: 'paused-before-the-first-byte',
  },
  {
    name: 'no_self_fence',
    does: 'sends however long ago it claimed',
    edits: [{ file: 'core/refresh/present.ts', find: 'if (outOfSight || sinceClaimMs >= world.times.claimToSendMs) {', replace: 'if (outOfSight) {' }],
    scenario: 'late-claim-is-given-back',
  },
  {
    name: 'timers_first',
    does: 'aborts on the deadline without looking at the socket once more',
    edits: [{ file: 'outbound/line.ts', find: LOOK_ONCE_MORE, replace: "      if (!done) fail('timeout')" }],
    scenario: 'stalled-with-the-answer-in-the-socket',
  },
  {
    name: 'no_journal',
    does: 'keeps an answer nowhere but in the database',
    edits: [
      {
        file: 'core/refresh/settle-grant.ts',
        find: 'keepsAnswers(answered.grantContext.reuse) ? journal(world, answered) : null',
        replace: 'null as Promise<void> | null',
      },
    ],
    scenario: 'crash-with-the-answer-in-the-journal',
  },
  {
    name: 'no_self_recovery',
    does: 'leaves the leases of its own earlier life to run out',
    edits: [{ file: 'core/refresh/recovery.ts', find: 'const reclaimed = await world.credentials.reclaim(world.node)', replace: 'const reclaimed = 0' }],
    scenario: 'own-leases-first',
  },
  {
    name: 'own_leases_stand',
    does: 'never looks for leases in its own name that nothing works under',
    edits: [{ file: 'core/refresh/forgotten-leases.ts', find: 'if (draining() || liveness', replace: 'if (!draining() || liveness' }],
    scenario: 'claim-that-came-back',
  },
  {
    name: 'forgotten_without_its_answer',
    does: 'turns a forgotten lease into a suspicion although the journal has its answer',
    edits: [{ file: 'core/refresh/forgotten-leases.ts', find: 'if (answer !== undefined) return', replace: 'if (answer === null) return' }],
    scenario: 'answered-claim-that-came-back',
  },
  {
    name: 'journal_settled_too_early',
    does: 'strikes an answer from the journal before the database has it',
    edits: [
      {
        file: 'core/refresh/settle-grant.ts',
        find: '    if (journaled !== null && !wentBack && !(applies(outcome) && isChained(answered.grantContext))) world.journal.settle(answered.intent)\n',
        replace: '',
      },
      {
        file: 'core/refresh/settle-grant.ts',
        find: '  let known: CommitOutcome | null = null\n',
        replace: '  let known: CommitOutcome | null = null\n  void journaled?.then(() => world.journal.settle(answered.intent))\n',
      },
    ],
    scenario: 'crash-with-the-answer-in-the-journal',
  },
  {
    name: 'served_before_durable',
    does: 'hands a token out before anything durable has it',
    edits: [{ file: 'core/refresh/settle-grant.ts', find: HANDED_OUT, replace: '  void settled' }],
    scenario: 'nothing-used-before-it-is-durable',
  },
  {
    name: 'until_used_served_from_the_journal',
    does: 'hands out a token whose use ends its predecessor while only the journal has it',
    edits: [
      {
        file: 'core/refresh/attempt.ts',
        find: "const databaseOnly = grantContext.reuse.class === 'P2' && world.options.databaseFirst",
        replace: 'const databaseOnly = false',
      },
    ],
    scenario: 'until-used-waits-for-the-database',
  },
  {
    name: 'rejected_generation_not_compared',
    does: 'refreshes for every 401 that a caller saw, whatever generation it was about',
    edits: [{ file: 'core/refresh/plan.ts', find: `  if (${REJECTED}) {`, replace: '  if (ask.rejectedGeneration !== null) {' }],
    scenario: 'rejected-token-of-the-past',
  },
  {
    name: 'no_single_flight',
    does: 'starts a flight for every caller',
    edits: [
      {
        file: 'core/refresh/flights.ts',
        find: '    if (up !== undefined) {\n      if (urgent)',
        replace: '    if (up !== undefined && !urgent) {\n      if (urgent)',
      },
    ],
    scenario: 'one-flight',
  },
  {
    name: 'drain_goes_on_starting',
    does: 'starts refreshes while it drains',
    edits: [{ file: 'core/refresh/attempt.ts', find: "  if (world.draining()) return { kind: 'not_now', code: 'draining', retryAt: now }\n", replace: '' }],
    scenario: 'drain-starts-nothing',
  },
  {
    name: 'lifetime_from_the_receipt',
    does: 'counts lifetimes from the moment the answer came',
    edits: [{ file: 'core/refresh/settle-grant.ts', find: '      obtainedAt: sentAt,', replace: '      obtainedAt: answered.receivedAt,' }],
    scenario: 'lifetimes-from-the-sending',
  },
  {
    name: 'settled_by_a_kept_token',
    does: 'takes a grant without a new token for the last word about a request that may still arrive',
    edits: [{ file: 'core/refresh/settle-grant.ts', find: 'rotated ? null : askAgainAt(openPresentation(credential), reuse, sentAt)', replace: 'null' }],
    scenario: 'late-after-an-answer-without-a-token',
  },
]

/** Rules about many connections at once, and about a database that is not what it was. */
const crowdMutants: readonly Mutant[] = [
  {
    name: 'believes_every_death',
    does: 'ends everybody whom a provider calls dead at once',
    edits: [
      { file: 'store/sql/deaths.ts', find: '  if (deaths <= report.limit) return false\n', replace: '  if (deaths >= 0) return false\n' },
      { file: 'store/memory/deaths.ts', find: '  if (deaths <= limit) return false\n', replace: '  if (deaths >= 0) return false\n' },
    ],
    scenario: 'many-refusals-at-once',
  },
  {
    name: 'no_breaker',
    does: 'asks a provider that is down as often as anybody wants',
    edits: [
      {
        file: 'core/refresh/endpoint-breaker.ts',
        find: '    if (state === undefined || state.openUntil === 0) return',
        replace: '    if (state === undefined || state.openUntil >= 0) return',
      },
    ],
    scenario: 'outage-knocks',
  },
  {
    name: 'everybody_at_the_same_second',
    does: 'renews every grant at the same share of its lifetime',
    edits: [{ file: 'core/refresh/renewal.ts', find: 'lo + input.uniform * (hi - lo)', replace: 'lo' }],
    scenario: 'spread-of-renewals',
  },
  {
    name: 'no_high_water_check',
    does: 'presents what the database says, although it saw it say more',
    edits: [
      {
        file: 'core/refresh/attempt.ts',
        find: 'const distrust = await world.trust.mayPresent(request.row, request.context.reuse)',
        replace: 'const distrust = null as { readonly detail: string } | null',
      },
      {
        file: 'core/refresh/present.ts',
        find: '  if (distrust === null && until === null) return',
        replace: '  if (distrust !== undefined && until === null) return',
      },
    ],
    scenario: 'database-went-back',
  },
  {
    name: 'sealed_to_no_row',
    does: 'binds a ciphertext to its table and column, but not to its row',
    edits: [{ file: 'core/refresh/new-credential.ts', find: SEALED_ROW, replace: 'row: connection.length > generation ? "any" : ""' }],
    scenario: 'moved-ciphertext',
  },
]

export const mutants: readonly Mutant[] = [...engineMutants, ...crowdMutants, ...storeMutants]
