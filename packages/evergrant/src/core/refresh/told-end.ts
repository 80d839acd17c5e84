import type { StoredFault } from '../connection/connection.ts'
import type { Instant } from '../time.ts'
import type { GrantRow } from './credentials.ts'
import { deathReport } from './death-watch.ts'
import type { EngineWorld } from './engine-ports.ts'
import { endWithoutAnswer } from './grant-end.ts'

/** The provider's own word that a grant is over, told without our asking and proven to be the provider's. */
export interface ToldEnd {
  readonly at: Instant
  /** For people; no secret, no account. */
  readonly text: string
  /** Names what was told. */
  readonly hash: string
}

/** `held`: too many grants of the integration end at once, and a probe decides. `moved`: the grant is another one now, or not active. */
export type ToldEndOutcome = 'ended' | 'held' | 'moved'

/**
 * Records such an end under the rules of a dead verdict: only while the generation is the one in `row`, only an active
 * connection, and counted by the death watch, so that a leaked signing key cannot end every grant at once. An answer of the
 * provider that comes later and grants lifts it again.
 */
export async function recordToldEnd(world: EngineWorld, row: GrantRow, told: ToldEnd): Promise<ToldEndOutcome> {
  const { connection } = row
  if (connection.state !== 'active') return 'moved'
  const fault: StoredFault = {
    code: 'connection_revoked',
    at: told.at,
    evidence: { intent: null, httpStatus: null, providerCode: 'push', providerText: told.text, answerHash: told.hash },
  }
  const { integration } = connection
  const outcome = await world.credentials.commitFailure(
    endWithoutAnswer(world, row, {
      fault,
      subject: integration,
      data: { told_by: 'push' },
      death: deathReport({ row, fault, refreshes: world.answered.count(integration, world.clock.mono()) }, world.times, world.entropy),
      // The same word, told again after a crash, is the same failure.
      attempt: `itn_${told.hash}`,
    }),
  )
  switch (outcome.kind) {
    case 'recorded':
      return 'ended'
    case 'held':
      return 'held'
    case 'moved':
      return 'moved'
  }
}
