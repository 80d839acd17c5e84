import type { EventType, NewEvent } from '../audit/event.ts'
import type { JsonObject } from '../json.ts'
import type { Instant } from '../time.ts'
import { type Judgement, judgePresentation } from './rotation.ts'
import type { Session } from './session.ts'
import { personActor } from './session-events.ts'
import type { Misplaced, PresentationInput, Shown } from './sessions.ts'

/**
 * What a presentation makes of a session. `write`: all that a rotation changes, with the event; only `recent`, which nobody needs to hear of; the end
 * of the session and its branches, with the event.
 */
interface JudgedPresentation {
  readonly judgement: Judgement
  readonly session: Session
  readonly write: 'nothing' | 'recent' | 'rotation' | 'end'
  readonly event: NewEvent | null
}

/**
 * A credential that is shown without the key of its session, or in the place of the other kind of session, says nothing about its holder: whoever
 * copied it must not move the session on, nor end it.
 */
export function misplaced({ mode, keyThumbprint }: Pick<Session, 'mode' | 'keyThumbprint'>, shown: Shown | null): Misplaced | null {
  if (shown === null) return null
  if (shown.mode !== mode) return 'mode'
  return keyThumbprint === null || keyThumbprint === shown.key ? null : 'key'
}

/** The same for every store, under whatever lock it has. `at` is the database's time. */
export function judgeInput(session: Session, input: PresentationInput, at: Instant): JudgedPresentation {
  const judgement = judgePresentation(session, input.generation, at, input)
  if (judgement.kind === 'ended') return { judgement, session, write: 'nothing', event: null }
  if (judgement.kind === 'replay') return { judgement, session: judgement.next ?? session, write: judgement.next === null ? 'nothing' : 'recent', event: null }
  const event = eventOf(judgement, session, input, at)
  // Who is refused for reuse does not become the last who was here.
  if (judgement.kind === 'reuse') return { judgement, session: judgement.next, write: 'end', event }
  const next = seenAt(judgement.next, input)
  return { judgement: { ...judgement, next }, session: next, write: 'rotation', event }
}

function seenAt(session: Session, { address, userAgent }: PresentationInput): Session {
  return { ...session, address: address ?? session.address, userAgent: userAgent ?? session.userAgent }
}

/** An ordinary rotation is no news. Both addresses are named: the one before, and the one that presented. */
function eventOf(judgement: Judgement, session: Session, input: PresentationInput, at: Instant): NewEvent | null {
  const event = (type: EventType, data: JsonObject): NewEvent => ({
    id: input.eventId,
    organization: session.organization,
    type,
    at,
    actor: personActor(session.user),
    connection: null,
    subject: session.id,
    data: { presented: input.generation, recorded: session.generation, address: input.address, address_before: session.address, ...data },
  })
  switch (judgement.kind) {
    case 'reissue':
      return event('session.reissued', { withdrawn: judgement.withdrawn, generation: judgement.next.generation })
    case 'roll_forward':
      return event('session.rolled_forward', { generation: judgement.next.generation })
    case 'reuse':
      return event('session.reuse_detected', { user_agent: input.userAgent })
    case 'rotate':
    case 'replay':
    case 'ended':
      return null
  }
}
