import { SYSTEM_ACTOR } from '../audit/event.ts'
import type { StoredFault } from '../connection/connection.ts'
import type { FaultCode } from '../fault/fault.ts'
import { FAULTS } from '../fault/table.ts'
import { type IntentId, newId } from '../ids.ts'
import type { JsonObject } from '../json.ts'
import type { FailureCommit, GrantRow } from './credentials.ts'
import type { EngineWorld } from './engine-ports.ts'

/**
 * Records an end that follows from facts we hold (a lifetime is over, nothing can renew it), not from an answer. It holds
 * only while the clock agrees, see `endedByClockAlone`. A mere claim of a caller records nothing; a database that is away
 * records it at the next read.
 */
export async function recordEnd(world: EngineWorld, row: GrantRow, code: FaultCode, claimedByCaller: boolean): Promise<void> {
  const { connection, credential } = row
  if (claimedByCaller || connection.state !== 'active' || FAULTS[code].class !== 'grant') return
  const at = world.clock.wall()
  const intent = code === 'refresh_outcome_lost' ? (credential.suspicion?.intent ?? null) : null
  const fault: StoredFault = { code, at, evidence: { intent, httpStatus: null, providerCode: null, providerText: null, answerHash: null } }
  try {
    await world.credentials.commitFailure(endWithoutAnswer(world, row, { fault, subject: intent, data: {}, death: null }))
  } catch (error) {
    world.log.warn({ connection: connection.id, error: String(error) }, 'the end of a grant is not recorded yet')
  }
}

interface EndWithoutAnswer {
  readonly fault: StoredFault
  /** Of the event. */
  readonly subject: string | null
  /** Beside code and generation. */
  readonly data: JsonObject
  /** Null: it is no news of the provider, and the death watch does not count it. */
  readonly death: FailureCommit['death']
  /** The same one is the same failure, told again; drawn where none is given. */
  readonly attempt?: IntentId
}

/** An end that no presentation of ours was answered with: only while the generation is the one in `row`, and no back-off follows from it. */
export function endWithoutAnswer(world: EngineWorld, { connection, credential }: GrantRow, end: EndWithoutAnswer): FailureCommit {
  const { fault, subject, data, death } = end
  const { id, organization } = connection
  const { generation } = credential
  return {
    connection: id,
    organization,
    intent: null,
    attempt: end.attempt ?? newId('itn', world.entropy),
    presentedGeneration: generation,
    answer: null,
    effect: 'dead',
    answered: false,
    fault,
    countsAsFailure: false,
    nextAttemptAt: null,
    dueAt: null,
    event: {
      id: newId('evt', world.entropy),
      organization,
      type: 'connection.needs_reauth',
      at: fault.at,
      actor: SYSTEM_ACTOR,
      connection: id,
      subject,
      data: { code: fault.code, generation, ...data },
    },
    death,
  }
}
