import type { Actor, EventType, NewEvent } from '../audit/event.ts'
import { newId, type UserId } from '../ids.ts'
import type { JsonObject } from '../json.ts'
import type { Entropy, Instant } from '../time.ts'
import type { Session } from './session.ts'

/** Who sent a request, as far as it can be told: for the person's own list of devices, and for events. */
export interface CallerFacts {
  readonly address: string | null
  readonly userAgent: string | null
}

export const personActor = (user: UserId): Actor => ({ kind: 'user', id: user })

/** Something that a person did with a session of theirs. `data` names generations and addresses, never a credential. */
export function sessionEvent(
  type: Extract<EventType, `session.${string}`>,
  session: Pick<Session, 'id' | 'organization' | 'user'>,
  at: Instant,
  data: JsonObject,
  entropy: Entropy,
): NewEvent {
  const { id, organization, user } = session
  return { id: newId('evt', entropy), organization, type, at, actor: personActor(user), connection: null, subject: id, data }
}
