import { SYSTEM_ACTOR } from '../audit/event.ts'
import type { FaultCode } from '../fault/fault.ts'
import { FAULTS } from '../fault/table.ts'
import { newId } from '../ids.ts'
import type { GrantRow } from './credentials.ts'
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
  try {
    await world.credentials.commitFailure({
      connection: connection.id,
      organization: connection.organization,
      intent: null,
      attempt: newId('itn', world.entropy),
      presentedGeneration: credential.generation,
      answer: null,
      effect: 'dead',
      answered: false,
      fault: { code, at, evidence: { intent, httpStatus: null, providerCode: null, providerText: null, answerHash: null } },
      countsAsFailure: false,
      nextAttemptAt: null,
      dueAt: null,
      event: {
        id: newId('evt', world.entropy),
        organization: connection.organization,
        type: 'connection.needs_reauth',
        at,
        actor: SYSTEM_ACTOR,
        connection: connection.id,
        subject: intent,
        data: { code, generation: credential.generation },
      },
      death: null,
    })
  } catch (error) {
    world.log.warn({ connection: connection.id, error: String(error) }, 'the end of a grant is not recorded yet')
  }
}
